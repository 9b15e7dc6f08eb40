import type { Host } from "../../../sandbox/fake.ts";
import { may, require_, requireApi } from "./access.ts";
import { patched } from "./mask.ts";
import { refuseSource } from "./org-policy.ts";
import { checkFields, type Fields, fieldsOf, idFrom, maskable, taken } from "./pool-fields.ts";
import {
  expiryOf,
  poolKey,
  poolNameOf,
  poolProviderKey,
  type StoredPool,
  type StoredPoolProvider,
  stillThere,
} from "./pool-store.ts";
import { GoogleError, paged, type RestCall, type Route } from "./rest.ts";
import { checkedPolicy, emptyPolicy, projectOf, type StoredPolicy } from "./store.ts";

/** v1, and the v1beta that Google's Node client writes with (google.md 1.1). */
const root = "^/v1(?:beta)?/projects/([^/]+)/locations/global/workloadIdentityPools";
const one = `${root}/([^/:]+)`;
const path = (rest: string): RegExp => new RegExp(`${rest}$`);
const below = `${one}/providers`;
const inner = `${below}/([^/:]+)`;

const route = (spec: readonly [Route["method"], RegExp, string, Route["run"]]): Route => ({
  ...{ method: spec[0], pattern: spec[1], operation: spec[2], run: spec[3] },
  write: spec[0] !== "GET",
});

/** IAM v1: workload identity pools and their pool providers (google.md 6, wire.md 4.2). */
export const poolRoutes: readonly Route[] = [
  route(["POST", path(root), "CreateWorkloadIdentityPool", createPool]),
  route(["GET", path(root), "ListWorkloadIdentityPools", listPools]),
  route(["GET", path(one), "GetWorkloadIdentityPool", (call) => shownPool(call, readable(call))]),
  route(["PATCH", path(one), "PatchWorkloadIdentityPool", patchPool]),
  route(["DELETE", path(one), "DeleteWorkloadIdentityPool", (call) => turnPool(call, "delete")]),
  route(["POST", path(`${one}:undelete`), "UndeleteWorkloadIdentityPool", (call) => turnPool(call, "undelete")]),
  route(["POST", path(below), "CreateWorkloadIdentityPoolProvider", createPoolProvider]),
  route(["GET", path(below), "ListWorkloadIdentityPoolProviders", listPoolProviders]),
  route([
    "GET",
    path(inner),
    "GetWorkloadIdentityPoolProvider",
    (call) => shownPoolProvider(call, foundIn(call, "get")),
  ]),
  route(["PATCH", path(inner), "PatchWorkloadIdentityPoolProvider", patchPoolProvider]),
  route(["DELETE", path(inner), "DeleteWorkloadIdentityPoolProvider", (call) => turnPoolProvider(call, "delete")]),
  route([
    "POST",
    path(`${inner}:undelete`),
    "UndeleteWorkloadIdentityPoolProvider",
    (call) => turnPoolProvider(call, "undelete"),
  ]),
  {
    ...{ method: "POST", pattern: path(`${one}:getIamPolicy`), operation: "GetIamPolicy", write: false },
    run: (call) => readable(call, "getIamPolicy").policy ?? emptyPolicy,
  },
  route(["POST", path(`${one}:setIamPolicy`), "SetIamPolicy", setPolicy]),
  {
    ...{ method: "POST", pattern: path(`${one}:testIamPermissions`), operation: "TestIamPermissions", write: false },
    run: testPermissions,
  },
  route(["GET", path(`${one}(?:/providers/[^/]+)?/operations/([^/]+)`), "GetOperation", operation]),
];

const gone = (): GoogleError => new GoogleError([404, "NOT_FOUND"], "Requested entity was not found.");

function permitted({ parts, host, principal }: RestCall, permission: string): string {
  const project = projectOf(host, parts[0] ?? "").id;
  requireApi(host, project, "iam.googleapis.com");
  require_(principal, { permission: `iam.${permission}`, project }, host);
  return project;
}

/** A read sees what has reached it, a write what is there. */
const viewOf = ({ host }: RestCall, verb: string) =>
  verb === "get" ? (host.view === host.state ? host.propagated : host.view) : host.state;

function readable(call: RestCall, verb = "get"): StoredPool {
  const project = permitted(call, `workloadIdentityPools.${verb}`);
  const found = viewOf(call, verb).get<StoredPool>(poolKey(project, call.parts[1] ?? ""));
  const pool = stillThere(found, call.host.now());
  if (!pool) throw gone();
  return pool;
}

/** Deleted with its pool, or by itself. */
function foundIn(call: RestCall, verb: string): StoredPoolProvider {
  const project = permitted(call, `workloadIdentityPoolProviders.${verb}`);
  const [, pool = "", id = ""] = call.parts;
  const view = viewOf(call, verb);
  const found = stillThere(view.get<StoredPoolProvider>(poolProviderKey(project, pool, id)), call.host.now());
  const around = stillThere(view.get<StoredPool>(poolKey(project, pool)), call.host.now());
  if (!found || !around) throw gone();
  const deletedAt = found.deletedAt ?? around.deletedAt;
  return deletedAt === undefined ? found : { ...found, deletedAt };
}

