import type { FakeRequest, Host } from "../../../sandbox/fake.ts";
import { appsOf, principalsOf, type StoredApp, type StoredPrincipal } from "./store.ts";

/** What a handler gets. `parts`: what the pattern caught, decoded. */
export interface GraphCall {
  readonly tenant: string;
  readonly parts: readonly string[];
  readonly body: Readonly<Record<string, unknown>>;
  readonly request: FakeRequest;
  readonly host: Host;
}

/** Graph's shape of an error; its codes are words. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const notFound = (id: string): GraphError =>
  new GraphError(
    404,
    "Request_ResourceNotFound",
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

/** By object id, or as `applications(appId='...')` by client id. */
export function appOf({ host, tenant, parts, request }: GraphCall): StoredApp {
  const byClient = request.path.includes("appId=");
  const found = appsOf(host.view, tenant).find((one) => (byClient ? one.appId : one.id) === parts[0]);
  if (!found) throw notFound(parts[0] ?? "");
  return found;
}

export function principalOf({ host, tenant }: GraphCall, id: string): StoredPrincipal {
  const found = principalsOf(host.view, tenant).find((one) => one.id === id);
  if (!found) throw notFound(id);
  return found;
}
