import type { Fake, FakeAnswer, FakeRequest, Host } from "../../../sandbox/fake.ts";
import { answer } from "./errors.ts";
import * as applications from "./graph-applications.ts";
import { type GraphCall, GraphError } from "./graph-call.ts";
import * as federated from "./graph-federated.ts";

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly operation: string;
  readonly run: (call: GraphCall) => FakeAnswer;
}

const app = "applications(?:/([^/()]+)|\\(appId='([^']+)'\\))";
const route = (method: string, path: string, named: readonly [string, Route["run"]]): Route => ({
  ...{ method, pattern: new RegExp(`^/v1\\.0/${path}$`), operation: named[0], run: named[1] },
});
const credentials = `${app}/federatedIdentityCredentials`;

/** The part of Microsoft Graph that sets a federation up (entra.md 7.3, 8.2). */
const routes: readonly Route[] = [
  route("POST", "applications", ["CreateApplication", applications.createApp]),
  route("GET", app, ["GetApplication", applications.getApp]),
  route("PATCH", app, ["UpdateApplication", applications.updateApp]),
  route("POST", `${app}/addPassword`, ["AddPassword", applications.addPassword]),
  route("POST", "servicePrincipals", ["CreateServicePrincipal", applications.createPrincipal]),
  route("PATCH", "servicePrincipals/([^/]+)", ["UpdateServicePrincipal", applications.updatePrincipal]),
  route("POST", "servicePrincipals/([^/]+)/appRoleAssignments", ["CreateAppRoleAssignment", applications.assign]),
  route("POST", credentials, ["CreateFederatedIdentityCredential", federated.create]),
  route("GET", credentials, ["ListFederatedIdentityCredentials", federated.list]),
  route("GET", `${credentials}/([^/]+)`, ["GetFederatedIdentityCredential", federated.get]),
  route("PATCH", `${credentials}\\(name='([^']+)'\\)`, ["UpdateFederatedIdentityCredential", federated.ensure]),
  route("DELETE", `${credentials}/([^/]+)`, ["DeleteFederatedIdentityCredential", federated.remove]),
];

/** Opaque here, and readable by nobody but Graph (entra.md 2.8); the tenant is in it. */
export const operatorToken = (host: Host, tenant: string): string => host.secrets.seal("entra-operator.", { tenant });

export const graph: Fake = {
  service: "entra.graph",
  hosts: ["graph.microsoft.com"],
  owns: ({ path }) => /^\/v1\.0\/(?:applications|servicePrincipals)\b/.test(path),
  open(request, host) {
    const path = decodeURIComponent(request.path);
    const found = routes.find(({ method, pattern }) => method === request.method && pattern.test(path));
    const parts = (found?.pattern.exec(path) ?? []).slice(1).filter((part) => part !== undefined);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const tenant = host.secrets.open<{ readonly tenant: string }>("entra-operator.", token)?.tenant;
    return {
      name: found?.operation ?? "Unknown",
      write: request.method !== "GET",
      principal: tenant === undefined ? "anonymous" : "operator@example.com",
      run: () =>
        settled(host, () => {
          if (tenant === undefined)
            throw new GraphError(401, "InvalidAuthenticationToken", "Access token validation failure.");
          if (!found)
            throw new GraphError(404, "Request_ResourceNotFound", `Resource not found for the segment '${path}'.`);
          return found.run({ tenant, parts, body: bodyOf(request), request, host });
        }),
    };
  },
  fault: (kind) =>
    kind === "throttle"
      ? answer(429, { error: { code: "TooManyRequests", message: "Too many requests." } })
      : answer(503, { error: { code: "ServiceUnavailable", message: "Service unavailable." } }),
};

function settled(host: Host, run: () => FakeAnswer): FakeAnswer {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const innerError = { date: new Date(host.now()).toISOString().slice(0, 19) };
    return answer(error.status, { error: { code: error.code, message: error.message, innerError } });
  }
}

function bodyOf({ body }: FakeRequest): Readonly<Record<string, unknown>> {
  try {
    return body.length > 0 ? (JSON.parse(body.toString("utf8")) as Record<string, unknown>) : {};
  } catch {
    throw new GraphError(400, "BadRequest", "Unable to read JSON request payload.");
  }
}
