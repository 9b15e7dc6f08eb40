import type { FakeAnswer, Host } from "../../../sandbox/fake.ts";
import { nextKey, signing } from "./issue.ts";

const login = "https://login.microsoftonline.com";
const authentication = ["client_secret_post", "private_key_jwt", "client_secret_basic"];
const claims = [
  ...["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host"],
  ...["aud", "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "email"],
];

/** What both versions say alike. */
const common = {
  token_endpoint_auth_methods_supported: authentication,
  response_modes_supported: ["query", "fragment", "form_post"],
  subject_types_supported: ["pairwise"],
  id_token_signing_alg_values_supported: ["RS256"],
  http_logout_supported: true,
  frontchannel_logout_supported: true,
  tenant_region_scope: "WW",
  cloud_instance_name: "microsoftonline.com",
  cloud_graph_host_name: "graph.windows.net",
  claims_supported: claims,
} as const;

/** Of `common` the issuer is a template, braces and all (entra.md 3.1). */
const named = (tenant: string): string => (tenant === "common" || tenant === "organizations" ? "{tenantid}" : tenant);

/** The v1 document: its keys are those of all tenants, at another host than its issuer (entra.md 3.1, 3.4). */
export const documentV1 = (tenant: string) => ({
  ...common,
  token_endpoint: `${login}/${tenant}/oauth2/token`,
  jwks_uri: `${login}/common/discovery/keys`,
  response_types_supported: ["code", "id_token", "code id_token", "token id_token", "token"],
  scopes_supported: ["openid"],
  issuer: `https://sts.windows.net/${named(tenant)}/`,
  microsoft_multi_refresh_token: true,
  authorization_endpoint: `${login}/${tenant}/oauth2/authorize`,
  device_authorization_endpoint: `${login}/${tenant}/oauth2/devicecode`,
  end_session_endpoint: `${login}/${tenant}/oauth2/logout`,
  userinfo_endpoint: `${login}/${tenant}/openid/userinfo`,
});

export const documentV2 = (tenant: string) => ({
  ...common,
  token_endpoint: `${login}/${tenant}/oauth2/v2.0/token`,
  jwks_uri: `${login}/${tenant}/discovery/v2.0/keys`,
  response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
  scopes_supported: ["openid", "profile", "email", "offline_access"],
  issuer: `${login}/${named(tenant)}/v2.0`,
  request_uri_parameter_supported: false,
  userinfo_endpoint: "https://graph.microsoft.com/oidc/userinfo",
  authorization_endpoint: `${login}/${tenant}/oauth2/v2.0/authorize`,
  device_authorization_endpoint: `${login}/${tenant}/oauth2/v2.0/devicecode`,
  end_session_endpoint: `${login}/${tenant}/oauth2/v2.0/logout`,
});

/**
 * The keys that sign, and one more: without `alg`, and `issuer` in v2 alone (entra.md 3.2). There is no `x5c`: AWS
 * refuses a key whose certificate is another's, and takes one without.
 */
export function keySet(host: Host, tenant: string, version: 1 | 2) {
  const issuer = version === 2 ? { issuer: `${login}/${named(tenant)}/v2.0` } : {};
  const keys = [signing, nextKey].flatMap((name) => host.issuers.keys(name) ?? []);
  return { keys: keys.map(({ kid, n, e }) => ({ kty: "RSA", use: "sig", kid, x5t: kid, n, e, ...issuer })) };
}

/** Anybody may read them, and browsers of any site. */
export const published = (body: unknown): FakeAnswer => ({
  status: 200,
  headers: {
    "content-type": "application/json; charset=utf-8",
    "access-control-allow-origin": "*",
    "cache-control": "max-age=86400, private",
  },
  body: JSON.stringify(body),
});