/** What is false or empty is left out, as Google does. */
const common = ({ displayName, description, disabled, deletedAt }: StoredPool, beta: boolean) => ({
  ...(displayName ? { displayName } : {}),
  ...(description ? { description } : {}),
  ...(disabled ? { disabled } : {}),
  state: deletedAt === undefined ? "ACTIVE" : "DELETED",
  ...(deletedAt === undefined || beta ? {} : { expireTime: expiryOf(deletedAt) }),
});

const isBeta = ({ request }: RestCall): boolean => request.path.includes("/v1beta/");

/** v1beta knows nothing of sessions, modes and trust of other pools, and hides them (google.md, trap 6). */
function shownPool(call: RestCall, pool: StoredPool) {
  const { sessionDuration, mode, inlineTrustConfig, inlineCertificateIssuanceConfig } = pool;
  const newer = { sessionDuration, mode, inlineTrustConfig, inlineCertificateIssuanceConfig };
  const beta = isBeta(call);
  return { name: poolNameOf(call.host, pool), ...common(pool, beta), ...(beta ? {} : newer) };
}

/** v1beta knows no uploaded keys, and hides them (google.md, trap 6). */
function shownPoolProvider(call: RestCall, found: StoredPoolProvider) {
  const { attributeMapping, attributeCondition, aws, oidc, saml, x509 } = found;
  const { jwksJson, ...plain } = oidc ?? {};
  const beta = isBeta(call);
  return {
    name: `${poolNameOf(call.host, { project: found.project, id: found.pool })}/providers/${found.id}`,
    ...common(found, beta),
    ...(attributeMapping ? { attributeMapping } : {}),
    ...(attributeCondition ? { attributeCondition } : {}),
    ...(aws ? { aws } : {}),
    ...(oidc ? { oidc: { ...plain, ...(jwksJson && !beta ? { jwksJson } : {}) } } : {}),
    ...(saml && !beta ? { saml } : {}),
    ...(x509 && !beta ? { x509 } : {}),
  };
}

/** Done at once where writes are seen at once, else when they are: then it has to be asked for again (wire.md 4.2). */
function began(host: Host, name: string, response: unknown) {
  const id = `op${host.state.next("google.operation")}`;
  host.state.put(`google.operation/${id}`, { name: `${name}/operations/${id}`, response });
  return shownOperation(host, id);
}

function shownOperation(host: Host, id: string) {
  const known = host.state.get<{ name: string; response: unknown }>(`google.operation/${id}`);
  if (!known) throw gone();
  const done = host.propagated.get(`google.operation/${id}`) !== undefined;
  return { name: known.name, ...(done ? { done, response: known.response } : {}) };
}

const typed = (kind: string, body: object) => ({ "@type": `type.googleapis.com/google.iam.v1.${kind}`, ...body });

function operation(call: RestCall) {
  permitted(call, "workloadIdentityPools.get");
  return shownOperation(call.host, call.parts[2] ?? "");
}

function savedPool(call: RestCall, pool: StoredPool) {
  const { host } = call;
  host.state.put(poolKey(pool.project, pool.id), pool);
  return began(host, poolNameOf(host, pool), typed("WorkloadIdentityPool", shownPool(call, pool)));
}

function savedPoolProvider(call: RestCall, found: StoredPoolProvider) {
  call.host.state.put(poolProviderKey(found.project, found.pool, found.id), found);
  const shown = shownPoolProvider(call, found);
  return began(call.host, shown.name, typed("WorkloadIdentityPoolProvider", shown));
}

function createPool(call: RestCall) {
  const project = permitted(call, "workloadIdentityPools.create");
  const id = idFrom(call.request.query.get("workloadIdentityPoolId"));
  if (stillThere(call.host.state.get<StoredPool>(poolKey(project, id)), call.host.now())) throw taken();
  const fields = checkFields(fieldsOf(call.body, "pool"));
  // What an expired one held went with it: a pool of the same id begins with nothing.
  for (const [key] of call.host.state.list(poolProviderKey(project, id, ""))) call.host.state.delete(key);
  return savedPool(call, { project, id, displayName: "", description: "", disabled: false, ...fields });
}

function listPools(call: RestCall) {
  const project = permitted(call, "workloadIdentityPools.list");
  const all = call.host.view.list<StoredPool>(poolKey(project, "")).map(([, pool]) => pool);
  const { items, more } = paged(call, withDeleted(call, all), pages(1000));
  const pools = items.map((pool) => shownPool(call, pool));
  return { ...(pools.length > 0 ? { workloadIdentityPools: pools } : {}), ...more };
}

