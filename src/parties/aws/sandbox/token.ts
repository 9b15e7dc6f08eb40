import { createPublicKey, verify } from "node:crypto";
import type { JWK } from "jose";
import { isMap } from "../../../judge/aws/policy.ts";
import {
  audienceOf,
  claimsRefusal,
  headerRefusal,
  notJwt,
  notValidated,
  requiredRefusal,
  type TokenRefusal,
} from "../../../judge/aws/token.ts";
import type { Host } from "../../../sandbox/fake.ts";
import { pickKey, refused, trustedIssuer } from "./issuer-keys.ts";
import { AwsError } from "./query.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A token, and the role that it is for. */
export interface Presented {
  readonly token: string;
  readonly account: string;
  readonly partition: string;
  readonly roleArn: string;
}

/**
 * A web identity token as AWS was recorded to judge it (aws.md 5.2, 5.3): the judge's rules about a token, its signature
 * under the issuer's served keys, and an audience that the OIDC provider knows. The order of the checks is ours: none is
 * recorded.
 */
export async function verifyToken(presented: Presented, host: Host): Promise<Fields> {
  const { header, claims, input, signature } = split(presented.token);
  hold(requiredRefusal(claims));
  const trust = trustedIssuer(String(claims.iss), presented, host);
  const key = pickKey(await trust.keys(), header);
  hold(headerRefusal(header));
  if (!signed(String(header.alg), key, { input, signature })) throw refused(notValidated);
  hold(claimsRefusal(claims, { now: Math.floor(host.now() / 1000), roleArn: presented.roleArn }));
  if (trust.clientIds && !trust.clientIds.includes(audienceOf(claims))) throw refused(notValidated);
  return claims;
}

/** The judge's answer is AWS's own. */
function hold(refusal: TokenRefusal | undefined): void {
  if (refusal) throw new AwsError(refusal.code, refusal.status, refusal.message);
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
  if (!header || !claims || more.length > 0 || text.split(".").length < 3) throw refused(notJwt);
  if (header.crit !== undefined) hold(headerRefusal(header));
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

/** The kind of key that each algorithm takes: one of ES has one curve (RFC 7518, 3.4). */
const kinds: Readonly<Record<string, string>> = {
  RS256: "RSA",
  RS384: "RSA",
  RS512: "RSA",
  ES256: "P-256",
  ES384: "P-384",
  ES512: "P-521",
};

function signed(alg: string, jwk: JWK, { input, signature }: { input: string; signature: string }): boolean {
  if (!Object.hasOwn(kinds, alg) || kinds[alg] !== (jwk.kty === "EC" ? jwk.crv : jwk.kty)) return false;
  const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
  const hash = `sha${alg.slice(2)}`;
  return verify(hash, Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
}
