import { issuerOf } from "../../../judge/issuers/table.ts";
import type { Remark } from "../../../model.ts";
import { onlyWildcards } from "./lint-clauses.ts";
import type { Grant } from "./lint-grants.ts";

/**
 * Issuers that serve everybody, and what AWS itself wants a trust policy to hold of their tokens: CreateRole and
 * UpdateAssumeRolePolicy refuse one without (aws.md 13.1, a transcription). Any one of the keys will do; a value of
 * wildcards only does not count, whatever its operator.
 */
export function sharedIssuer({ prefix, clauses }: Grant): readonly Remark[] {
  const keys = issuerOf(prefix).awsRequires;
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