/** gcloud writes `False` (wire.md, trap 17). */
const withDeleted = <T extends StoredPool>({ request, host }: RestCall, all: readonly T[]): readonly T[] => {
  const deleted = request.query.get("showDeleted")?.toLowerCase() === "true";
  return all.filter((one) => stillThere(one, host.now()) && (deleted || one.deletedAt === undefined));
};

/** google.md 6.1. */
const pages = (most: number) => ({ size: 50, most });

function alive<T extends StoredPool>(found: T): T {
  if (found.deletedAt === undefined) return found;
  throw new GoogleError([400, "FAILED_PRECONDITION"], "Precondition check failed.");
}

function patchPool(call: RestCall) {
  const pool = alive(readable(call, "update"));
  const given = fieldsOf(call.body, "pool");
  const mask = call.request.query.get("updateMask");
  const changed = patched<StoredPool>(pool, given, { mask, allowed: maskable("pool") });
  checkFields(changed as Fields);
  return savedPool(call, changed);
}

function turnPool(call: RestCall, how: "delete" | "undelete") {
  const { deletedAt, ...pool } = readable(call, how);
  if ((deletedAt === undefined) !== (how === "delete"))
    throw new GoogleError([400, "FAILED_PRECONDITION"], "Precondition check failed.");
  return savedPool(call, how === "delete" ? { ...pool, deletedAt: call.host.now() } : pool);
}

function createPoolProvider(call: RestCall) {
  const project = permitted(call, "workloadIdentityPoolProviders.create");
  const pool = alive(readable(call, "get"));
  const id = idFrom(call.request.query.get("workloadIdentityPoolProviderId"));
  if (stillThere(call.host.state.get<StoredPool>(poolProviderKey(project, pool.id, id)), call.host.now()))
    throw taken();
  const fields = checkFields(fieldsOf(call.body, "poolProvider"), "new");
  refuseSource(call.host, { project, pool: pool.id }, fields);
  return savedPoolProvider(call, { project, pool: pool.id, id, ...fields } as StoredPoolProvider);
}

function listPoolProviders(call: RestCall) {
  const project = permitted(call, "workloadIdentityPoolProviders.list");
  const pool = readable(call, "get");
  const all = call.host.view.list<StoredPoolProvider>(poolProviderKey(project, pool.id, "")).map(([, found]) => found);
  const around = pool.deletedAt === undefined ? all : all.map((one) => ({ ...one, deletedAt: pool.deletedAt ?? 0 }));
  const { items, more } = paged(call, withDeleted(call, around), pages(100));
  const found = items.map((one) => shownPoolProvider(call, one));
  return { ...(found.length > 0 ? { workloadIdentityPoolProviders: found } : {}), ...more };
}

const sources = ["aws", "oidc", "saml", "x509"] as const;

/** A whole source, or one field of it: `oidc.allowedAudiences`. Its type never changes: 400 (google.md 6.1). */
function patchPoolProvider(call: RestCall) {
  const found = alive(foundIn(call, "update"));
  const mask = call.request.query.get("updateMask");
  const given = fieldsOf(call.body, "poolProvider");
  const changed = patched<StoredPoolProvider>(found, given, { mask, allowed: maskable("poolProvider") });
  if (sources.some((name) => (changed[name] === undefined) !== (found[name] === undefined)))
    throw new GoogleError(
      [400, "INVALID_ARGUMENT"],
      "The type of a workload identity pool provider cannot be changed.",
    );
  checkFields(changed as Fields, "new");
  refuseSource(call.host, found, changed as Fields);
  return savedPoolProvider(call, changed);
}

function turnPoolProvider(call: RestCall, how: "delete" | "undelete") {
  const { deletedAt, ...found } = foundIn(call, how);
  // Inside a deleted pool nothing lives; the words are approximate.
  if (how === "undelete") alive(readable(call, "get"));
  if ((deletedAt === undefined) !== (how === "delete"))
    throw new GoogleError([400, "FAILED_PRECONDITION"], "Precondition check failed.");
  return savedPoolProvider(call, how === "delete" ? { ...found, deletedAt: call.host.now() } : found);
}

function setPolicy(call: RestCall) {
  const pool = alive(readable(call, "setIamPolicy"));
  const given = (call.body.policy ?? {}) as Partial<StoredPolicy>;
  const policy = checkedPolicy(call.host, pool.policy ?? emptyPolicy, given);
  call.host.state.put(poolKey(pool.project, pool.id), { ...pool, policy });
  return policy;
}

/** Asks no permission: whoever holds none is told so by the answer. */
function testPermissions({ parts, body, host, principal }: RestCall) {
  const project = projectOf(host, parts[0] ?? "").id;
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const permissions = asked.filter((permission) => may(principal, { permission, project }, host));
  return permissions.length > 0 ? { permissions } : {};
}
