import type { Fake, FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { documentV1, documentV2, keySet, published } from "./discovery.ts";
import { answer, EntraError, noTenant } from "./errors.ts";
import { tokenEndpoint } from "./token.ts";

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

interface Asked {
  readonly tenant: string;
  readonly request: FakeRequest;
  readonly host: Host;
}

interface Route {
  readonly method: "GET" | "POST";
  /** What follows the tenant. */
  readonly path: string;
  readonly operation: string;
  readonly run: (asked: Asked) => FakeAnswer;
}

const routes: readonly Route[] = [
  {
    method: "GET",
    path: ".well-known/openid-configuration",
    operation: "GetDiscovery",
    run: ({ tenant }) => published(documentV1(tenant)),
  },
  {
    method: "GET",
    path: "v2.0/.well-known/openid-configuration",
    operation: "GetDiscovery",
    run: ({ tenant }) => published(documentV2(tenant)),
  },
  {
    method: "GET",
    path: "discovery/keys",
    operation: "GetKeys",
    run: ({ tenant, host }) => published(keySet(host, tenant, 1)),
  },
  {
    method: "GET",
    path: "discovery/v2.0/keys",
    operation: "GetKeys",
    run: ({ tenant, host }) => published(keySet(host, tenant, 2)),
  },
  {
    method: "POST",
    path: "oauth2/v2.0/token",
    operation: "GetToken",
    run: (asked) => tokenEndpoint({ ...asked, version: 2 }),
  },
  {
    method: "POST",
    path: "oauth2/token",
    operation: "GetToken",
    run: (asked) => tokenEndpoint({ ...asked, version: 1 }),
  },
];

/** Doubled slashes count as one: whoever builds the URL from a v1 issuer may double its last one (entra.md 3.1). */
function find({ method, path }: FakeRequest): { readonly route: Route; readonly tenant: string } | undefined {
  const [, tenant = "", rest = ""] = /^\/([^/]+)\/(.*)$/.exec(path.replace(/\/{2,}/g, "/")) ?? [];
  const route = routes.find((candidate) => candidate.method === method && candidate.path === rest);
  return route && { route, tenant };
}

/** Tenants exist as soon as they are named, by GUID; names of domains are not known here. */
const isTenant = (tenant: string, route: Route): boolean =>
  guid.test(tenant) || (route.method === "GET" && ["common", "organizations"].includes(tenant));

/** Entra's login service, v1 and v2, at both of its hosts (entra.md 3, 4). */
export const login: Fake = {
  service: "entra",
  hosts: ["login.microsoftonline.com", "sts.windows.net", "login.windows.net"],
  owns: (request) => find(request) !== undefined,
  open(request, host) {
    const found = find(request);
    const client = new URLSearchParams(request.body.toString("utf8")).get("client_id");
    return {
      name: found?.route.operation ?? "Unknown",
      write: false,
      principal: client ?? "anonymous",
      run: () => (found ? settled({ ...found, request, host }) : answer(404, { error: "not_found" })),
    };
  },
  fault: (kind) =>
    kind === "throttle"
      ? answer(429, { error: "temporarily_unavailable", error_codes: [90055] })
      : answer(503, { error: "temporarily_unavailable", error_codes: [90033] }),
};

function settled({ route, tenant, request, host }: Asked & { readonly route: Route }): FakeAnswer {
  try {
    if (!isTenant(tenant, route)) throw noTenant(tenant, route.method === "GET" ? "invalid_tenant" : "invalid_request");
    return route.run({ tenant: tenant.toLowerCase(), request, host });
  } catch (error) {
    if (error instanceof EntraError) return error.answer(host);
    throw error;
  }
}
