import type { Host } from "../../../sandbox/fake.ts";
import { holderOf, issueAccessToken, principalOf } from "./access.ts";
import { googleIssuer } from "./iamcredentials.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import { operator } from "./store.ts";

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
    pattern: /^\/\.well-known\/openid-configuration$/,
    operation: "GetDiscovery",
    write: false,
    run: discovery,
    open: true,
  },
];

/**
 * Google's token endpoint and its keys: refresh of the operator's grant, token and user information, JWKS.
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

/** Only a refresh: the other grant of this endpoint needs a key, and there are none. */
function token({ body, host }: RestCall) {
  const refused = (error: string, error_description: string) => ({
    status: 400,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ error, error_description }),
  });
  if (body.grant_type !== "refresh_token")
    return refused(
      "unsupported_grant_type",
      "the sandbox issues no service account keys, so there is no assertion to exchange",
    );
  if (body.refresh_token !== refreshToken(host)) return refused("invalid_grant", "Bad Request");
  const { token: access_token, expiresIn } = issueAccessToken(host, operator.email);
  return {
    access_token,
    expires_in: expiresIn,
    scope: "openid https://www.googleapis.com/auth/cloud-platform",
    token_type: "Bearer",
  };
}

function tokenInfo({ body, request, host }: RestCall) {
  const text = String(body.access_token ?? request.query.get("access_token") ?? "");
  const holder = holderOf(text, host);
  if (!holder)
    return {
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: "invalid_token", error_description: "Invalid Value" }),
    };
  return {
    email: holder.email,
    email_verified: "true",
    scope: "https://www.googleapis.com/auth/cloud-platform",
    expires_in: "3599",
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
