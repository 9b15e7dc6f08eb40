import { rolesClaimName } from "../../judge/aws/claims.ts";
import type { TokenRefusal, TokenRule } from "../../judge/aws/token.ts";
import type { Cause } from "./explain-issuer.ts";

/** What a person is told of a rule that a token breaks before any trust policy is read; the row shows claim and value. */
export function tokenCause(refusal: TokenRefusal, claims: Readonly<Record<string, unknown>>): Cause {
  return { ...causes[refusal.rule](refusal, claims), asks: "broken" };
}

type Told = (refusal: TokenRefusal, claims: Readonly<Record<string, unknown>>) => Cause;

const whatever = "aws refuses that whatever the trust says";
const issuerSide = "let the issuer change it: no trust policy can";

const causes: Readonly<Record<TokenRule, Told>> = {
  format: ({ row }) => ({
    code: "AWS-TOKEN-CLAIMS",
    says: `the token's header has ${row.key}: ${whatever}`,
    fix: [issuerSide],
  }),
  algorithm: ({ row }) => ({
    code: "TOKEN-ALGORITHM",
    says: `the token is signed with ${row.says}, and aws takes ${row.wants}: ${whatever}`,
    fix: ["let the issuer sign with RS256"],
  }),
  required: ({ row }) => ({
    code: "AWS-TOKEN-CLAIMS",
    says: `the token has no ${row.key}: ${whatever}`,
    fix: [`let the issuer put ${row.key} into it; aws needs iss, sub, aud, iat and exp`],
  }),
  subject: () => ({
    code: "AWS-TOKEN-CLAIMS",
    says: "the token's sub is null: aws fails on it with InternalFailure, whatever the trust says",
    fix: ["let the issuer put a subject into it"],
  }),
  timestamp: ({ row }) => ({
    code: "AWS-TOKEN-CLAIMS",
    says: `the token's ${row.key} is ${row.says}, which is no number of whole seconds: ${whatever}`,
    fix: ["let the issuer write it as seconds since 1970"],
  }),
  expired: () => ({
    code: "TOKEN-EXPIRED",
    says: "the token has expired: whatever the trust says, it is refused",
    fix: ["take a fresh one"],
  }),
  ahead: ({ row }) => ({
    code: "CLOCK-SKEW",
    says: `the token is issued at ${row.says}, more than five minutes from now: ${whatever}`,
    fix: ["set the clock of the issuer, and of this machine; then take a fresh token"],
  }),
  "not-yet": ({ row }) => ({
    code: "CLOCK-SKEW",
    says: `the token is valid from ${row.says} on, more than five minutes from now: ${whatever}`,
    fix: ["wait until then; or let the issuer set nbf to the time of issue"],
  }),
  audiences: (_, { aud }) => {
    const count = Array.isArray(aud) ? aud.length : 0;
    return {
      code: "AWS-TWO-AUDIENCES",
      says: `the token names ${count === 2 ? "two" : count} audiences and no azp: ${whatever}`,
      fix: ["let the issuer put one audience into it"],
    };
  },
  audience: ({ row }) => ({
    code: "AWS-TOKEN-CLAIMS",
    says: `the token's ${row.key} is empty: ${whatever}`,
    fix: ["ask the issuer for a token with an audience that the OIDC provider takes"],
  }),
  roles: ({ message, row }) => ({
    code: "AWS-ROLES-CLAIM",
    says: message.startsWith("The target role")
      ? `the token is for other roles than ${row.wants}: its claim ${rolesClaimName} does not name it, and aws refuses that whatever the trust says`
      : `the token's claim ${rolesClaimName} names no role that aws can read: ${whatever}`,
    fix: ["let the issuer name the role's exact ARN in it, or leave the claim out"],
  }),
  tags: ({ row }) => ({
    code: "AWS-TAGS-CLAIM",
    says: `the token's session tags are not as aws takes them (${row.wants}): ${whatever}`,
    fix: ["let the issuer write each tag as a list of one text below principal_tags"],
  }),
};

/** Numbers of seconds aside, which differ from call to call. */
const unnumbered = (text: string): string => text.replace(/\d+/g, "N");

/** Whether AWS's words are those of this refusal. */
export const saysSo = (refusal: TokenRefusal, message: string): boolean =>
  unnumbered(message).includes(unnumbered(refusal.message));
