import { createPublicKey, X509Certificate } from "node:crypto";
import type { JWK } from "jose";
import { googleIssuer } from "../../../judge/aws/claims.ts";
import { isMap } from "../../../judge/aws/policy.ts";
import { notValidated } from "../../../judge/aws/token.ts";
import type { Host, OutsideAnswer } from "../../../sandbox/fake.ts";
import { oidcProviderOf, type StoredOidcProvider } from "./oidc-providers.ts";
import { AwsError } from "./query.ts";

export const refused = (message: string): AwsError => new AwsError("InvalidIdentityToken", 400, message);
/** Letter by letter, the two blanks included (recorded, aws.md 5.2). */
const noKey =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

/** What an account knows of an issuer. */
interface TrustedIssuer {
  /** Whatever AWS reads as the audience must be among them; undefined for the issuer that is built in. */
  readonly clientIds?: readonly string[];
  readonly keys: () => Promise<readonly JWK[]>;
}

/** Where the token is for. */
interface Account {
  readonly account: string;
  readonly partition: string;
}

/**
 * Google is built in; any other issuer must have its OIDC provider in the role's own account, its URL equal to the
 * token's `iss` to the letter (aws.md 6.1). One that has not propagated yet answers as a fresh role does (aws.md, trap 4).
 */
export function trustedIssuer(issuer: string, { account, partition }: Account, host: Host): TrustedIssuer {
  if (issuer === googleIssuer) return { keys: async () => host.issuers.keys(googleIssuer) ?? [] };
  const arn = `arn:${partition}:iam::${account}:oidc-provider/${issuer.replace(/^https:\/\//, "")}`;
  const known = issuer.startsWith("https://") ? oidcProviderOf(host.state, account, arn) : undefined;
  if (!known) throw refused(`No OpenIDConnect provider found in your account for ${issuer}`);
  const seen = oidcProviderOf(host.propagated, account, arn);
  if (!seen) throw new AwsError("AccessDenied", 403, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
  return { clientIds: seen.clientIds, keys: () => fetchKeys(issuer, seen, host) };
}

/** AWS requires all of these in a discovery document (aws.md 6.3). */
const required = ["issuer", "jwks_uri", "response_types_supported", "subject_types_supported"];

/** Whatever goes wrong on the way to the keys has one text, except for a certificate that nobody vouches for. */
async function fetchKeys(issuer: string, stored: StoredOidcProvider, host: Host): Promise<readonly JWK[]> {
  const discovery = await fetchJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, stored, host);
  const fields = [...required, "id_token_signing_alg_values_supported"];
  if (fields.some((field) => discovery[field] === undefined) || discovery.issuer !== issuer) throw refused(noKey);
  const { keys } = await fetchJson(String(discovery.jwks_uri), stored, host);
  if (!Array.isArray(keys)) throw refused(noKey);
  return keys.filter(isMap) as readonly JWK[];
}

/**
 * AWS's own store of CAs first; only what that does not vouch for is held against the thumbprints (aws.md 6.2).
 */
async function fetchJson(
  url: string,
  stored: StoredOidcProvider,
  host: Host,
): Promise<Readonly<Record<string, unknown>>> {
  let answer: OutsideAnswer;
  try {
    const { untrusted, sha1s } = await host.outside.chain(new URL(url).hostname);
    if (untrusted && !stored.thumbprints.includes(sha1s.at(-1) ?? ""))
      throw refused("OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint");
    answer = await host.outside.get(url, { vouched: !untrusted });
    const value: unknown = answer.status === 200 ? JSON.parse(answer.body) : undefined;
    if (isMap(value)) return value;
  } catch (error) {
    if (error instanceof AwsError) throw error;
  }
  throw refused(noKey);
}

/**
 * The key that a token names (aws.md 6.3): every key needs a kid, a token without one is read under the only key, of
 * two keys with one kid the later counts. A key for encryption, that is none, or whose certificate is another's does not
 * serve, and more than a hundred RSA keys are none at all. One with `key_ops` is found, and validates nothing (recorded).
 */
export function pickKey(keys: readonly JWK[], header: Readonly<Record<string, unknown>>): JWK {
  const rsa = keys.filter(({ kty }) => kty === "RSA");
  const usable = keys.filter((key) => key.kty !== "RSA" || rsa.length <= 100);
  const { kid } = header;
  const only = (kid === undefined || kid === "") && usable.length === 1 ? usable[0] : undefined;
  const named = kid === undefined || kid === "" ? only : usable.findLast((key) => key.kid === kid);
  if (!named?.kid || (named.use !== undefined && named.use !== "sig") || !serves(named)) throw refused(noKey);
  if (named.key_ops !== undefined) throw refused(notValidated);
  return named;
}

/** Not one that cannot be read, nor a certificate without a key beside it, or of another key (recorded, aws.md 5.2). */
function serves(jwk: JWK): boolean {
  try {
    const key = createPublicKey({ key: { ...jwk }, format: "jwk" });
    const certificate = jwk.x5c?.[0];
    return certificate === undefined || new X509Certificate(Buffer.from(certificate, "base64")).publicKey.equals(key);
  } catch {
    return false;
  }
}
