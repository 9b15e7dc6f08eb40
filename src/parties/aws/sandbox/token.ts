import { createPublicKey, verify } from "node:crypto";
import type { JWK } from "jose";
import { sessionClaims } from "../../../judge/aws/claims.ts";
import { isMap } from "../../../judge/aws/policy.ts";
import type { Host } from "../../../sandbox/fake.ts";
import { noKey, pickKey, refused, trustedIssuer } from "./issuer-keys.ts";
import { AwsError } from "./query.ts";

// The texts are the recorded ones, letter by letter (aws.md 5.2).
const notJwt = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";
const generic =
  "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.";
/** On iat, nbf and exp, in both directions (aws.md 5.3). */
const skewSeconds = 300;

type Fields = Readonly<Record<string, unknown>>;

/** A token, and the role that it is for. */
export interface Presented {
  readonly token: string;
  readonly account: string;
  readonly partition: string;
  readonly roleArn: string;
}

/**
 * A web identity token as AWS was recorded to judge it (aws.md 5.2, 5.3): signature under the issuer's served
 * keys, required claims, five minutes of skew, one audience or an authorized party that the OIDC provider knows. The
 * order of the checks is ours: none is recorded.
 */
export async function verifyToken(presented: Presented, host: Host): Promise<Fields> {
  const { header, claims, input, signature } = split(presented.token);
  for (const claim of ["iss", "sub", "aud", "iat", "exp"]) {
    if (claims[claim] === undefined) throw refused(`Missing a required claim: ${claim}`);
  }
  if (claims.sub === null) throw new AwsError("InternalFailure", 500, "Unknown error validating third-party token");
  const trust = trustedIssuer(String(claims.iss), presented, host);
  const key = pickKey(await trust.keys(), header);
  if (!key) throw refused(noKey);
  if (!signed(String(header.alg), key, { input, signature })) throw refused(generic);
  checkTimes(claims, Math.floor(host.now() / 1000));
  checkAudience(claims);
  const audience = claims.azp ?? (Array.isArray(claims.aud) ? claims.aud[0] : claims.aud);
  if (trust.clientIds && !trust.clientIds.includes(String(audience))) throw refused(generic);
  checkRoles(claims, presented.roleArn);
  checkTags(claims);
  return claims;
}

/** The claim that names the roles it is for binds even where no policy asks (aws.md 2.4). */
function checkRoles(claims: Fields, roleArn: string): void {
  const { roles } = sessionClaims(claims);
  if (roles && !roles.includes(roleArn))
    throw refused("The target role ARN is not present in the roles claim of the identity token");
}

/** Nested tags hold lists of one; a flat tag is a text (recorded, aws.md 2.4). The text of the limits is approximate. */
function checkTags(claims: Fields): void {
  const nested = claims["https://aws.amazon.com/tags"];
  const inside = isMap(nested) && isMap(nested.principal_tags) ? Object.values(nested.principal_tags) : [];
  const wrong = inside.some((value) => !Array.isArray(value) || value.length !== 1 || typeof value[0] !== "string");
  if (wrong) throw refused("principal_tags passed in claim is not in correct format.");
  const tags = Object.entries(sessionClaims(claims).tags);
  if (tags.length > 50 || tags.some(([key, [value]]) => key.length > 128 || String(value).length > 256))
    throw refused("principal_tags passed in claim is not in correct format.");
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
  // The alphabet is looked at first, because the decoder skips what does not belong to it.
  const [header, claims] = /^[\w.-]+$/.test(text) ? [decode(head), decode(payload)] : [];
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

/** RS and ES with 256, 384 and 512; nothing else is accepted (aws.md 5.3). An ES algorithm has one curve (RFC 7518, 3.4). */
const algorithms: Readonly<Record<string, { readonly hash: string; readonly kind: string }>> = {
  RS256: { hash: "sha256", kind: "RSA" },
  RS384: { hash: "sha384", kind: "RSA" },
  RS512: { hash: "sha512", kind: "RSA" },
  ES256: { hash: "sha256", kind: "P-256" },
  ES384: { hash: "sha384", kind: "P-384" },
  ES512: { hash: "sha512", kind: "P-521" },
};

function signed(alg: string, jwk: JWK, { input, signature }: { input: string; signature: string }): boolean {
  const { hash, kind } = Object.hasOwn(algorithms, alg) ? (algorithms[alg] ?? {}) : {};
  if (!hash || kind !== (jwk.kty === "EC" ? jwk.crv : jwk.kty)) return false;
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
  if (Array.isArray(audience) && audience.length > 1 && (claims.azp ?? undefined) === undefined) {
    throw refused("Token audience contains more than one audience while authorized party is not present");
  }
  if (audience === "" || claims.azp === "") throw refused(generic);
}
