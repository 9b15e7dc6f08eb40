import { admitsAnybody, claimsIn, type Held, isNoQuestion } from "../../../judge/google/anybody.ts";
import { attributesOf, isUnmapped, longestSubject } from "../../../judge/google/attributes.ts";
import { evaluate, isTrue, syntaxError } from "../../../judge/google/cel.ts";
import type { Finding, Identity, Link } from "../../../model.ts";
import { type Target, targetOf } from "../shape.ts";
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
  return [...rules, ...mutable(mapping), ...mapped(target, identity), ...longest(target, identity)];
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
  const held = heldOf(condition, link, identity);
  if (isNoQuestion(held)) {
    const says = "a condition comes to true or false; google refuses a token for which it comes to anything else";
    return [{ ...base, code: "GOOGLE-EXPRESSION", says, fix: ["compare it with something: .. == '..'"] }];
  }
  if (!admitsAnybody(held)) return shut(condition, identity);
  const fix = [
    "leave it out: then the workload of the link is pinned",
    "or test a claim that tells your own from others",
  ];
  const broad = { code: "GOOGLE-CONDITION-BROAD", of: condition } as const;
  // That it is this account at all, the pool provider says already; a condition that says it again is no slip.
  if (held.type === "aws" && !admitsAnybody({ ...held, source: "000000000000" })) {
    const says = `this condition is true of every caller of the account ${held.source}`;
    return [{ ...base, ...broad, severity: "security", says, fix }];
  }
  const says = "this condition is true of everybody whom the issuer vouches for";
  return [{ ...base, ...broad, says, fix }];
}

function heldOf(condition: string, link: Link, identity: Identity): Held {
  const mapping = mappingOf(targetOf(link), identity);
  if (identity.proof === "aws4_request") {
    return { condition, mapping, type: "aws", source: identity.account, audiences: [] };
  }
  const audiences = targetOf(link).audiences ?? [link.audience];
  return { condition, mapping, type: "oidc", source: String(identity.issuer), audiences };
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
const reassignable = /assertion\.(email|preferred_username|upn|unique_name|name|username|login|nickname)\b/;

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
    if (!isUnmapped(made) || made.state === "undecided") continue;
    const size = made.state === "size";
    // What another claim of the token would bring is not known here.
    if (!size && claimsIn(mapping[made.key] ?? "").some((claim) => assertion[claim] === undefined)) continue;
    const code = size ? "GOOGLE-SUBJECT-SIZE" : "GOOGLE-MAPPING-FAILS";
    const says = `${made.key} of this workload: ${made.why}`;
    const fix = ["mapping: { google.subject: .. } that comes to a shorter text"];
    return [{ code, severity: "error", field: target.mapping ? "mapping" : "poolProvider", says, fix }];
  }
  return [];
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
