import type { Remark } from "../../../model.ts";
import { onlyWildcards } from "./lint-clauses.ts";
import type { Grant } from "./lint-grants.ts";

/**
 * Issuers that serve everybody, and what AWS itself wants a trust policy to hold of their tokens: CreateRole and
 * UpdateAssumeRolePolicy refuse one without (aws.md 13.1, a transcription). Any one of the keys will do.
 */
const required: readonly (readonly [issuer: RegExp, keys: readonly string[]])[] = [
  [/^token\.actions\.githubusercontent\.com(?:\/|$)/, ["sub", "job_workflow_ref"]],
  [/^(?:vstoken\.actions|oidc-configuration\.audit-log)\.githubusercontent\.com$/, ["sub"]],
  [/^(?:gitlab\.com|agent\.buildkite\.com|app\.terraform\.io|oidc\.codefresh\.io|scalr\.io)$/, ["sub"]],
  [/^(?:studio\.datachain\.ai\/api|tokens\.cloud\.shisho\.dev|proidc\.upbound\.io)$/, ["sub"]],
  [/^(?:cognito-identity\.amazonaws\.com|api\.pulumi\.com\/oidc|sandboxes\.cloud|oidc\.vercel\.com)$/, ["aud"]],
];

/** A value of wildcards only does not count, whatever its operator (aws.md 13.1). */
export function sharedIssuer({ prefix, clauses }: Grant): readonly Remark[] {
  const [, keys] = required.find(([issuer]) => issuer.test(prefix)) ?? [];
  if (!keys) return [];
  const named = clauses.some(
    ({ key, patterns }) => keys.some((one) => key === `${prefix}:${one}`) && !patterns.some(onlyWildcards),
  );
  if (named) return [];
  const key = `${prefix}:${keys[0]}`;
  return [
    {
      code: "AWS-SHARED-ISSUER",
      severity: "error",
      says: `${prefix} serves everybody, and aws refuses to write a trust policy for it without a value for ${key}`,
      because: [{ key, wants: "(nothing)", says: "(any)", readFrom: keys[0] ?? "", ok: false }],
      fix: [`add a condition on ${key} that names whom you mean`],
    },
  ];
}
