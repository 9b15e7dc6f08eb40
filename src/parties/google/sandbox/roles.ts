import { createHash } from "node:crypto";
import type { Host } from "../../../sandbox/fake.ts";
import { denied, require_, requireApi } from "./access.ts";
import { organizationOf } from "./hierarchy.ts";
import { aboveProjects, permissions, predefinedRoles, roleHolds } from "./predefined-roles.ts";
import { GoogleError, paged, type RestCall, type Route } from "./rest.ts";
import { projectOf, type StoredRole, sameEtag } from "./store.ts";

const base = /^\/v1\/(projects|organizations)\/([^/]+)\/roles/.source;
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

/** Custom roles of projects and of the organization, and the predefined ones: a part of IAM Admin v1. */
export const roleRoutes: readonly Route[] = [
  { method: "POST", pattern: path(""), operation: "CreateRole", write: true, run: create },
  { method: "GET", pattern: path(""), operation: "ListRoles", write: false, run: list },
  {
    method: "GET",
    pattern: path("/([^/:]+)"),
    operation: "GetRole",
    write: false,
    run: (call) => shown(held(call, "get")),
  },
  { method: "PATCH", pattern: path("/([^/:]+)"), operation: "UpdateRole", write: true, run: patch },
  { method: "DELETE", pattern: path("/([^/:]+)"), operation: "DeleteRole", write: true, run: remove },
  { method: "POST", pattern: path("/([^/:]+):undelete"), operation: "UndeleteRole", write: true, run: undelete },
  { method: "GET", pattern: /^\/v1\/roles$/, operation: "ListRoles", write: false, run: listPredefined },
  { method: "GET", pattern: /^\/v1\/(roles\/[^/:]+)$/, operation: "GetRole", write: false, run: getPredefined },
  {
    method: "POST",
    pattern: /^\/v1\/permissions:queryTestablePermissions$/,
    operation: "QueryTestablePermissions",
    write: false,
    run: testable,
  },
];

const day = 86_400_000;
/** Days for which `undelete` brings a role back, and for which its id is taken (IAM's documentation of custom roles). */
const kept = { undelete: 7 * day, id: 37 * day } as const;

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);
const keyOf = (name: string): string => `google.role/${name}`;

/** The name of the project or the organization whose roles are meant, once the caller may do with them what the verb says. */
function checked({ parts, host, principal }: RestCall, verb: string): string {
  const [kind, name = ""] = parts;
  const permission = `iam.roles.${verb}`;
  if (kind === "organizations") {
    const above = `organizations/${name}`;
    if (!organizationOf(host, name)) throw denied(permission);
    require_(principal, { permission, above }, host);
    return above;
  }
  const { id } = projectOf(host, name);
  requireApi(host, id, "iam.googleapis.com");
  require_(principal, { permission, project: id }, host);
  return `projects/${id}`;
}

/** A deleted role is found too, and says that it is deleted; one whose time is over is gone. */
function found(host: Host, name: string): StoredRole | undefined {
  const role = host.state.get<StoredRole>(keyOf(name));
  return role?.deletedAt !== undefined && role.deletedAt + kept.id <= host.now() ? undefined : role;
}

function held(call: RestCall, verb: string): StoredRole {
  const name = `${checked(call, verb)}/roles/${call.parts[2] ?? ""}`;
  const role = found(call.host, name);
  if (!role) throw new GoogleError([404, "NOT_FOUND"], `The role named ${name} was not found.`);
  return role;
}

/** A list of roles has no permissions unless it is asked for the full view. */
const shown = ({ permissions, deletedAt, ...rest }: StoredRole, full = true) => ({
  ...rest,
  ...(full && permissions.length > 0 ? { includedPermissions: permissions } : {}),
  ...(deletedAt === undefined ? {} : { deleted: true }),
});

/** What a caller may say of a role. */
interface Given {
  readonly title?: string;
  readonly description?: string;
  readonly stage?: string;
  readonly includedPermissions?: readonly string[];
  readonly etag?: string;
}

const etagOf = (host: Host): string =>
  createHash("sha256")
    .update(`role/${host.state.next("google.role")}`)
    .digest()
    .subarray(0, 8)
    .toString("base64");

/** A role of a project holds nothing that is about what stands above the project. */
function permissionsOf({ includedPermissions = [] }: Given, holder: string): readonly string[] {
  const above = holder.startsWith("projects/") ? aboveProjects : () => false;
  const bad = includedPermissions.find((one) => !/^[a-z][\w-]*(\.[\w-]+)+$/i.test(one) || above(one));
  if (bad !== undefined) throw invalid(`Permission ${bad} is not valid.`);
  return [...new Set(includedPermissions)].sort();
}

