import type { Host } from "../../../sandbox/fake.ts";
import type { Fields } from "./pool-fields.ts";
import { GoogleError } from "./rest.ts";
import { type ListPolicy, projectOf } from "./store.ts";

/**
 * Organization policies that name who may be believed: issuers by their URIs, AWS as one issuer, keys and SAML documents
 * that somebody stored as `KEY_UPLOAD`, and accounts of AWS. They are asked when a pool provider is made or changed,
 * and never of one that is there already (google.md 5).
 */
export function refuseSource(host: Host, { project, pool }: { project: string; pool: string }, fields: Fields): void {
  const { lists = {} } = projectOf(host, project);
  const { aws, oidc, saml } = fields;
  const issuers = [
    ...(aws ? ["https://sts.amazonaws.com"] : []),
    ...(oidc && !oidc.jwksJson ? [oidc.issuerUri] : []),
    ...(oidc?.jwksJson || saml ? ["KEY_UPLOAD"] : []),
  ];
  const asked = [
    ...issuers.map((value) => ["constraints/iam.workloadIdentityPoolProviders", value] as const),
    ...(aws ? [["constraints/iam.workloadIdentityPoolAwsAccounts", aws.accountId] as const] : []),
  ];
  for (const [type, value] of asked) {
    if (allows(lists[type], value)) continue;
    const subject = `orgpolicy:projects/${project}/locations/global/workloadIdentityPools/${pool}`;
    const violations = [{ type, subject, description: `Org Policy violated for value: '${value}'.` }];
    throw new GoogleError([400, "FAILED_PRECONDITION"], "Precondition check failed.", [
      { "@type": "type.googleapis.com/google.rpc.PreconditionFailure", violations },
    ]);
  }
}

/** A denied value wins; where some are allowed, no other is. A value may say `is:` in front of itself. */
export function allows({ allowedValues = [], deniedValues = [], allValues }: ListPolicy = {}, value: string): boolean {
  const names = (values: readonly string[]) => values.includes(value) || values.includes(`is:${value}`);
  if (allValues === "DENY" || names(deniedValues)) return false;
  return allValues === "ALLOW" || allowedValues.length === 0 || names(allowedValues);
}
