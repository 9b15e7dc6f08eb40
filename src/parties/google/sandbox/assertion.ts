import { verify } from "node:crypto";
import type { Host } from "../../../sandbox/fake.ts";
import { issueAccessToken } from "./access.ts";
import { signIdToken } from "./iamcredentials.ts";
import { verifyingKey } from "./key-store.ts";
import { accountOf, type StoredAccount } from "./store.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A refusal of the token endpoint, in OAuth's shape. */
export class OAuthError extends Error {
  readonly error: string;

  constructor(error: string, description: string) {
    super(description);
    this.error = error;
  }
}

const invalidGrant = (says: string): OAuthError => new OAuthError("invalid_grant", says);

const audiences = ["https://oauth2.googleapis.com/token", "https://www.googleapis.com/oauth2/v4/token"];

const times =
  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.";

/**
 * Answers an assertion that an account's key signed (RFC 7523): an ID token where the claims name a `target_audience`,
 * else an access token. `azp` of such an ID token is the e-mail (google.md 4, row 8). The words of the refusals stand in
 * public reports; those about the audience and about a disabled account are approximate.
 */
export function assertionGrant(assertion: string, host: Host): Fields {
  const { account, claims } = verified(assertion, host);
  if (!audiences.includes(String(claims.aud)))
    throw invalidGrant(`Invalid JWT: Failed audience check. The right audience is ${audiences[0]}`);
  if (!timely(claims, Math.floor(host.now() / 1000))) throw invalidGrant(times);
  if (account.disabled) throw invalidGrant("Invalid grant: account disabled");
  if (claims.sub !== undefined && claims.sub !== account.email)
    throw new OAuthError(
      "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
    );
  const { target_audience: audience, scope } = claims;
  if (typeof audience === "string" && audience !== "")
    return { id_token: signIdToken(host, account, { audience, azp: account.email, email: true }) };
  if (typeof scope !== "string" || scope === "")
    throw new OAuthError("invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  const { token, expiresIn } = issueAccessToken(host, account.email, { scopes: scope.trim().split(/\s+/) });
  return { access_token: token, expires_in: expiresIn - 1, token_type: "Bearer" };
}

/** The issuer is the e-mail of the account; its unique id is taken too. */
function verified(assertion: string, host: Host): { account: StoredAccount; claims: Fields } {
  const [head = "", payload = "", signature = "", ...more] = assertion.split(".");
  const [header, claims] = [decode(head), decode(payload)];
  if (!header || !claims || more.length > 0) throw invalidGrant("Bad Request");
  const account = accountOf(host.propagated, String(claims.iss));
  if (!account) throw invalidGrant("Invalid grant: account not found");
  const key = header.alg === "RS256" ? verifyingKey(host, account, String(header.kid)) : undefined;
  const input = Buffer.from(`${head}.${payload}`);
  if (!key || !verify("sha256", input, key, Buffer.from(signature, "base64url")))
    throw invalidGrant("Invalid JWT Signature.");
  return { account, claims };
}

/** An hour at most, and clocks may differ by a few minutes: how many is not documented. */
function timely({ iat, exp }: Fields, now: number): boolean {
  if (typeof iat !== "number" || typeof exp !== "number") return false;
  const skew = 300;
  return exp - iat <= 3600 && iat <= now + skew && exp > now - skew && exp > iat;
}

function decode(part: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
