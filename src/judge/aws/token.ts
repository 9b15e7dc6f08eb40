import type { Evidence } from "../../model.ts";
import { type Claims, readKey, rolesClaim, rolesClaimName, sessionClaims } from "./claims.ts";
import { isMap } from "./policy.ts";

/** Which of AWS's rules a token breaks. */
export type TokenRule =
  | "format"
  | "algorithm"
  | "required"
  | "subject"
  | "timestamp"
  | "expired"
  | "ahead"
  | "not-yet"
  | "audiences"
  | "audience"
  | "roles"
  | "tags";

/** What AWS answers to a token before it reads a trust policy, and the claim that it answers for. */
export interface TokenRefusal {
  readonly rule: TokenRule;
  /** The error's code on the wire, its status and its recorded text (aws.md 5.2). */
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly row: Evidence;
}

/** What a token is held against; a rule whose premise is missing says nothing. */
export interface TokenAsk {
  /** Epoch seconds, by AWS's clock. */
  readonly now?: number;
  /** The role that is asked for, which a roles claim has to name. */
  readonly roleArn?: string;
}

/** A token as it was decoded. Of bare claims the header is not known. */
export interface DecodedToken {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
}

// The texts are the recorded ones, letter by letter (aws.md 5.2).
export const notJwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
/** The text of a dozen causes: a wrong signature, an unknown client, an unusable key. */
export const notValidated =
  "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";
const severalAudiences = "Token audience contains more than one audience while authorized party is not present";

/** Seconds, on iat, nbf and exp, in both directions (aws.md 5.3). */
export const tokenSkew = 300;

/** RS and ES with 256, 384 and 512; AWS accepts nothing else (aws.md 5.3). */
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"];

/**
 * The first rule that a token breaks before any trust policy is read (aws.md 5.2, 5.3), or undefined. Pure, and the one
 * such function: the sandbox's STS, the proof, `explain` and lint ask here. Whether the signature holds and whether the
 * OIDC provider takes the audience are not questions of it. The order of the rules is ours: none is recorded.
 */
export function tokenRefusal(token: DecodedToken, ask: TokenAsk): TokenRefusal | undefined {
  return headerRefusal(token.header) ?? requiredRefusal(token.claims) ?? claimsRefusal(token.claims, ask);
}

/** `crit`, and an algorithm that AWS does not take. Nothing is said of a header that is not known. */
export function headerRefusal(header: DecodedToken["header"]): TokenRefusal | undefined {
  if (header === undefined) return undefined;
  if (header.crit !== undefined) return invalid("format", notJwt, headerRow("crit", "(absent)", header.crit));
  if (algorithms.includes(String(header.alg))) return undefined;
  return invalid("algorithm", notValidated, headerRow("alg", algorithms.join(" or "), header.alg));
}

/** The claims that every token must have. A `sub` of null is a failure of AWS's own (recorded). */
export function requiredRefusal(claims: Claims): TokenRefusal | undefined {
  const missing = ["iss", "sub", "aud", "iat", "exp"].find((claim) => claims[claim] === undefined);
  if (missing !== undefined)
    return invalid("required", `Missing a required claim: ${missing}`, row(missing, "(present)", undefined));
  if (claims.sub !== null) return undefined;
  return {
    rule: "subject",
    code: "InternalFailure",
    status: 500,
    message: "Unknown error validating third-party token",
    row: row("sub", "a text or a number", null),
  };
}

/** The rules about claims that are there; also of claims that somebody declared, which need not be all of a token's. */
export function claimsRefusal(claims: Claims, { now, roleArn }: TokenAsk): TokenRefusal | undefined {
  return timesRefusal(claims, now) ?? audienceRefusal(claims) ?? rolesRefusal(claims, roleArn) ?? tagsRefusal(claims);
}

/** Whole seconds, or digits as text. In `Token expired` AWS prints its clock less the skew (aws.md 5.2). */
function timesRefusal(claims: Claims, now: number | undefined): TokenRefusal | undefined {
  const times = ["iat", "exp", "nbf"].filter((claim) => claims[claim] !== undefined);
  const broken = times.find((claim) => !isWhole(claims[claim]));
  if (broken !== undefined)
    return invalid("timestamp", "Invalid timestamp in token claims.", row(broken, "whole seconds", claims[broken]));
  if (now === undefined) return undefined;
  const [iat, exp, nbf] = ["iat", "exp", "nbf"].map((claim) =>
    claims[claim] === undefined ? undefined : Number(claims[claim]),
  );
  if (exp !== undefined && now - tokenSkew >= exp) {
    const message = `Token expired: current date/time ${now - tokenSkew} must be before the expiration date/time ${exp}`;
    const ends = timeRow("exp", `after ${instant(now - tokenSkew)}`, exp);
    return { ...invalid("expired", message, ends), code: "ExpiredTokenException" };
  }
  const latest = `at most ${instant(now + tokenSkew)}`;
  if (iat !== undefined && iat > now + tokenSkew)
    return invalid("ahead", `Token issued in the future: ${iat}`, timeRow("iat", latest, iat));
  if (nbf === undefined || nbf <= now + tokenSkew) return undefined;
  const message = `Token not yet valid: current date/time ${now + tokenSkew} must be after or equal to the not-before date/time ${nbf}`;
  return invalid("not-yet", message, timeRow("nbf", latest, nbf));
}

