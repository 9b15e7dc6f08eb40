import { issuerOf } from "../../../judge/issuers/table.ts";
import type { Remark } from "../../../model.ts";
import { type Clause, hasWildcard, isLiteral, onlyWildcards, readsWildcards, rowOf } from "./lint-clauses.ts";
import type { Grant } from "./lint-grants.ts";

/** What tokens are for: T08 and T09 of aws.md 13.2. */
export const audiences = (grant: Grant): readonly Remark[] => (grant.shut ? [] : [...azp(grant), ...open(grant)]);

/** T08. AWS's `aud` reads `azp` where the token has one (aws.md 2.1): none of the values looks like what stands there. */
function azp({ prefix, clauses }: Grant): readonly Remark[] {
  const party = issuerOf(prefix).azp;
  if (!party) return [];
  const cannot = (clause: Clause): boolean =>
    clause.key === `${prefix}:aud` &&
    clause.demands &&
    (isLiteral(clause) || readsWildcards(clause)) &&
    clause.patterns.every((pattern) => !hasWildcard(pattern) && !isReference(pattern) && !party.fits.test(pattern));
  return clauses.filter(cannot).map((clause) => ({
    code: "AWS-AUD-IS-AZP",
    severity: "error",
    says: `${clause.key} never equals ${clause.values.join(" or ")}: aws reads azp there, ${party.means}`,
    because: [{ ...rowOf(clause), says: `(${party.means})`, readFrom: "azp" }],
    fix: [`match the audience with ${prefix}:oaud instead`],
  }));
}

const isReference = (text: string): boolean => text.startsWith("<");

/**
 * T09. Google's `aud` holds the authorized party, which of a service account is the account itself: there only `oaud`
 * is an audience, while the client of a sign-in is one. Of other issuers any of the two keeps the tokens for other
 * applications out; so does the client id list of an OIDC provider, which all roles of the account share.
 */
function open({ prefix, clauses, federated }: Grant): readonly Remark[] {
  const google = prefix === "accounts.google.com";
  const keys = google ? ["oaud"] : ["aud", "oaud", "app_id"];
  const client = (pattern: string) => !isReference(pattern) && !/^\d+$|@/.test(pattern);
  const held = clauses.some(
    ({ key, demands, patterns }) =>
      demands &&
      !patterns.some(onlyWildcards) &&
      (keys.some((one) => key === `${prefix}:${one}`) || (google && key === `${prefix}:aud` && patterns.every(client))),
  );
  if (held) return [];
  const key = `${prefix}:${keys[0]}`;
  const listed = federated.startsWith("arn:");
  return [
    {
      code: "AWS-AUDIENCE-OPEN",
      severity: listed ? "hint" : "warning",
      says: listed
        ? `the trust takes tokens of ${prefix} for every audience in the client id list of the OIDC provider, which other roles share`
        : `the trust takes tokens of ${prefix} for any audience: one that was meant for another service opens this role too`,
      because: [{ key, wants: "(nothing)", says: "(any)", readFrom: "aud", ok: false }],
      fix: [`add StringEquals on ${key}`],
    },
  ];
}
