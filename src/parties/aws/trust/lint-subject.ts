import { breadthOf } from "../../../judge/aws/admits.ts";
import type { Policy } from "../../../judge/aws/policy.ts";
import { namesTenant } from "../../../judge/issuers/outsiders.ts";
import { issuerOf } from "../../../judge/issuers/table.ts";
import { type Remark, remark } from "../../../model.ts";
import { type Clause, hasWildcard, onlyWildcards, readsWildcards, rowOf } from "./lint-clauses.ts";
import type { Grant } from "./lint-grants.ts";

/** Whom a grant means: T01, T02, T03 and T13 of aws.md 13.2. Where nobody passes, there is nobody to name. */
export function subjects(grant: Grant, policy: Policy): readonly Remark[] {
  if (grant.shut) return [];
  const pins = pinsOf(grant);
  const tight = pins.filter((pin) => loose(grant, pin).length === 0);
  const { outsider, sibling } = breadthOf(policy, grant.statement, grant.federated);
  if (tight.length > 0) {
    const others = outsider ? [chosen(grant, String(outsider.claims.sub))] : [];
    const beside = !outsider && sibling && issuerOf(grant.prefix).tenancy === "shared" ? siblings(grant, sibling) : [];
    const byEmail = tight.every(({ key }) => key === `${grant.prefix}:email`) ? byMail(grant) : [];
    return [...others, ...beside, ...byEmail, ...mutable(grant, tight)];
  }
  const open = pins.length > 0 ? pins.flatMap((pin) => wide(grant, pin)) : [missing(grant)];
  return [...open, ...byMail(grant)];
}

/** What each condition says is something that every customer of the issuer can have. */
function chosen({ prefix, clauses }: Grant, sub: string): Remark {
  const own = clauses.filter(({ key }) => key.startsWith(`${prefix}:`) && !/:o?aud$/.test(key));
  return remark("AWS-CLAIM-CHOSEN", {
    severity: "security",
    says: `the trust lets every customer of ${prefix} in: its conditions are met by claims that a customer chooses, as in the subject ${sub}`,
    because: own.map(rowOf),
    fix: [`add StringEquals on ${prefix}:sub, or on an id of yours, that no other customer can have`],
    of: own.map(({ key, operator, values }) => `${operator} ${key} ${values.join(" or ")}`).join("; "),
  });
}

/** The trust names one workload, and others of the same tenant pass: all of them, or those whose names go on alike. */
function siblings(
  { prefix, clauses }: Grant,
  { claims, crafted }: { claims: Readonly<Record<string, unknown>>; crafted: boolean },
): readonly Remark[] {
  const subject = clauses.filter(({ key }) => key === `${prefix}:sub`);
  const values = subject.flatMap((clause) => clause.values).join(" or ");
  if (crafted)
    return [
      remark("AWS-SUB-SIBLINGS", {
        severity: "warning",
        says: `${values} also fits ${String(claims.sub)}: nothing ends the name before the wildcard`,
        because: subject.map(rowOf),
        fix: ["end the name with its separator, such as : or /, before the wildcard"],
      }),
    ];
  // Of a pool of end users its whole pool is meant; a pattern of the file is told where the file says it.
  if (issuerOf(prefix).awsRequires?.includes("aud") || subject.some(readsWildcards)) return [];
  return [
    remark("BROAD-SUBJECT", {
      severity: "security",
      says: `the trust lets other workloads of the same customer of ${prefix} in, for example ${String(claims.repository ?? claims.sub)}`,
      because: subject.map(rowOf),
      fix: [`add a condition that names the workload; or accept it in the file`],
      of: values || clauses.map(({ key, values: some }) => `${key} ${some.join(" or ")}`).join("; "),
    }),
  ];
}

/** Whom a grant lets in that names nobody. */
export interface Openness {
  /** In words. */
  readonly who: string;
  /** The issuer serves everybody, and not one tenant. */
  readonly shared: boolean;
}

/**
 * Returns whom a grant lets in that pins no subject, or only with wildcards; undefined where it pins one, or where
 * nobody passes. Google's `aud` holds the authorized party: an account, or the client of an app that people sign in to,
 * which is the app's own affair.
 */
export function opennessOf(grant: Grant): Openness | undefined {
  const { prefix, clauses } = grant;
  const pins = pinsOf(grant);
  const party = prefix === "accounts.google.com" && clauses.some((one) => one.demands && isParty(one, prefix));
  if (grant.shut || party || pins.some((pin) => loose(grant, pin).length === 0)) return undefined;
  return { who: who(prefix), shared: issuerOf(prefix).tenancy === "shared" };
}

