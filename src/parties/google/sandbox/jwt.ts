import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { JWK } from "jose";
import { isSameIssuer } from "../../../judge/google/judge.ts";
import { claimsRefusal, headerRefusal, type TokenRefusal } from "../../../judge/google/token.ts";
import type { Host } from "../../../sandbox/fake.ts";
import { grantRefused } from "./sts-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The issuer of a pool provider, and the keys that were stored there instead of its own. */
interface Issuer {
  readonly issuerUri: string;
  readonly jwksJson?: string;
}

const unreachable = "Error connecting to the given credential's issuer.";

/**
 * The claims of a token whose signature holds under the issuer's own keys, fetched over TLS as Google would, and the seconds
 * that it has left. Audience and subject are for the judge.
 */
export async function claimsFrom(token: string, issuer: Issuer, host: Host): Promise<{ claims: Fields; life: number }> {
  const [head = "", payload = "", signature = "", ...more] = token.split(".");
  const [header, claims] = [decode(head), decode(payload)];
  if (!header || !claims || more.length > 0 || signature === "") throw grantRefused("Invalid JWT.");
  const iss = String(claims.iss);
  if (!isSameIssuer(iss, issuer.issuerUri))
    throw grantRefused(`The issuer in ID Token ${iss} does not match the expected ones: ${issuer.issuerUri}`);
  const keys = issuer.jwksJson ? keysIn(issuer.jwksJson) : await fetchKeys(issuer.issuerUri, host);
  hold(headerRefusal(header));
  const key = keys.find(({ kid }) => kid !== undefined && kid === header.kid);
  if (!key || !signed(String(header.alg), key, { input: `${head}.${payload}`, signature }))
    throw grantRefused("Invalid JWT signature.");
  const now = Math.floor(host.now() / 1000);
  hold(claimsRefusal(claims, now));
  return { claims, life: Number(claims.exp) - now };
}

/** The judge's answer is Google's own. */
function hold(refusal: TokenRefusal | undefined): void {
  if (refusal) throw grantRefused(refusal.message);
}

function decode(part: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** Each algorithm has its kind of key. */
function signed(alg: string, jwk: JWK, { input, signature }: { input: string; signature: string }): boolean {
  const fits = (alg === "RS256" && jwk.kty === "RSA") || (alg === "ES256" && jwk.crv === "P-256");
  if (!fits) return false;
  const key = keyOf(jwk);
  if (!key) return false;
  return verify("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}

/** Undefined for a key whose numbers are none. */
function keyOf(jwk: JWK): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: "jwk" });
  } catch {
    return undefined;
  }
}

const keysIn = (text: string): readonly JWK[] => {
  const { keys } = (JSON.parse(text) ?? {}) as { keys?: readonly JWK[] };
  return keys ?? [];
};

/** Discovery first, at the same address with a slash at the issuer's end or without; all that goes wrong has one text (google.md 9.2). */
async function fetchKeys(issuer: string, host: Host): Promise<readonly JWK[]> {
  try {
    const found = await host.outside.get(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
    const document = JSON.parse(found.body) as { issuer?: string; jwks_uri?: string };
    if (found.status !== 200 || !isSameIssuer(document.issuer, issuer) || !document.jwks_uri)
      throw new Error("discovery");
    const keys = await host.outside.get(document.jwks_uri);
    if (keys.status !== 200) throw new Error("keys");
    return keysIn(keys.body);
  } catch {
    throw grantRefused(unreachable);
  }
}
