import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { JWK } from "jose";

/** A key pair as an issuer has it: what signs, and what is served. */
export interface Signer {
  readonly alg: string;
  readonly kid: string;
  readonly key: KeyObject;
  readonly jwk: JWK;
}

const curves: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

/** Made here and not by the product, so that a wrong idea of a signature is not shared. */
export function signer(alg: string, kid: string): Signer {
  const namedCurve = curves[alg];
  const { publicKey, privateKey } = namedCurve
    ? generateKeyPairSync("ec", { namedCurve })
    : alg === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { alg, kid, key: privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, use: "sig" } as JWK };
}

/** From a private key in PEM whose certificate somebody else issued. */
export function signerOf(pem: string, kid: string): Signer {
  const key = createPrivateKey(pem);
  const { d: _, ...jwk } = key.export({ format: "jwk" });
  return { alg: "ES256", kid, key, jwk: { ...jwk, kid, use: "sig" } as JWK };
}

export const part = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A signature over any text, by any key, as `alg` says; for `none` there is none. */
export function signature(alg: string, input: string, key: KeyObject): string {
  const text = Buffer.from(input);
  if (alg === "none") return "";
  if (alg.startsWith("HS"))
    return createHmac(`sha${alg.slice(2)}`, key.export({ type: "pkcs8", format: "pem" }))
      .update(text)
      .digest("base64url");
  if (alg === "EdDSA") return sign(null, text, key).toString("base64url");
  const padding = alg.startsWith("PS") ? { padding: 6, saltLength: Number(alg.slice(2)) / 8 } : {};
  return sign(`sha${alg.slice(2)}`, text, { key, dsaEncoding: "ieee-p1363", ...padding }).toString("base64url");
}

/** Claims as they are, also as a text of their own; `header` goes over alg and kid, and null takes a member away. */
export function token(claims: unknown, by: Signer, header: Readonly<Record<string, unknown>> = {}): string {
  const members = Object.entries({ alg: by.alg, kid: by.kid, typ: "JWT", ...header });
  const whole = Object.fromEntries(members.filter(([, value]) => value !== null)) as { alg: string };
  const input = `${part(whole)}.${part(claims)}`;
  return `${input}.${signature(whole.alg, input, by.key)}`;
}
