import { createPublicKey, verify } from "node:crypto";
import type { JWK } from "jose";
import type { Host } from "../../../sandbox/fake.ts";
import { tokenExchange } from "../claims.ts";
import { EntraError } from "./errors.ts";
import { principalsOf, type StoredApp, type StoredFederated } from "./store.ts";

interface Parts {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly input: string;
  readonly signature: string;
}

const invalidClient = (number: number, text: string): EntraError => new EntraError(number, "invalid_client", text);
const unmatched = "No matching federated identity record found for presented assertion";
const check =
  "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

/**
 * Whether a foreign token stands in for this app (entra.md 7.4, 9). The order of the checks is not documented; here
 * the issuer comes first, because its keys are fetched for those alone that a credential names.
 */
export function checkAssertion(text: string, app: StoredApp, host: Host): void {
  const parts = split(text);
  if (!parts) throw new EntraError(50027, "invalid_request", "JWT token is invalid or malformed.");
  const claims = asPresented(parts.claims, app, host);
  const [iss, sub, aud] = [String(claims.iss), String(claims.sub), String(claims.aud)];
  if (iss === app.appId)
    throw invalidClient(700027, "Client assertion failed signature validation. The key was not found.");
  if (app.federated.length === 0)
    throw invalidClient(
      70025,
      `The client '${app.appId}'(${app.displayName}) has no configured federated identity credentials.`,
    );
  const byIssuer = app.federated.filter(({ issuer }) => issuer === iss);
  if (byIssuer.length === 0) throw invalidClient(700211, `${unmatched} issuer '${iss}'. ${check}`);
  checkSignature(parts, iss, host);
  checkTimes(parts.claims, host);
  const bySubject = byIssuer.filter(({ subject }) => subject === sub);
  if (bySubject.length === 0) throw wrongSubject(sub, byIssuer);
  if (!bySubject.some(({ audiences }) => audiences.includes(aud)))
    throw invalidClient(700212, `${unmatched} audience '${aud}'. ${check}`);
}

/** Letter case has its own number, and so has the long subject (entra.md 7.4). */
function wrongSubject(sub: string, found: readonly StoredFederated[]): EntraError {
  const folded = found.some(({ subject }) => subject.toLowerCase() === sub.toLowerCase());
  const number = folded ? 7002138 : sub.startsWith("/eid1/") ? 7002137 : 700213;
  return invalidClient(number, `${unmatched} subject '${sub}'. ${check}`);
}

/**
 * Of Entra's own tokens only a user-assigned managed identity's of the same tenant is taken, and its GUID stands for
 * the URI that the credential names (entra.md, traps 10 and 11).
 */
function asPresented(claims: Parts["claims"], app: StoredApp, host: Host): Parts["claims"] {
  if (!/^https:\/\/(?:sts\.windows\.net|login\.microsoftonline\.com)\//.test(String(claims.iss))) return claims;
  if (claims.scp !== undefined)
    throw invalidClient(
      700229,
      "Forbidden token type. Only app-only tokens may be used as Federated Identity Credentials for AAD issuer.",
    );
  const principal = principalsOf(host.view, app.tenant).find(({ id }) => id === claims.oid);
  if (principal?.managed?.kind !== "user")
    throw invalidClient(700222, "AAD-issued tokens may not be used for federated identity flows.");
  return { ...claims, aud: claims.aud === tokenExchange.appId ? tokenExchange.uri : claims.aud };
}

function checkSignature({ header, input, signature }: Parts, issuer: string, host: Host): void {
  const keys = host.issuers.keys(issuer);
  if (!keys) throw new EntraError(90061, "invalid_request", "Request to External OIDC endpoint failed.");
  const key = keys.find(({ kid }) => kid === header.kid);
  const good =
    key !== undefined &&
    header.alg === "RS256" &&
    verify("sha256", Buffer.from(input), publicKey(key), Buffer.from(signature, "base64url"));
  if (!good) throw invalidClient(700027, "Client assertion failed signature validation.");
}

const publicKey = (key: JWK) => createPublicKey({ key: { ...key }, format: "jwk" });

/** 25 hours at most, and `iat` is needed to tell (entra.md 7.1); five minutes of skew are taken for granted. */
function checkTimes({ iat, nbf, exp }: Parts["claims"], host: Host): void {
  const [issued, expires] = [Number(iat ?? 0), Number(exp ?? 0)];
  if (issued === 0 || expires - issued > 90_000) {
    const text = `External OIDC Provider token must have a lifetime of less than or equal to 1.01:00:00. Token issued at ${issued}. Token expires on ${expires}.`;
    throw new EntraError(70023, "invalid_request", text);
  }
  const now = Math.floor(host.now() / 1000);
  const from = Number(nbf ?? issued);
  if (now - 300 < expires && from <= now + 300) return;
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  const text = `Client assertion is not within its valid time range. Current time: ${iso(now)}, assertion valid from ${iso(from)}, expiry time of assertion ${iso(expires)}.`;
  throw invalidClient(700024, text);
}

function split(text: string): Parts | undefined {
  const [head = "", payload = "", signature = "", ...more] = text.split(".");
  try {
    const [header, claims] = [head, payload].map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
    return more.length === 0 && claims ? { header, claims, input: `${head}.${payload}`, signature } : undefined;
  } catch {
    return undefined;
  }
}
