import { type Claims, keyPrefix } from "../../judge/aws/claims.ts";
import type { Policy } from "../../judge/aws/policy.ts";
import { type Code, type Evidence, nearMiss, type Remark, remark } from "../../model.ts";
import { type Clause, clausesOf, readsWildcards } from "./trust/lint-clauses.ts";

/** What a refused token is held against. */
export interface Refused {
  readonly policy: Policy;
  readonly claims: Claims;
  /** Rows that fail. */
  readonly wrong: readonly Evidence[];
}

/** One row that nearly holds: the sentence, and what to write. */
interface Told {
  readonly code: Code;
  readonly says: string;
  readonly fix: readonly string[];
  readonly rows: readonly Evidence[];
}

const refuses = "this trust policy refuses the token";

/**
 * Says in words by how little a token misses a trust, row by row: issuer, then each condition. A row that nothing can be said
 * of is left to the table.
 */
export function nearMisses(refused: Refused): readonly Remark[] {
  const issuer = issuerMiss(refused);
  const prefix = issuer?.prefix.toLowerCase();
  // Keys of an issuer that the token is not of are absent for that reason alone.
  const others = refused.wrong.filter(({ key }) => prefix === undefined || !key.startsWith(`${prefix}:`));
  const told = [...(issuer ? [issuer.told] : []), ...others.flatMap((row) => valueMiss(row, refused))];
  return told.map(({ code, says, fix, rows }) => remark(code, { says: `${refuses}: ${says}`, fix, because: rows }));
}

/** The issuer of a principal that is nearly the token's; the prefix is the policy's. */
function issuerMiss({ claims, wrong }: Refused): { readonly prefix: string; readonly told: Told } | undefined {
  const row = wrong.find(({ key }) => key === "Principal");
  const own = keyPrefix(String(claims.iss ?? ""));
  if (!row || own === "") return undefined;
  const named = [...row.wants.matchAll(/(arn:[^\s,;]+:oidc-provider\/)([^\s,;]*)/g)];
  for (const [, head = "", prefix = ""] of named) {
    const why = issuerWhy(prefix, own);
    if (why === undefined || prefix === own) continue;
    const says = `its Principal names the issuer ${prefix}, and the token's iss is ${claims.iss}: ${why}`;
    const fix = [
      `name ${head}${own} as the principal, and write its keys as ${own}:sub; the OIDC provider's URL has to be ${claims.iss}`,
      `or, if tokens of ${prefix} are meant, let the workload take its token from https://${prefix}`,
    ];
    return { prefix, told: { code: "AWS-TRUST-REFUSES", says, fix, rows: [row] } };
  }
  return undefined;
}

const github = "token.actions.githubusercontent.com";

/** How two issuers without their scheme differ, where it is little; each counts to the letter (aws.md 6.1). */
function issuerWhy(wanted: string, own: string): string | undefined {
  if (wanted.replace(/\/$/, "") === own.replace(/\/$/, ""))
    return `they differ in a slash at the end (${own.endsWith("/") ? "the token has it" : "the policy has it"}), and it counts`;
  if (wanted.toLowerCase() === own.toLowerCase()) return "they differ in letter case alone, and it counts";
  if (own.startsWith("http://")) return "the token's issuer begins with http://, which aws takes from nobody";
  const [host = "", there = ""] = [wanted.split("/")[0], own.split("/")[0]];
  if (host.toLowerCase() !== there.toLowerCase()) return otherHost(wanted, own);
  const path = own.startsWith(`${wanted.replace(/\/$/, "")}/`)
    ? own.slice(wanted.replace(/\/$/, "").length)
    : undefined;
  if (path !== undefined && host === github)
    return `the path ${path} is in the token alone: it is an enterprise's own issuer, and needs an OIDC provider of its own`;
  if (path !== undefined) return `the path ${path} of the issuer is missing in the policy, and it counts`;
  if (wanted.startsWith(`${own.replace(/\/$/, "")}/`))
    return `the policy has the path ${wanted.slice(own.replace(/\/$/, "").length)}, which the token's issuer has not`;
  return `the host is the same, and the path is not: ${wanted.slice(host.length)} and ${own.slice(there.length)}`;
}

