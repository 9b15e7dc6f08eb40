import { countedLength } from "../../judge/aws/grammar/check.ts";
import { renderPolicy } from "../../judge/aws/policy.ts";
import { quotaDefaults } from "../../judge/aws/quotas.ts";
import type { Finding, Identity, Link } from "../../model.ts";
import { finding } from "../../model.ts";
import { oidcProviderResource } from "./oidc-provider/spec.ts";
import { granted, statementsOf } from "./permissions.ts";
import { roleAddress } from "./role/spec.ts";
import { roleOf } from "./shape.ts";

/** Something that AWS counts, and the link that adds to it. */
interface Counted {
  readonly link: Link;
  /** What the quota is on: an account, a role, an OIDC provider. */
  readonly on: string;
  /** What is counted once, such as the address of a role. */
  readonly what: string;
  /** How much of the quota it takes; 1 where things are counted. */
  readonly size?: number;
}

interface Quota {
  readonly unit: string;
  readonly most: number;
  /** As far as AWS raises it on request; the quota itself where AWS does not (aws.md 7, IAM quotas). */
  readonly raisedTo: number;
  readonly field: string;
  readonly counted: readonly Counted[];
}

/**
 * Returns a finding for each quota of AWS that the file alone is over: of roles and OIDC providers that are there already
 * nothing is known here. What AWS raises on request is a warning, because nobody knows whether it was asked to.
 */
export function lintQuotas(links: readonly Link[], identityOf: (link: Link) => Identity): readonly Finding[] {
  const own = links.filter((link) => link.to.party === "aws" && roleOf(link).hold === "own");
  return [...ofRoles(own), ...ofProviders(own, identityOf)].flatMap(over);
}

function ofRoles(links: readonly Link[]): readonly Quota[] {
  const each = (counted: (link: Link, role: string) => readonly Counted[]) =>
    links.flatMap((link) => counted(link, roleAddress(roleOf(link))));
  const roles = each((link, what) => [{ link, on: `account ${roleOf(link).account}`, what }]);
  const managed = each((link, role) => granted(link).managed.map((what) => ({ link, on: role, what })));
  const inline = each((link, role) =>
    statementsOf(granted(link).inline).map((one) => {
      const what = renderPolicy({ version: "2012-10-17", statements: [one] });
      return { link, on: role, what, size: countedLength(what) };
    }),
  );
  const { RolesQuota, AttachedPoliciesPerRoleQuota, RolePolicySizeQuota } = quotaDefaults;
  return [
    { unit: "roles", most: RolesQuota, raisedTo: 10_000, field: "to.aws.role", counted: roles },
    { unit: "managed policies", most: AttachedPoliciesPerRoleQuota, raisedTo: 25, field: "may", counted: managed },
    {
      unit: "characters of inline policies",
      most: RolePolicySizeQuota,
      raisedTo: RolePolicySizeQuota,
      field: "may",
      counted: inline,
    },
  ];
}

function ofProviders(links: readonly Link[], identityOf: (link: Link) => Identity): readonly Quota[] {
  const made = links.flatMap((link) =>
    oidcProviderResource(link, identityOf(link)).map((resource) => ({ link, resource })),
  );
  const { ProvidersQuota, ClientIdsPerProviderQuota } = quotaDefaults;
  const providers = made.map(({ link, resource: { address, spec } }) => ({
    link,
    on: `account ${spec.account}`,
    what: address,
  }));
  const ids = made.flatMap(({ link, resource: { address, spec } }) =>
    spec.clientIds.map((what) => ({ link, on: address, what })),
  );
  const field = "audience";
  return [
    { unit: "OIDC providers", most: ProvidersQuota, raisedTo: 700, field: "from", counted: providers },
    { unit: "client ids", most: ClientIdsPerProviderQuota, raisedTo: ClientIdsPerProviderQuota, field, counted: ids },
  ];
}

/** At the first link that is over. */
function over({ unit, most, raisedTo, field, counted }: Quota): readonly Finding[] {
  return [...Map.groupBy(counted, ({ on }) => on)].flatMap(([on, group]) => {
    const once = [...new Map(group.toReversed().map((one) => [one.what, one])).values()].toReversed();
    const sums: number[] = [];
    for (const { size = 1 } of once) sums.push((sums.at(-1) ?? 0) + size);
    const all = sums.at(-1) ?? 0;
    const first = once[sums.findIndex((sum) => sum > most)];
    if (!first) return [];
    const raised = raisedTo > most ? `, and ${raisedTo} at most where the quota was raised` : "";
    return [
      finding("AWS-QUOTA", {
        severity: all > raisedTo ? "error" : "warning",
        links: [first.link.name],
        at: { place: first.link.at(field) },
        says: `the file asks for ${all} ${unit} of ${on}; aws takes ${most}${raised}`,
        fix: [
          raisedTo > most
            ? "have the quota raised, or spread the links"
            : "spread the links over several roles or issuers",
        ],
      }),
    ];
  });
}
