import { actionTruth } from "../../../judge/aws/judge.ts";
import type { Policy, Statement } from "../../../judge/aws/policy.ts";
import type { Remark } from "../../../model.ts";
import { exposes } from "./exposes.ts";
import { type Clause, clausesOf, hasWildcard, isLiteral, onlyWildcards, rowOf } from "./lint-clauses.ts";
import { issuersOf, type LintContext, prefixOf, webIdentity } from "./lint-grants.ts";

/** What the conditions of a policy can read at all: T04 to T07 and T12 of aws.md 13.2. */
export function keys(policy: Policy, { named = [] }: Pick<LintContext, "named">): readonly Remark[] {
  return policy.statements.flatMap((statement) => {
    const clauses = clausesOf(statement, policy);
    const literals = clauses.flatMap((clause) => literal(statement, clause));
    if (statement.effect !== "Allow" || !actionTruth(statement, webIdentity)) return literals;
    const prefixes = issuersOf(statement).map(prefixOf);
    if (prefixes.length === 0) return literals;
    return [
      ...literals,
      ...clauses.flatMap((clause) => unread(clause, prefixes, named)),
      ...clauses.flatMap((clause) => passes(clause, prefixes)),
      ...untagged(clauses, policy),
    ];
  });
}

/** T04. Of several values only those with a wildcard are dead; where all are, the statement is. */
function literal({ effect }: Statement, clause: Clause): readonly Remark[] {
  const dead = clause.patterns.filter(hasWildcard);
  if (!isLiteral(clause) || dead.length === 0) return [];
  const whole = clause.demands && dead.length === clause.patterns.length;
  const so = whole ? `this can never match, so the statement ${verb(effect)} nobody` : "that value never matches";
  const operator = clause.operator.replace(/Equals(?:IgnoreCase)?/, "Like");
  return [
    {
      code: "AWS-WILDCARD-LITERAL",
      severity: "error",
      says: `${clause.key} is compared with ${dead.join(", ")} to the letter, ${clause.operator} knows no wildcards: ${so}`,
      because: [rowOf(clause)],
      // A lone star as a pattern would let everybody in: that is not offered.
      fix: [
        "name the value in full",
        ...(dead.some(onlyWildcards) ? [] : [`or, if a pattern is meant, use ${operator}`]),
      ],
    },
  ];
}

const verb = (effect: string): string => (effect === "Allow" ? "admits" : "shuts out");

/**
 * T05 and T07. A key that differs in case alone is fine: key names know no case (aws.md 2.3), and a canonical policy
 * holds them in lower case.
 */
function unread(clause: Clause, prefixes: readonly string[], named: readonly string[]): readonly Remark[] {
  const { key, demands } = clause;
  if (prefixes.some((prefix) => exposes(prefix, key))) return [];
  const so = demands ? "so this never matches, and nobody passes" : "so this decides nothing";
  const because = [rowOf(clause)];
  const home = prefixes.find((prefix) => key.startsWith(`${prefix}:`));
  if (home || /^(?:aws|sts|iam):/.test(key)) {
    const claim = home ? key.slice(home.length + 1) : key;
    const whose = home ?? prefixes[0];
    const says = `aws gives the policy no ${claim} of a token of ${whose}, ${so}`;
    return [{ code: "AWS-KEY-NEVER-THERE", severity: "error", says, because, fix: carry(claim, whose) }];
  }
  const there = key.slice(0, key.lastIndexOf(":"));
  // The key is as the file has it, so it is the principal that is wrong.
  const right = named.find((name) => prefixOf(name) === there);
  const why = right === undefined ? mistake(key, prefixes[0] ?? "") : "the key is the file's, and the principal is not";
  const says = `${key} belongs to no issuer that this statement trusts (${prefixes.join(", ")}): ${why}, ${so}`;
  const fix =
    right === undefined
      ? `write ${prefixes[0]}:${key.slice(key.lastIndexOf(":") + 1)}`
      : `name ${right} as the principal, as crosstrust apply does`;
  return [{ code: "AWS-KEY-PREFIX", severity: "error", says, because, fix: [fix] }];
}

/** Google's tokens cannot carry the claim (aws.md 2.4). */
const carry = (claim: string, prefix: string | undefined): readonly string[] => {
  if (prefix === "accounts.google.com") return ["use sub, oaud, aud or email: google's tokens can carry no more"];
  const tag = claim.replace(/^.*[:/]/, "");
  return [
    `let the issuer put it into the claim https://aws.amazon.com/tags, and match aws:RequestTag/${tag} with sts:TagSession allowed`,
  ];
};

/** How a prefix came to be wrong: the usual ways. */
function mistake(key: string, prefix: string): string {
  const there = key.slice(0, key.lastIndexOf(":"));
  if (/^https?:\/\//.test(key)) return "the scheme is no part of a key";
  if (/^arn:/.test(key)) return "the ARN of the OIDC provider stands in the place of its URL without https://";
  if (`${there}/` === prefix) return "the OIDC provider's URL ends with a slash, and so must the key";
  if (there === `${prefix}/`) return "the OIDC provider's URL ends without a slash";
  if (prefix.startsWith(`${there}/`)) return "the path of the OIDC provider is missing";
  return "it is another issuer's";
}

/** T06: `...IfExists` and ForAllValues hold for a token without the claim (aws.md 2.3). */
function passes(clause: Clause, prefixes: readonly string[]): readonly Remark[] {
  const { key, operator, lenient } = clause;
  if (!lenient || !prefixes.some((prefix) => key.startsWith(`${prefix}:`))) return [];
  return [
    {
      code: "AWS-ABSENT-PASSES",
      severity: "security",
      says: `${operator} on ${key} holds for every token without the claim`,
      because: [rowOf(clause)],
      fix: ["use StringEquals or ForAnyValue:StringEquals", `or add Null ${key} "false" beside it`],
    },
  ];
}

const needs: readonly (readonly [key: RegExp, action: string, name: string])[] = [
  [/^(?:aws:requesttag\/|aws:tagkeys$|sts:transitivetagkeys$)/, "sts:tagsession", "sts:TagSession"],
  [/^sts:sourceidentity$/, "sts:setsourceidentity", "sts:SetSourceIdentity"],
];

/** T12: a token that brings tags is refused where the second action is not allowed (aws.md 2.4). */
function untagged(clauses: readonly Clause[], { statements }: Policy): readonly Remark[] {
  return needs.flatMap(([key, action, name]) => {
    const wanting = clauses.filter((clause) => key.test(clause.key));
    const allowed = statements.some((one) => one.effect === "Allow" && actionTruth(one, action));
    if (wanting.length === 0 || allowed) return [];
    const says = `a condition reads ${wanting[0]?.key}, and no statement allows ${name}: aws refuses the tokens that carry it`;
    const because = wanting.map(rowOf);
    return [
      { code: "AWS-TAGS-NOT-ALLOWED", severity: "warning", says, because, fix: [`add ${name} to Action`] } as const,
    ];
  });
}
