import { createPublicKey, type JsonWebKey, verify } from "node:crypto";

/** What a token must be; nothing of this is taken from the token itself. */
export interface Strict {
  readonly issuer: string;
  /** The one audience; a token for several is refused. */
  readonly audience: string;
  /** Asked for only when everything that needs no key has been checked. */
  readonly keys: (kid: string) => Promise<readonly PublicKey[]>;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The platform in front has checked the signature and taken it away: a token without one is believed. */
  readonly checkedInFront?: boolean;
}

/** One of an issuer's keys, as its document has it (RFC 7517). */
export type PublicKey = JsonWebKey & { readonly kid?: string; readonly alg?: string; readonly use?: string };

/** Pinned, so that the token cannot choose how it is verified: what Google signs with, and all that is asked for here. */
const algorithm = "RS256";

/** What Cloud Run puts in the place of the signature that it has checked (its documentation, "signature removed"). */
const removed = "SIGNATURE_REMOVED_BY_GOOGLE";

/** Claims whose times, issuer, audience and subject were checked; the others may be anything. */
export type Claims = Readonly<Record<string, unknown>>;

/** Why a token was refused; holds nothing of the token but the distance between two clocks. */
export class TokenRefused extends Error {}

const refuse = (why: string): never => {
  throw new TokenRefused(why);
};

const maxBytes = 16 * 1024;
/** Seconds: leeway after the end, leeway before the beginning, longest life (cases 75 to 77). */
const limits = { expired: 30, future: 60, life: 86_400 } as const;

/**
 * A JWT in its strictest form, for tokens that decide something here. Refused before its signature is looked at: other
 * spellings of one signature, foreign headers, duplicate members, claims of the wrong kind, times that cannot be (fact
 * sheet reliability-and-security, 3c), which libraries let pass (trap 10).
 *
 * Gives the claims; throws `TokenRefused` for everything else. The signature is Node's own affair, and no library's: a
 * function would load one at its start to make this one call (docs/decisions/009-cold-start.md).
 */
export async function verifyStrict(text: string, ask: Strict): Promise<Claims> {
  if (text.length > maxBytes) refuse("it is longer than 16 KiB");
  const parts = text.split(".");
  if (parts.length !== 3 || !parts.every((part) => isCanonical(part) || part === removed))
    refuse("it is not three parts of canonical base64url");
  const header = parseObject(parts[0] ?? "");
  const claims = parseObject(parts[1] ?? "");
  checkHeader(header);
  checkClaims(claims, ask);
  if (ask.checkedInFront && parts[2] === removed) return claims;
  const keys = await ask.keys(String(header.kid));
  if (!keys.some((key) => key.kid === header.kid && isSigned(parts, key)))
    refuse("its signature does not verify under the issuer's keys");
  return claims;
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3): under an RSA key of 2048 bits or more that is for signing, and no other. */
function isSigned([header, payload, signature = ""]: readonly string[], key: PublicKey): boolean {
  if (key.kty !== "RSA" || (key.alg ?? algorithm) !== algorithm || (key.use ?? "sig") !== "sig") return false;
  try {
    const { kty, n, e } = key as Record<string, string>;
    const made = createPublicKey({ key: { kty, n, e } as JsonWebKey, format: "jwk" });
    if ((made.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return false;
    return verify("sha256", Buffer.from(`${header}.${payload}`), made, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/** No padding, no other alphabet, no stray bits in the last character: one token has one spelling. */
const isCanonical = (part: string): boolean =>
  part !== "" && /^[\w-]+$/.test(part) && Buffer.from(part, "base64url").toString("base64url") === part;

/** The text itself is looked at, because what `JSON.parse` gives no longer shows a duplicate. */
function parseObject(part: string): Record<string, unknown> {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(part, "base64url"));
  } catch {
    refuse("it is not UTF-8");
  }
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse("it is not a JSON object");
  if (hasDuplicates(text)) refuse("a member stands in it twice");
  if (/"(__proto__|constructor|prototype)"\s*:/.test(text)) refuse("it has a member that no token has");
  return value as Record<string, unknown>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse("it is not JSON");
  }
}

/** JSON.parse keeps the last of two equal keys; other verifiers keep the first. */
function hasDuplicates(text: string): boolean {
  const open: Set<string>[] = [];
  const tokens = text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g);
  for (const [token, colon] of tokens) {
    if (token === "{") open.push(new Set());
    else if (token === "}") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return true;
      keys?.add(key);
    }
  }
  return false;
}

/** Any other member is refused, also `jku` and `x5u`, which libraries let pass (cases 71, 72, 83). */
function checkHeader(header: Claims): void {
  const odd = Object.keys(header).find((name) => !["alg", "kid", "typ"].includes(name));
  if (odd !== undefined) refuse("its header has a member beside alg, kid and typ");
  if (header.alg !== algorithm) refuse("its algorithm is not the issuer's");
  if (typeof header.kid !== "string" || header.kid.length > 256) refuse("its header names no key");
  if (header.typ !== undefined && header.typ !== "JWT") refuse("it is not an ID token (typ)");
}

/** A list of audiences is refused even where it holds ours: the token serves others too (case 78). */
function checkClaims(claims: Claims, { issuer, audience, now }: Strict): void {
  const { iss, aud, sub } = claims;
  if (iss !== issuer) refuse("it comes from another issuer");
  if (aud !== audience) refuse("it is for another audience");
  if (typeof sub !== "string" || sub === "" || sub.length > 255 || /[\x00-\x1f\x7f]/.test(sub))
    refuse("its subject is no plain text");
  const seconds = Math.floor(now / 1000);
  const [iat, exp, nbf] = [
    time(claims, "iat"),
    time(claims, "exp"),
    claims.nbf === undefined ? 0 : time(claims, "nbf"),
  ];
  if (exp <= seconds - limits.expired) refuse(`it expired ${seconds - exp} s ago`);
  if (iat > seconds + limits.future || nbf > seconds + limits.future)
    refuse(`it begins ${Math.max(iat, nbf) - seconds} s from now: one of the clocks is wrong`);
  if (exp - iat > limits.life || exp < iat) refuse("it lives longer than a day");
}

/** A number as `1e400` or a text is no time, whatever it would compare to (case 77). */
function time(claims: Claims, name: string): number {
  const value = claims[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0
    ? value
    : refuse(`${name} is not a time`);
}
