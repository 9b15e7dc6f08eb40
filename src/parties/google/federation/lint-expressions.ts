import { reaches } from "../../../judge/google/admits.ts";
import {
  type Attributes,
  attributesOf,
  isUnmapped,
  longestSubject,
  type Unmapped,
} from "../../../judge/google/attributes.ts";
import { evaluate, isTrue, syntaxError } from "../../../judge/google/cel.ts";
import { claimsIn } from "../../../judge/google/expressions.ts";
import { completed } from "../../../judge/issuers/outsiders.ts";
import { awsCallers, issuerOf } from "../../../judge/issuers/table.ts";
import type { Finding, Identity, Link } from "../../../model.ts";
import { insideOf } from "../inside.ts";
import { type Target, targetOf } from "../shape.ts";
import { tailsOf } from "./binding-spec.ts";
import { mappingOf } from "./spec.ts";

/** What a rule says; whom it concerns is the same for all. `field` is below `to.google`, or `may`. */
export type Said = Pick<Finding, "code" | "severity" | "says" | "fix" | "of"> & { readonly field: string };

type Claims = Readonly<Record<string, unknown>>;

/** What a mapping and a condition come to, as far as the file knows the workload: google.md 6.1, 11.1. */
export function lintExpressions(link: Link, identity: Identity): readonly Said[] {
  const target = targetOf(link);
  const { mapping = {}, condition } = target;
  const wrong = Object.entries(mapping).flatMap(([key, text]) => broken(`mapping.${key}`, text));
  const own = condition === undefined ? [] : broken("condition", condition);
  if (wrong.length + own.length > 0) return [...wrong, ...own];
  const rules = condition === undefined ? [] : conditionRules(condition, link, identity);
  const others = [...mutable(mapping), ...mapped(target, identity), ...longest(target, identity)];
  // Last: an expression that the rules before have found over budget is over budget here.
  return [...rules, ...others, ...overBudget(target, identity)];
}

/** Expressions that crosstrust cannot judge: what it says of the link would be `unknown` in each check. */
function overBudget({ mapping = {}, condition }: Target, identity: Identity): readonly Said[] {
  const texts = Object.entries(mapping).map(([key, text]) => ({ field: `mapping.${key}`, text }));
  if (condition !== undefined) texts.push({ field: "condition", text: condition });
  const example = identity.proof === "aws4_request" ? { ...identity.example } : {};
  return texts.flatMap(({ field, text }): readonly Said[] => {
    const outcomes = [...declared(identity), example].map((assertion) => evaluate(text, { assertion }));
    const over = outcomes.find((outcome) => outcome.state === "undecided" && outcome.overBudget);
    if (over?.state !== "undecided") return [];
    const says = `crosstrust cannot evaluate this expression, so the verdict of the link is unknown: ${over.why}`;
    const fix = ["write it with fewer nested macros, shorter lists or a simpler pattern"];
    return [{ code: "GOOGLE-EXPRESSION-BUDGET", severity: "warning", field, says, fix }];
  });
}

function broken(field: string, text: string): readonly Said[] {
  const why = syntaxError(text);
  const says = `this is no expression that google takes: ${why}`;
  return why ? [{ code: "GOOGLE-EXPRESSION", severity: "error", field, says, fix: [] }] : [];
}

/** A condition of one's own: it must come to true for the link's workload, and not for whoever comes. */
function conditionRules(condition: string, link: Link, identity: Identity): readonly Said[] {
  const target = targetOf(link);
  const base = { severity: "error", field: "condition" } as const;
  const mapping = mappingOf(target, identity);
  const lacking = [...condition.matchAll(/\battribute\.\w+/g)]
    .map(([key]) => key)
    .find((key) => mapping[key] === undefined && !condition.includes(`has(${key})`));
  if (lacking !== undefined) {
    const says = `the condition asks for ${lacking}, and the mapping makes no such thing`;
    return [{ ...base, code: "GOOGLE-MAPPING-MISFIT", says, fix: [`map it: mapping: { ${lacking}: .. }`] }];
  }
  if (isNoQuestion(condition, identity)) {
    const says = "a condition comes to true or false; google refuses a token for which it comes to anything else";
    return [{ ...base, code: "GOOGLE-EXPRESSION", says, fix: ["compare it with something: .. == '..'"] }];
  }
  const turned = shut(condition, identity);
  return turned.length > 0 ? turned : grantedToAll(condition, link, identity);
}

