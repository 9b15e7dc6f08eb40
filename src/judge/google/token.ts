import type { Evidence } from "../../model.ts";

/** Which of Google's rules a token breaks. */
export type TokenRule = "algorithm" | "kid" | "required" | "ahead" | "not-yet" | "expired" | "life";

/** What Google refuses a token for before it looks at mapping and condition, with the words for it. */
export interface TokenRefusal {
  readonly rule: TokenRule;
  /** Those about a stale token are known of Google, all others are approximate (google.md 9.2). */
  readonly message: string;
  readonly row: Evidence;
}

type Fields = Readonly<Record<string, unknown>>;

/** A token as it was decoded. Of bare claims the header is not known. */
export interface DecodedToken {
  readonly header?: Fields;
  readonly claims: Fields;
}

/**
 * Seconds between `iat` and `exp` that are too many: longer than any managed identity's 86,700 s; Google publishes both
 * 24 h and 48 h (google.md 6.1, entra.md trap 6).
 */
const longestLife = 48 * 3600;

/** RS256 and ES256 alone (google.md 6.1). */
const algorithms = ["RS256", "ES256"];

/**
 * The first rule that a token breaks before its issuer, audience and mapping are looked at (google.md 6.1), or undefined.
 * Pure, and the one such function: the sandbox's STS, the proof and `explain` ask here. `now` is in epoch seconds. Whether
 * Google allows for skew of clocks is not known; here it does not.
 */
export function tokenRefusal({ header, claims }: DecodedToken, now: number): TokenRefusal | undefined {
  return headerRefusal(header) ?? claimsRefusal(claims, now);
}

/** An algorithm that Google does not take, and a header that names no key. Nothing is said of one that is not known. */
export function headerRefusal(header: DecodedToken["header"]): TokenRefusal | undefined {
  if (header === undefined) return undefined;
  const message = "Invalid JWT signature.";
  if (header.kid === undefined)
    return { rule: "kid", message, row: row("kid", { wants: "(present)", says: "(absent)", readFrom: "header" }) };
  if (algorithms.includes(String(header.alg))) return undefined;
  const says = header.alg === undefined ? "(absent)" : String(header.alg);
  return { rule: "algorithm", message, row: row("alg", { wants: algorithms.join(" or "), says, readFrom: "header" }) };
}

/** The claims that every token needs, and its times. */
export function claimsRefusal(claims: Fields, now: number): TokenRefusal | undefined {
  const { iat, nbf, exp } = claims;
  const missing = missingIn(claims);
  if (missing !== undefined || typeof iat !== "number" || typeof exp !== "number") {
    const key = missing ?? "exp";
    const says = claims[key] === undefined ? "(absent)" : String(claims[key]).slice(0, 300);
    const wants = key === "iat" || key === "exp" ? "a number of seconds" : "(present)";
    return {
      rule: "required",
      message: "The ID Token lacks one of the claims iat, exp, sub, aud.",
      row: row(key, { wants, says }),
    };
  }
  const at = `at most ${instant(now)}`;
  if (iat > now)
    return {
      rule: "ahead",
      message: "The ID Token was issued in the future.",
      row: row("iat", { wants: at, says: instant(iat) }),
    };
  if (typeof nbf === "number" && nbf > now)
    return {
      rule: "not-yet",
      message: "The ID Token is not valid yet.",
      row: row("nbf", { wants: at, says: instant(nbf) }),
    };
  if (exp <= now)
    return {
      rule: "expired",
      message: `ID Token issued at ${iat} is stale to sign-in.`,
      row: row("exp", { wants: `after ${instant(now)}`, says: instant(exp) }),
    };
  if (exp - iat < longestLife) return undefined;
  return {
    rule: "life",
    message: "The ID Token lives longer than 48 hours.",
    row: row("exp", { wants: "less than 48 h after iat", says: `${Math.floor((exp - iat) / 3600)} h after iat` }),
  };
}

/** The first claim that is not there, or is no time where one is wanted. */
function missingIn(claims: Fields): string | undefined {
  const absent = ["iss", "sub", "aud", "iat", "exp"].find((claim) => claims[claim] === undefined);
  return absent ?? ["iat", "exp"].find((claim) => typeof claims[claim] !== "number");
}

const row = (
  key: string,
  { wants, says, readFrom = key }: Pick<Evidence, "wants" | "says"> & { readFrom?: string },
): Evidence => ({
  key,
  wants,
  says,
  readFrom,
  ok: false,
});

/** A time for people; what is beyond the calendar stays a number. */
const instant = (seconds: number): string => {
  const at = new Date(seconds * 1000);
  return Number.isNaN(at.getTime()) ? String(seconds) : at.toISOString();
};
