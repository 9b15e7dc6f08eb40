import { isText, type Policy } from "../../../judge/aws/policy.ts";
import { varyingParts } from "../../../judge/issuers/patterns.ts";
import { issuerOf } from "../../../judge/issuers/table.ts";
import type { Decision, Identity, Link } from "../../../model.ts";
import { judgePermission } from "../permissions.ts";

/** Each pattern of subjects that the trust would admit, where it fits more than one workload. */
export function broadSubjects(link: Link, identity: Identity): readonly Decision[] {
  if (identity.proof !== "oidc") return [];
  const entry = issuerOf(isText(identity.issuer) ? identity.issuer : "");
  const broad = (identity.like ?? []).filter((pattern) => varyingParts(entry, pattern) === undefined);
  return broad.map((pattern) => ({
    code: "BROAD-SUBJECT",
    of: pattern,
    says: `every subject that matches ${pattern} would get in`,
    link: link.name,
  }));
}

/** The patterns that a trust compares subjects with. */
export const patternsOf = ({ statements }: Policy): readonly string[] =>
  statements.flatMap(({ condition }) =>
    Object.entries(condition?.StringLike ?? {})
      .filter(([key]) => key.endsWith(":sub"))
      .flatMap(([, values]) => values.filter((value) => typeof value === "string")),
  );

/** Each privilege that `may` would grant. */
export const privilegeDecisions = (link: Link): readonly Decision[] =>
  link.may
    .flatMap(judgePermission)
    .filter(({ severity }) => severity === "security")
    .map(({ code, of = "", says }) => ({ code, of, says, link: link.name }));