/**
 * A condition on what all tokens of an own issuer have narrows nothing, so the grant has to: here it does not. What a
 * condition lets into the pool at all is judged once for each pool provider (review.ts).
 */
export function grantedToAll(condition: string, link: Link, identity: Identity): readonly Said[] {
  const target = targetOf(link);
  if (target.grant === "pool") return [];
  const trust = {
    type: identity.proof === "oidc" ? ("oidc" as const) : ("aws" as const),
    source: identity.proof === "oidc" ? sourceOf(identity) : identity.account,
    audiences: identity.proof === "oidc" ? (target.audiences ?? [link.audience]) : [],
    name: undefined,
    mapping: mappingOf(target, identity),
    condition,
  };
  if (trust.type === "oidc" && issuerOf(trust.source).tenancy === "shared") return [];
  const pinned = identity.proof === "aws4_request" && "instance" in identity.who ? ["session"] : undefined;
  const tails = tailsOf(target, identity);
  const outsider = reaches(trust, tails, insideOf(identity), pinned).find(({ who }) => who === "outsider");
  if (!outsider) return [];
  const example = String(outsider.claims.arn ?? outsider.claims.sub);
  const account = link.from.spec.account;
  const whose = typeof account === "string" ? `the AWS account ${account}` : trust.source;
  return [
    {
      code: "GOOGLE-CONDITION-BROAD",
      severity: "security",
      field: "condition",
      says: `this condition is true of every identity of ${whose}, and so is what is granted to (${tails.join(", ")}): ${example} gets it, too`,
      fix: [
        "leave the condition out: then the workload of the link is pinned",
        "or grant to what tells it from others",
      ],
      of: condition.trim(),
    },
  ];
}

/** An issuer that only the cloud knows is AWS's own for the account: nothing else issues under a reference. */
const sourceOf = ({ issuer, claims }: Identity & { proof: "oidc" }): string =>
  typeof issuer === "string"
    ? issuer
    : String(claims.sub).startsWith("arn:")
      ? "https://unknown.tokens.sts.global.api.aws"
      : "";

/** A condition that is no question, whatever kind of value a claim has: Google takes true and nothing else. */
function isNoQuestion(condition: string, identity: Identity): boolean {
  const asked = claimsIn(condition);
  const [inside = {}] = insideOf(identity);
  const iss = identity.proof === "oidc" ? sourceOf(identity) : "";
  const whole = completed(identity.proof === "oidc" ? issuerOf(iss) : awsCallers, iss, inside).guessed;
  const others = asked.filter((claim) => !["sub", "iss", "aud"].includes(claim));
  const tried = [
    { ...Object.fromEntries(asked.map((claim) => [claim, "x"])), ...whole },
    { ...whole, ...Object.fromEntries(others.map((claim) => [claim, true])) },
  ];
  const outcomes = tried.map((assertion) =>
    evaluate(condition, { assertion, google: { subject: "x", groups: [] }, attribute: {} }),
  );
  const values = outcomes.filter((one) => one.state === "value");
  return values.length > 0 && values.every(({ value }) => typeof value !== "boolean");
}

/** The link's own workload turned away, where all that the condition reads is known of it. */
function shut(condition: string, identity: Identity): readonly Said[] {
  const refused = declared(identity).some((assertion) => {
    if (/\b(?:google|attribute)\./.test(condition)) return false;
    if (claimsIn(condition).some((claim) => typeof assertion[claim] !== "string")) return false;
    const outcome = evaluate(condition, { assertion });
    return outcome.state !== "undecided" && !isTrue(outcome);
  });
  if (!refused) return [];
  const says = `this condition turns the link's own workload away: of what it reads the file says otherwise`;
  const fix = ["leave it out: then the workload of the link is pinned"];
  return [{ code: "GOOGLE-CONDITION-FALSE", severity: "error", field: "condition", says, fix }];
}