/** A tenant of Entra has an issuer for each version of its tokens (entra.md 2). */
function otherHost(wanted: string, own: string): string | undefined {
  const tenant = (text: string) => /^(?:sts\.windows\.net|login\.[\w.]+)\/([0-9a-f-]{36})\b/.exec(text)?.[1];
  if (tenant(own) !== undefined && tenant(own) === tenant(wanted))
    return "they are the two issuers of one tenant, for tokens of version 1 (sts.windows.net) and of version 2";
  return undefined;
}

function valueMiss(row: Evidence, { policy, claims }: Refused): readonly Told[] {
  const clause = clauseOf(row, policy);
  if (clause === undefined || !clause.demands) return [];
  if (row.says === "(absent)") return absent(row, claims);
  const party = azpForms(row, clause, claims);
  if (party) return [party];
  const like = readsWildcards(clause);
  const nearest = clause.values.flatMap((wanted) => {
    const near = nearMiss(wanted, row.says, like);
    return near === undefined ? [] : [{ wanted, ...near }];
  });
  const [first] = nearest.sort((a, b) => Number(b.write !== undefined) - Number(a.write !== undefined));
  if (!first) return [];
  const says = `${row.key} wants ${first.wanted}, and the token says ${row.says}: ${first.why}`;
  return [{ code: "AWS-TRUST-REFUSES", says, fix: [fixOf(row.key, first.write ?? row.says, like)], rows: [row] }];
}

const fixOf = (key: string, write: string, like: boolean): string => {
  const pattern = !like && / as a pattern$/.test(write) ? " under StringLike" : "";
  return `if this workload is meant, write ${write}${pattern} for ${key}`;
};

/** A claim that aws would read and that this token does not have; of a key that no token has lint says more. */
function absent({ key, readFrom, ...row }: Evidence, claims: Claims): readonly Told[] {
  const prefix = `${keyPrefix(String(claims.iss ?? "")).toLowerCase()}:`;
  if (!key.startsWith(prefix) || readFrom === "no claim that aws reads") return [];
  const says = `${key} wants ${row.wants}, and the token has no claim ${readFrom}`;
  const fix = [`let the issuer put ${readFrom} into the token, or leave the condition on ${key} out`];
  return [{ code: "AWS-TRUST-REFUSES", says, fix, rows: [{ key, readFrom, ...row }] }];
}

/** The condition that a row is of. */
function clauseOf({ key, wants }: Evidence, policy: Policy): Clause | undefined {
  const clauses = policy.statements.flatMap((statement) => clausesOf(statement, policy));
  const text = ({ values }: Clause) => values.join(" or ");
  return clauses.find((one) => one.key === key && (wants === text(one) || wants === `${one.operator} ${text(one)}`));
}

/**
 * The authorized party of one service account is its unique id or its e-mail, by the way of minting: the metadata server and IAM
 * Credentials write the number, a key and `useEmailAzp` the e-mail (aws.md 3.1, failures.md F3).
 */
function azpForms(row: Evidence, { values }: Clause, { email }: Claims): Told | undefined {
  if (row.key !== "accounts.google.com:aud" || row.readFrom !== "azp") return undefined;
  const number = /^\d+$/;
  const mail = /@/;
  const other = values.find((value) =>
    number.test(row.says) ? mail.test(value) : mail.test(row.says) && number.test(value),
  );
  if (other === undefined) return undefined;
  const [is, was] = number.test(row.says) ? ["the unique id", "the e-mail"] : ["the e-mail", "the unique id"];
  const same = email === other ? `, which is the token's email` : "";
  const says = `aws reads azp for ${row.key}, which is ${is} here (${row.says}), and the policy wants ${was} (${other}${same}): google writes the number when the metadata server or IAM Credentials mint, and the e-mail when a key does`;
  const fix = [
    `if both are one account, list both for ${row.key}: ["${other}", "${row.says}"]`,
    "or match the audience with accounts.google.com:oaud, and the account with accounts.google.com:sub",
  ];
  return { code: "AWS-AUD-IS-AZP", says, fix, rows: [row] };
}
