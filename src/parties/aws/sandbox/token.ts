import { createPublicKey, verify } from "node:crypto";
import type { JWK } from "jose";
import type { Host } from "../../../sandbox/fake.ts";
import { isMap } from "../trust/policy.ts";
import { AwsError } from "./query.ts";

// The texts are the recorded ones, letter by letter, the two blanks in `noKey` included (aws.md 5.2).
const refused = (message: string): AwsError => new AwsError("InvalidIdentityToken", 400, message);
const notJwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
const generic =
  "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";
const noKey =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
/** On iat, nbf and exp, in both directions (aws.md 5.3). */
const skewSeconds = 300;

type Fields = Readonly<Record<string, unknown>>;

/**
 * A web identity token as AWS was recorded to judge it (aws.md 5.2, 5.3): signature under the issuer's served
 * keys, required claims, five minutes of skew, one audience or an authorized party. The order of the checks
 * is ours: none is recorded.
 */
export function verifyToken(text: string, host: Host): Fields {
  const { header, claims, input, signature } = split(text);
  for (const claim of ["iss", "sub", "aud", "iat", "exp"]) {
    if (claims[claim] === undefined) throw refused(`Missing a required claim: ${claim}`);
  }
  if (claims.sub === null) throw new AwsError("InternalFailure", 500, "Unknown error validating third-party token");
  // Google's identity is built in; any other issuer that is hosted here counts as having its OIDC provider.
  const keys = host.issuers.keys(String(claims.iss));
  if (!keys) throw refused(`No OpenIDConnect provider found in your account for ${claims.iss}`);
  // A token without kid is read under the only key; of two keys with one kid the later counts (aws.md 6.3).
  const only = header.kid === undefined && keys.length === 1 ? keys[0] : undefined;
  const key = keys.findLast((candidate) => candidate.kid === header.kid) ?? only;
  if (!key) throw refused(noKey);
  if (!signed(String(header.alg), key, { input, signature })) throw refused(generic);
  checkTimes(claims, Math.floor(host.now() / 1000));
  checkAudience(claims);
  return claims;
}

/** `input` is the text that was signed: header and payload as they were sent. */
interface Parts {
  readonly header: Fields;
  readonly claims: Fields;
  readonly input: string;
  readonly signature: string;
}

/** An opaque access token, and a header with `crit`, get the same answer as what is no JWT (aws.md 5.2). */
function split(text: string): Parts {
  const [head = "", payload = "", signature = "", ...more] = text.split(".");
  const [header, claims] = [decode(head), decode(payload)];
  if (!header || !claims || more.length > 0 || text.split(".").length < 3 || header.crit !== undefined)
    throw refused(notJwt);
  return { header, claims, input: `${head}.${payload}`, signature };
}

/** Undefined for what is no JSON object, whatever is wrong with it. */
function decode(part: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isMap(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const hashes: Readonly<Record<string, string>> = {
  RS256: "sha256",
  RS384: "sha384",
  RS512: "sha512",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
};

/** RS and ES with 256, 384 and 512; nothing else is accepted (aws.md 5.3). */
function signed(alg: string, jwk: JWK, { input, signature }: { input: string; signature: string }): boolean {
  const hash = hashes[alg];
  if (!hash || (jwk.kty === "RSA") !== alg.startsWith("RS")) return false;
  const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
  return verify(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

/** Whole seconds, or digits as text. In `Token expired` AWS prints its clock less the skew (aws.md 5.2). */
function checkTimes(claims: Fields, now: number): void {
  const seconds = (claim: string): number | undefined => {
    const value = claims[claim];
    if (value === undefined) return undefined;
    const whole =
      typeof value === "number" ? Number.isInteger(value) : typeof value === "string" && /^\d+$/.test(value);
    if (!whole) throw refused("Invalid timestamp in token claims.");
    return Number(value);
  };
  const [iat = 0, exp = 0, nbf] = [seconds("iat"), seconds("exp"), seconds("nbf")];
  if (now - skewSeconds >= exp) {
    const says = `Token expired: current date/time ${now - skewSeconds} must be before the expiration date/time ${exp}`;
    throw new AwsError("ExpiredTokenException", 400, says);
  }
  if (iat > now + skewSeconds) throw refused(`Token issued in the future: ${iat}`);
  if (nbf !== undefined && nbf > now + skewSeconds) {
    throw refused(
      `Token not yet valid: current date/time ${now + skewSeconds} must be after or equal to the not-before date/time ${nbf}`,
    );
  }
}

/** One audience, or an authorized party; which of them counts is for the trust policy (aws.md 5.2). */
function checkAudience(claims: Fields): void {
  const audience = claims.aud;
  if (Array.isArray(audience) && audience.length === 0) throw refused("Claim is not allowed to be empty: aud");
  if (Array.isArray(audience) && audience.length > 1 && claims.azp === undefined) {
    throw refused("Token audience contains more than one audience while authorized party is not present");
  }
  if (audience === "" || claims.azp === "") throw refused(generic);
}