const isWhole = (value: unknown): boolean =>
  typeof value === "number" ? Number.isInteger(value) : typeof value === "string" && /^\d+$/.test(value);

/** One audience, or an authorized party; which of them counts is for the trust policy (aws.md 5.2). */
function audienceRefusal({ aud, azp }: Claims): TokenRefusal | undefined {
  const authorized = azp !== undefined && azp !== null;
  if (Array.isArray(aud) && aud.length === 0)
    return invalid("audience", "Claim is not allowed to be empty: aud", row("aud", "one audience", aud));
  if (Array.isArray(aud) && aud.length > 1 && !authorized)
    return invalid("audiences", severalAudiences, row("aud", "one audience, or an azp beside them", aud));
  const empty = azp === "" ? "azp" : aud === "" ? "aud" : undefined;
  return empty === undefined ? undefined : invalid("audience", notValidated, row(empty, "not empty", ""));
}

/** The claim that names the roles it is for binds even where no policy asks (recorded, aws.md 2.4). */
function rolesRefusal(claims: Claims, roleArn: string | undefined): TokenRefusal | undefined {
  const roles = rolesClaim(claims);
  if (roles === undefined) return undefined;
  const told = (message: string) =>
    invalid("roles", message, row(rolesClaimName, roleArn ?? "ARNs of roles", claims[rolesClaimName]));
  if (roles === "unsupported") return told("The roles claim is not in a supported format");
  if (roles.length === 0) return told("The roles claim contains no valid role ARNs");
  if (roleArn === undefined || roles.includes(roleArn)) return undefined;
  return told("The target role ARN is not present in the roles claim of the identity token");
}

const mostTags = 50;

/** Nested tags hold lists of one (recorded, aws.md 2.4). That the limits have this text is taken from there. */
function tagsRefusal(claims: Claims): TokenRefusal | undefined {
  const name = "https://aws.amazon.com/tags";
  const told = (wants: string, says: unknown) =>
    invalid("tags", "principal_tags passed in claim is not in correct format.", row(name, wants, says));
  const nested = claims[name];
  const inside = isMap(nested) && isMap(nested.principal_tags) ? Object.values(nested.principal_tags) : [];
  const unfit = inside.find((value) => !Array.isArray(value) || value.length !== 1 || typeof value[0] !== "string");
  if (unfit !== undefined) return told("a list of one text for each tag", unfit);
  const tags = Object.entries(sessionClaims(claims).tags);
  if (tags.length > mostTags) return told(`${mostTags} tags at most`, `${tags.length} tags`);
  const long = tags.find(([key, [value]]) => key.length > 128 || String(value).length > 256);
  return long && told("keys of 128 and values of 256 characters at most", long[0]);
}

/** The audience that AWS reads: `azp` where there is one, else the only `aud` (aws.md 2.1). */
export function audienceOf(claims: Claims): string {
  const reading = readKey(`${String(claims.iss).replace("https://", "")}:aud`, claims);
  return reading.state === "present" ? (reading.values[0] ?? "") : "";
}

const invalid = (rule: TokenRule, message: string, evidence: Evidence): TokenRefusal => ({
  rule,
  code: "InvalidIdentityToken",
  status: 400,
  message,
  row: evidence,
});

const row = (key: string, wants: string, value: unknown): Evidence => ({
  key,
  wants,
  says: said(value),
  readFrom: key,
  ok: false,
});

const headerRow = (key: string, wants: string, value: unknown): Evidence => ({
  ...row(key, wants, value),
  readFrom: "header",
});

const timeRow = (key: string, wants: string, seconds: number): Evidence => ({
  ...row(key, wants, undefined),
  says: instant(seconds),
});

const said = (value: unknown): string => {
  if (value === undefined) return "(absent)";
  const text = Array.isArray(value)
    ? value.map(String).join(", ") || "(nothing)"
    : String(isMap(value) ? "{..}" : value);
  return text.slice(0, 300) || "(empty)";
};

/** A time for people; what is beyond the calendar stays a number. */
const instant = (seconds: number): string => {
  const at = new Date(seconds * 1000);
  return Number.isNaN(at.getTime()) ? String(seconds) : at.toISOString();
};