/** The id of a deleted role stays taken, and that is refused in other words than a living one. */
function create(call: RestCall) {
  const { host, body } = call;
  const holder = checked(call, "create");
  const { roleId: id = "", role: given = {} } = body as { roleId?: string; role?: Given };
  if (!/^[\w.]{3,64}$/.test(id))
    throw invalid(`The role_id ${id} is not valid: 3 to 64 letters, digits, _ and periods.`);
  const name = `${holder}/roles/${id}`;
  const known = found(host, name);
  if (known?.deletedAt !== undefined)
    throw new GoogleError(
      [400, "FAILED_PRECONDITION"],
      `You can't create a role_id (${id}) which has been marked for deletion.`,
    );
  if (known) throw new GoogleError([409, "ALREADY_EXISTS"], `A role named ${id} in ${holder} already exists.`);
  const { title, description, stage = "ALPHA" } = given;
  const role: StoredRole = {
    name,
    stage,
    permissions: permissionsOf(given, holder),
    etag: etagOf(host),
    ...(title ? { title } : {}),
    ...(description ? { description } : {}),
  };
  host.state.put(keyOf(role.name), role);
  return shown(role);
}

/** What the mask names, else what the body carries. */
function patch(call: RestCall) {
  const role = held(call, "update");
  if (role.deletedAt !== undefined) throw deleted(role);
  const given = call.body as Given;
  checkEtag(given, role);
  const mask = (call.request.query.get("updateMask") ?? Object.keys(given).join(",")).split(",");
  const takes = (name: string): boolean => mask.includes(name) || mask.includes(name.replace(/P/, "_p"));
  const next: StoredRole = {
    ...role,
    ...(takes("title") ? { title: given.title ?? "" } : {}),
    ...(takes("description") ? { description: given.description ?? "" } : {}),
    ...(takes("stage") && given.stage ? { stage: given.stage } : {}),
    ...(takes("includedPermissions") ? { permissions: permissionsOf(given, role.name) } : {}),
    etag: etagOf(call.host),
  };
  call.host.state.put(keyOf(role.name), next);
  return shown(next);
}

const deleted = ({ name }: StoredRole): GoogleError =>
  new GoogleError([400, "FAILED_PRECONDITION"], `The role named ${name} is deleted: undelete it first.`);

function checkEtag({ etag }: Given, role: StoredRole): void {
  if (etag === undefined || etag === "" || sameEtag(etag, role.etag)) return;
  throw new GoogleError(
    [409, "ABORTED"],
    "There were concurrent changes to the role. Please retry the whole read-modify-write with exponential backoff.",
  );
}

function list(call: RestCall) {
  const holder = checked(call, "list");
  const { query } = call.request;
  const full = query.get("view") === "FULL";
  const gone = /^true$/i.test(query.get("showDeleted") ?? "");
  const all = call.host.view
    .list<StoredRole>(keyOf(`${holder}/roles/`))
    .flatMap(([, { name }]) => found(call.host, name) ?? []);
  const roles = all.filter(({ deletedAt }) => gone || deletedAt === undefined).map((role) => shown(role, full));
  return roles.length > 0 ? { roles } : {};
}

/** Bindings stay as they are and give nothing until it comes back. */
function remove(call: RestCall) {
  const role = held(call, "delete");
  if (role.deletedAt !== undefined) throw deleted(role);
  const next = { ...role, deletedAt: call.host.now(), etag: etagOf(call.host) };
  call.host.state.put(keyOf(role.name), next);
  return shown(next);
}

function undelete(call: RestCall) {
  const role = held(call, "undelete");
  const { deletedAt, ...restored } = role;
  if (deletedAt === undefined || deletedAt + kept.undelete <= call.host.now())
    throw new GoogleError([400, "FAILED_PRECONDITION"], `The role named ${role.name} can not be undeleted.`);
  const next = { ...restored, etag: etagOf(call.host) };
  call.host.state.put(keyOf(role.name), next);
  return shown(next);
}

/** Anybody who is signed in may read what a predefined role includes. */
const predefined = (name: string, full: boolean) => ({
  name,
  title: name.replace(/^roles\/(?:\w+\.)?/, ""),
  ...(full ? { includedPermissions: permissions.filter((one) => roleHolds(name, one)) } : {}),
  stage: "GA",
  etag: "AA==",
});

function getPredefined({ parts }: RestCall) {
  const name = parts[0] ?? "";
  if (!predefinedRoles.includes(name))
    throw new GoogleError([404, "NOT_FOUND"], `The role named ${name} was not found.`);
  return predefined(name, true);
}

function listPredefined(call: RestCall) {
  const full = call.request.query.get("view") === "FULL";
  const { items, more } = paged(call, predefinedRoles, { size: 300, most: 1000 });
  return { roles: items.map((name) => predefined(name, full)), ...more };
}

/** gcloud asks this before it makes a custom role, to warn of permissions that such a role cannot hold. */
function testable(call: RestCall) {
  const resource = String(call.body.fullResourceName ?? "");
  const above = resource.includes("/projects/") ? aboveProjects : () => false;
  const size = Number(call.body.pageSize ?? 100) || 100;
  const from = Number(call.body.pageToken ?? 0) || 0;
  const all = permissions.filter((one) => !above(one));
  const more = from + size < all.length ? { nextPageToken: String(from + size) } : {};
  return { permissions: all.slice(from, from + size).map((name) => ({ name, stage: "GA" })), ...more };
}
