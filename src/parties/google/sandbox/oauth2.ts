import type { Host } from "../../../sandbox/fake.ts";
import { cloudPlatform, issueAccessToken, principalOf, tokenDetails } from "./access.ts";
import { assertionGrant, OAuthError } from "./assertion.ts";
import { googleIssuer } from "./iamcredentials.ts";
import { certificateOf } from "./key-material.ts";
import { keysOf, systemKeyOf, systemPrivateKey, verifyingKey } from "./key-store.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { accountOf, operator } from "./store.ts";

/** The operator's grant, as a sign-in would leave it: made from the seed, always the same, stored nowhere. */
export const refreshToken = (host: Host): string =>
  host.secrets.issue(host.secrets.mac("google-refresh-token/operator"));

const routes: readonly Route[] = [
  { method: "POST", pattern: /^\/token$/, operation: "ExchangeToken", write: false, run: token, open: true },
  {
    method: "POST",
    pattern: /^\/(?:oauth2\/v\d\/)?tokeninfo$/,
    operation: "TokenInfo",
    write: false,
    run: tokenInfo,
    open: true,
  },
  {
    method: "GET",
    pattern: /^\/(?:oauth2\/v\d\/)?tokeninfo$/,
    operation: "TokenInfo",
    write: false,
    run: tokenInfo,
    open: true,
  },
  { method: "GET", pattern: /^\/(?:v1|oauth2\/v\d)\/userinfo$/, operation: "UserInfo", write: false, run: userInfo },
  { method: "GET", pattern: /^\/oauth2\/v\d\/certs$/, operation: "GetCerts", write: false, run: certs, open: true },
  {
    method: "GET",
    pattern: /^\/robot\/v1\/metadata\/x509\/([^/]+)$/,
    operation: "GetAccountCerts",
    write: false,
    run: accountCerts,
    open: true,
  },
  {
    method: "GET",
    pattern: /^\/\.well-known\/openid-configuration$/,
    operation: "GetDiscovery",
    write: false,
    run: discovery,
    open: true,
  },
];

/**
 * Google's token endpoint and its keys: refresh of the operator's grant, assertions of service accounts, token and user
 * information, JWKS, certificates of accounts.
 * The errors of the token endpoints have OAuth's shape, so their handlers answer them whole.
 */
export const oauth2 = restFake(
  {
    service: "google.oauth2",
    hosts: ["oauth2.googleapis.com", "openidconnect.googleapis.com", "www.googleapis.com", "accounts.google.com"],
    routes,
  },
  principalOf,
);

const refused = (error: string, description: string) => ({
  status: 400,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ error, error_description: description }),
});

const assertionType = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** Two grants: the operator's refresh token, and an assertion that a key of a service account signed. */
function token({ body, host }: RestCall) {
  if (body.grant_type === assertionType) return exchangeAssertion(String(body.assertion ?? ""), host);
  if (body.grant_type !== "refresh_token")
    return refused("unsupported_grant_type", `Invalid grant_type: ${String(body.grant_type ?? "")}`);
  if (body.refresh_token !== refreshToken(host)) return refused("invalid_grant", "Bad Request");
  const scopes = ["openid", ...cloudPlatform];
  const { token: access_token, expiresIn } = issueAccessToken(host, operator.email, { scopes });
  return {
    access_token,
    expires_in: expiresIn,
    scope: scopes.join(" "),
    token_type: "Bearer",
  };
}

function exchangeAssertion(assertion: string, host: Host) {
  try {
    return assertionGrant(assertion, host);
  } catch (error) {
    if (error instanceof OAuthError) return refused(error.error, error.message);
    throw error;
  }
}

/** The certificates that Google publishes for an account, by the ids of their keys. */
async function accountCerts({ parts, host }: RestCall) {
  const account = accountOf(host.propagated, parts[0] ?? "");
  if (!account) throw new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");
  const system = systemKeyOf(account, host.now());
  const own = keysOf(host.propagated, account).filter(({ id }) => verifyingKey(host, account, id));
  return Object.fromEntries([
    ...own.map(({ id, certificate }) => [id, certificate]),
    [system.id, await certificateOf(systemPrivateKey(host, account), account, system)],
  ]);
}

function tokenInfo({ body, request, host }: RestCall) {
  const text = String(body.access_token ?? request.query.get("access_token") ?? "");
  const found = tokenDetails(text, host);
  if (!found) return refused("invalid_token", "Invalid Value");
  const { holder, scopes, expires } = found;
  // Without an e-mail for whoever came through a pool: there is no account behind such a token.
  const mail = holder.email === "" ? {} : { email: holder.email, email_verified: "true" };
  return {
    ...mail,
    scope: scopes.join(" "),
    exp: String(expires),
    expires_in: String(expires - Math.floor(host.now() / 1000)),
    access_type: "online",
  };
}

function userInfo({ principal }: RestCall) {
  if (!principal.email) throw new GoogleError([401, "UNAUTHENTICATED"], "Invalid Credentials");
  return { sub: "100000000000000000001", email: principal.email, email_verified: true };
}

/** The very keys that sign: whoever verifies a token against them verifies for real. */
function certs({ host }: RestCall) {
  return { keys: host.issuers.keys(googleIssuer) ?? [] };
}

function discovery() {
  return {
    issuer: googleIssuer,
    jwks_uri: "https://www.googleapis.com/oauth2/v3/certs",
    response_types_supported: ["code", "token", "id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}
