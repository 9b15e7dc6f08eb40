import type { Fake, FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { answer, EntraError } from "./errors.ts";
import { type Claims, claimsFor, sign } from "./issue.ts";
import { attached, type StoredPrincipal } from "./store.ts";

/** With and without the slash that msal puts before the query (entra.md, trap 16). */
const path = /^\/metadata\/identity\/oauth2\/token\/?$/;

/** The identity endpoint of an Azure machine (entra.md 4.3). */
export const imds: Fake = {
  service: "azure.imds",
  hosts: ["169.254.169.254"],
  owns: (request) => request.path.startsWith("/metadata/identity/"),
  open: (request, host) => ({
    name: "GetToken",
    write: false,
    principal: "anonymous",
    run: () => (path.test(request.path) && request.method === "GET" ? token(request, host) : unknownSource(request)),
  }),
  fault: (kind) =>
    kind === "throttle"
      ? answer(429, { error: "too_many_requests", error_description: "Too many requests" })
      : refused(500, "unknown", "Failed to retrieve token from the Active directory. For details see logs in <file>"),
};

const refused = (status: number, error: string, error_description: string): FakeAnswer =>
  answer(status, { error, error_description });

const unknownSource = ({ path: at }: FakeRequest): FakeAnswer => refused(401, "unknown_source", `Unknown Source ${at}`);

/** The header comes first: it is what keeps a tricked server from asking (entra.md 4.3). */
function token({ headers, query }: FakeRequest, host: Host): FakeAnswer {
  if (headers.metadata?.toLowerCase() !== "true")
    return refused(400, "bad_request_102", "Required metadata header not specified");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(query.get("api-version") ?? ""))
    return answer(400, {
      error: "Bad request. api-version is invalid or was not specified in the request.",
      "newest-versions": ["2023-07-01", "2021-02-01"],
    });
  const resource = query.get("resource");
  if (!resource) return refused(400, "invalid_request", "Required query variable 'resource' is missing");
  const principal = chosen(query, host);
  if (principal === "several")
    return refused(
      400,
      "invalid_request",
      "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
    );
  if (!principal) return refused(400, "invalid_request", "Identity not found");
  return issued(host, principal, resource);
}

/** Nobody named: the system's, else the only one of the users', else nobody can tell (entra.md 4.3). */
function chosen(query: URLSearchParams, host: Host): StoredPrincipal | "several" | undefined {
  const all = attached(host.view);
  const one = (name: string): string | undefined => query.get(name) ?? undefined;
  const resourceId = one("msi_res_id") ?? one("mi_res_id");
  if (one("client_id") !== undefined) return all.find(({ appId }) => appId === one("client_id"));
  if (one("object_id") !== undefined) return all.find(({ id }) => id === one("object_id"));
  if (resourceId !== undefined)
    return all.find(({ managed }) => managed?.resourceId.toLowerCase() === resourceId.toLowerCase());
  const system = all.find(({ managed }) => managed?.kind === "system");
  return system ?? (all.length > 1 ? "several" : all[0]);
}

/**
 * One token for each resource for a day, whatever changes meanwhile (entra.md, trap 7). What is kept are its claims:
 * signed again they give the same token, so the state holds no secret.
 */
function issued(host: Host, principal: StoredPrincipal, resource: string): FakeAnswer {
  const key = `entra.imds/${principal.id}/${resource}`;
  const now = Math.floor(host.now() / 1000);
  try {
    const cached = host.state.get<Claims>(key);
    const fresh = cached && Number(cached.exp) - now > 300;
    const claims = fresh ? cached : claimsFor(host, { principal, resource, auth: "2", life: 86_400 });
    if (!fresh) host.state.put(key, claims);
    const left = String(Number(claims.exp) - now - 1);
    return answer(200, {
      ...{
        access_token: sign(host, claims),
        client_id: principal.appId,
        expires_in: left,
        expires_on: String(claims.exp),
      },
      ...{ ext_expires_in: left, not_before: String(claims.nbf), resource, token_type: "Bearer" },
    });
  } catch (error) {
    if (error instanceof EntraError) return refused(400, error.error, `AADSTS${error.number}: ${error.message}`);
    throw error;
  }
}