/** What the file says of a token, once for each subject; an audience may come as a list, too. Of a session of a role too little is known to judge by. */
export function declared(identity: Identity): readonly Claims[] {
  if (identity.proof === "aws4_request") return "arn" in identity.who ? [{ ...identity.example }] : [];
  const { claims, issuer: iss } = identity;
  const { aud: _, ...known } = claims;
  const subs = [claims.sub ?? []].flat().filter((sub) => typeof sub === "string");
  return subs.map((sub) => ({ ...known, iss, sub }));
}

/** Who has it today need not have it tomorrow (issue; entra.md 5.3). */
export const reassignable =
  /assertion\.(email|preferred_username|upn|unique_name|name|username|login|nickname|user_login|user_email)\b/;

function mutable(mapping: Readonly<Record<string, string>>): readonly Said[] {
  const claim = reassignable.exec(mapping["google.subject"] ?? "")?.[1];
  if (claim === undefined) return [];
  const says = `google.subject is made of ${claim}, which can be given to somebody else, who would then be taken for the first`;
  const fix = ["google.subject: assertion.sub, or another claim that is never given twice"];
  return [{ code: "GOOGLE-MUTABLE-SUBJECT", severity: "security", field: "mapping", says, fix }];
}

/** What the mapping makes of the declared workload, where it makes nothing of it: such a link can never work. */
function mapped(target: Target, identity: Identity): readonly Said[] {
  const mapping = mappingOf(target, identity);
  for (const assertion of declared(identity)) {
    const made = attributesOf(assertion, mapping);
    const failed = failuresOf(made).find(
      // What another claim of the token would bring is not known here.
      ({ key, size }) => size || claimsIn(mapping[key] ?? "").every((claim) => assertion[claim] !== undefined),
    );
    if (!failed) continue;
    const code = failed.size ? "GOOGLE-SUBJECT-SIZE" : "GOOGLE-MAPPING-FAILS";
    const says = `${failed.key} of this workload: ${failed.why}`;
    const fix = ["mapping: { google.subject: .. } that comes to a shorter text"];
    return [{ code, severity: "error", field: target.mapping ? "mapping" : "poolProvider", says, fix }];
  }
  return [];
}

/** The entries of a mapping that come to nothing: the one that Google refuses for, or those that it may leave out. */
function failuresOf(made: Attributes | Unmapped) {
  if (isUnmapped(made)) return made.state === "undecided" ? [] : [{ ...made, size: made.state === "size" }];
  return Object.entries(made.undecided ?? {}).map(([key, why]) => ({ key, why, size: false }));
}

/** The longest name that a caller may give a session, and the longest subject of a token (aws.md 11.2, 6.1). */
const longestSession = 64;
const longestSub = 255;

/** In the worst case: whoever assumes the role names the session (google.md, trap 21), and who fits a pattern, himself. */
function longest(target: Target, identity: Identity): readonly Said[] {
  const base = { code: "GOOGLE-SUBJECT-SIZE", severity: "warning", field: "poolProvider" } as const;
  const mapping = mappingOf(target, identity);
  if (identity.proof === "oidc") {
    if (!identity.like?.some((like) => like.includes("*")) || mapping["google.subject"] !== "assertion.sub") return [];
    const says = `google.subject takes ${longestSubject} bytes, and a subject that matches may have ${longestSub}: a longer one is refused`;
    return [{ ...base, says, fix: ["mapping: { google.subject: .. } with a part of it that tells them apart"] }];
  }
  if (!("role" in identity.who)) return [];
  const root = identity.example.arn.replace(/[^/]+$/, "");
  const arn = root + "s".repeat(longestSession);
  const made = attributesOf({ ...identity.example, arn }, mapping);
  if (!isUnmapped(made) || made.state !== "size") return [];
  const left = Math.max(longestSubject - root.length, 0);
  const short = mapping["google.subject"] === "assertion.arn";
  const says = short
    ? `google.subject takes ${longestSubject} bytes, and of ${root} a session's name has ${left} left: a longer one is refused`
    : `with the longest name that a session may have, ${made.key}: ${made.why}`;
  const fix = ["keep the session's name short; one of EC2 has 19 characters", "or map less of it"];
  return [{ ...base, says, fix }];
}
