import type { TokenRefusal, TokenRule } from "../../judge/google/token.ts";
import type { Finding } from "../../model.ts";

type Cause = Pick<Finding, "code" | "says" | "fix">;

const whatever = "google refuses that whatever the pool provider says";

/** What a person is told of a rule that a token breaks before mapping and condition; the row shows claim and value. */
export const tokenCause = (refusal: TokenRefusal): Cause => causes[refusal.rule](refusal);

const causes: Readonly<Record<TokenRule, (refusal: TokenRefusal) => Cause>> = {
  algorithm: ({ row }) => ({
    code: "TOKEN-ALGORITHM",
    says: `the token is signed with ${row.says}, and google takes ${row.wants}: ${whatever}`,
    fix: ["let the issuer sign with RS256"],
  }),
  kid: () => ({
    code: "GOOGLE-TOKEN-CLAIMS",
    says: `the token's header names no key: ${whatever}`,
    fix: ["let the issuer put the kid of its key into the header"],
  }),
  required: ({ row }) => ({
    code: "GOOGLE-TOKEN-CLAIMS",
    says:
      row.says === "(absent)"
        ? `the token has no ${row.key}: ${whatever}`
        : `the token's ${row.key} is ${row.says}, which is no number of seconds: ${whatever}`,
    fix: [`let the issuer put ${row.key} into it; google needs iss, sub, aud, iat and exp`],
  }),
  ahead: ({ row }) => ({
    code: "CLOCK-SKEW",
    says: `the token is issued at ${row.says}, which is ahead of now: ${whatever}`,
    fix: ["set the clock of the issuer, and of this machine; then take a fresh token"],
  }),
  "not-yet": ({ row }) => ({
    code: "CLOCK-SKEW",
    says: `the token is valid from ${row.says} on, which is ahead of now: ${whatever}`,
    fix: ["wait until then; or let the issuer set nbf to the time of issue"],
  }),
  expired: () => ({
    code: "TOKEN-EXPIRED",
    says: "the token has run out: whatever the pool provider says, it is refused",
    fix: ["take a fresh one"],
  }),
  life: ({ row }) => ({
    code: "GOOGLE-TOKEN-LIFE",
    says: `the token ends ${row.says}, and google takes less than 48 h: ${whatever}`,
    fix: ["let the issuer give tokens of an hour"],
  }),
};