const isParty = ({ key, patterns }: Clause, prefix: string): boolean =>
  key === `${prefix}:aud` && !patterns.some(hasWildcard);

/**
 * Conditions that hold one tenant's identity, by equality or by pattern; a Null, a number or a Not holds none. An e-mail is
 * one where the issuer gives each address to one account; elsewhere people may enter what they like.
 */
function pinsOf({ prefix, clauses }: Grant): readonly Clause[] {
  const { ids = [], claims } = issuerOf(prefix);
  const tenants = ["repository", "organization_slug", "pipeline_slug", "cluster_name", "email"];
  const names = tenants.filter((name) => name in claims);
  const keys = ["sub", ...ids, ...names].map((key) => `${prefix}:${key}`);
  return clauses.filter(
    ({ demands, base, key }) => demands && keys.includes(key) && /^(?:String(?:Equals|Like)|Arn)/.test(base ?? ""),
  );
}

/** Patterns that go beyond one tenant: of wildcards only, or with one before the tenant is named. */
function loose({ prefix }: Grant, clause: Clause): readonly string[] {
  if (!readsWildcards(clause)) return [];
  const issuer = issuerOf(prefix);
  const bounded = (pattern: string): boolean => clause.key !== `${prefix}:sub` || namesTenant(issuer, pattern);
  return clause.patterns.filter((pattern) => onlyWildcards(pattern) || (hasWildcard(pattern) && !bounded(pattern)));
}

const who = (prefix: string): string =>
  prefix === "accounts.google.com" ? "every service account and user of google" : `everybody with a token of ${prefix}`;

/** An audience is no access control: with Google anybody gets a token for any (aws.md 13.2, T02). */
function missing({ prefix, clauses }: Grant): Remark {
  const session = clauses.length > 0 && clauses.every(({ key }) => key === "sts:rolesessionname");
  const why = session
    ? "its only condition is the session name, which the caller chooses"
    : "no condition names the subject";
  const audience = clauses.filter(({ key }) => /:o?aud$/.test(key)).map(rowOf);
  const key = `${prefix}:sub`;
  return {
    code: "AWS-SUB-MISSING",
    severity: "security",
    says: `the trust lets ${who(prefix)} in: ${why}`,
    because: [{ key, wants: "(nothing)", says: "(any)", readFrom: "sub", ok: false }, ...audience],
    fix: [`add StringEquals on ${key}`],
  };
}

function wide(grant: Grant, clause: Clause): readonly Remark[] {
  const { prefix } = grant;
  return loose(grant, clause).map((pattern) => ({
    code: "AWS-SUB-WILDCARD",
    severity: "security",
    of: pattern,
    says: onlyWildcards(pattern)
      ? `the trust lets ${who(prefix)} in: ${clause.key} is like ${pattern}`
      : `${clause.key} is like ${pattern}: the wildcard comes before the tenant is named, so others fit it too`,
    because: [rowOf(clause)],
    fix: ["name the subject in full, or at least its tenant before the first wildcard"],
  }));
}

/** A name that is given up can be taken by somebody else; an id cannot (aws.md 13.2, T13). */
function mutable({ prefix }: Grant, pins: readonly Clause[]): readonly Remark[] {
  const { ids = [], namesChangeHands, lastingSubject } = issuerOf(prefix);
  const lasts = ({ key, values }: Clause): boolean =>
    ids.some((id) => key === `${prefix}:${id}`) ||
    (key === `${prefix}:sub` && values.every((value) => lastingSubject?.test(value)));
  if (!namesChangeHands || pins.some(lasts)) return [];
  return [
    remark("AWS-MUTABLE-NAME", {
      severity: "warning",
      says: `the trust goes by names of ${prefix}, and whoever takes such a name over gets in`,
      because: pins.map(rowOf),
      fix: [`add StringEquals on ${prefix}:${ids[0]}`],
    }),
  ];
}

/** Beside a pinned subject an e-mail only narrows; alone it goes to whoever has the address next. */
function byMail({ prefix, clauses }: Grant): readonly Remark[] {
  const mails = clauses.filter(({ demands, key }) => demands && key === `${prefix}:email`);
  return mails.map((clause) => ({
    code: "AWS-MUTABLE-NAME",
    severity: "warning",
    says: `the trust goes by e-mail (${clause.values.join(", ")}), and whoever has the address next gets in`,
    because: [rowOf(clause)],
    fix: [`add StringEquals on ${prefix}:sub`],
  }));
}
