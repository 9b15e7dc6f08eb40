import { createHash } from "node:crypto";
import { characters, type Host } from "../../../sandbox/fake.ts";
import { denied, may, require_ } from "./access.ts";
import {
  folderOf,
  foldersIn,
  lineOf,
  organizationOf,
  ownOrganization,
  type StoredFolder,
  saveFolder,
} from "./hierarchy.ts";
import { finished, type Operation } from "./operations.ts";
import { policyRoutes } from "./policy-routes.ts";
import { GoogleError, type RestCall, type Route } from "./rest.ts";
import { checkedPolicy, nextPolicy, type StoredPolicy } from "./store.ts";

const base = /^\/(v[23])\/folders/.source;
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);
const one = "/(\\d+)";

/** Folders of Resource Manager v2 and v3: gcloud asks the older one. */
export const folderRoutes: readonly Route[] = [
  { method: "POST", pattern: path(""), operation: "CreateFolder", write: true, run: create },
  { method: "GET", pattern: path(""), operation: "ListFolders", write: false, run: list },
  {
    method: "GET",
    pattern: path(one),
    operation: "GetFolder",
    write: false,
    run: (call) => shown(held(call, "get"), call),
  },
  { method: "PATCH", pattern: path(one), operation: "UpdateFolder", write: true, run: rename },
  { method: "POST", pattern: path(`${one}:move`), operation: "MoveFolder", write: true, run: move },
  ...policyRoutes((rest) => path(`${one}${rest}`), {
    get: (call) => held(call, "getIamPolicy").policy,
    set: setPolicy,
    test,
  }),
];

/** A folder that is not there and one that the caller may not see have the same answer. */
function held({ parts, host, principal }: RestCall, verb: string): StoredFolder {
  const id = parts[1] ?? "";
  const permission = `resourcemanager.folders.${verb}`;
  const folder = folderOf(host, id);
  if (!folder) throw denied(permission);
  require_(principal, { permission, above: `folders/${id}` }, host);
  return folder;
}

/** The one word that differs between the versions is that of the state. */
const shown = ({ id, parent, displayName }: StoredFolder, { parts }: Pick<RestCall, "parts">) => ({
  name: `folders/${id}`,
  parent,
  displayName,
  [parts[0] === "v2" ? "lifecycleState" : "state"]: "ACTIVE",
  createTime: "2026-01-01T00:00:00Z",
});

const invalid = (): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], "Request contains an invalid argument.");

/** In v2 the parent is a parameter, in v3 it stands in the body. The folder's creator administrates it. */
function create(call: RestCall): Operation {
  const { body, host, principal } = call;
  const parent = call.request.query.get("parent") ?? String(body.parent ?? "");
  const displayName = String(body.displayName ?? "");
  if (!/^.{3,30}$/.test(displayName)) throw invalid();
  requireBelow(call, parent, "create");
  const taken = nameTaken(host, parent, displayName);
  if (taken) return finished(host, "fc", taken);
  const bindings = ["roles/resourcemanager.folderAdmin", "roles/resourcemanager.folderEditor"].map((role) => ({
    role,
    members: [principal.member],
  }));
  const folder: StoredFolder = { id: newId(host), displayName, parent, policy: nextPolicy(host, bindings, 1) };
  saveFolder(host, folder);
  return finished(host, "fc", { response: typed(folder, call) });
}

/** What is done to the folders of a parent takes the permission on the parent; one that is not there has none. */
function requireBelow({ host, principal }: RestCall, parent: string, verb: string): void {
  const [kind, id = ""] = parent.split("/");
  const there = kind === "organizations" ? organizationOf(host, id) : folderOf(host, id);
  const permission = `resourcemanager.folders.${verb}`;
  if (!there) throw denied(permission);
  require_(principal, { permission, above: parent }, host);
}

/** Twelve digits, by a counter: the same in every sandbox. */
const newId = (host: Host): string =>
  `2${characters(
    createHash("sha256")
      .update(`folder/${host.state.next("google.folder")}`)
      .digest(),
    "0123456789",
    11,
  )}`;

const typed = (folder: StoredFolder, { parts }: Pick<RestCall, "parts">) => {
  const type = `type.googleapis.com/google.cloud.resourcemanager.${parts[0]}.Folder`;
  return { "@type": type, ...shown(folder, { parts }) };
};

/** Siblings have different names; the words are recorded, and come in the operation. */
function nameTaken(host: Host, parent: string, displayName: string): Pick<Operation, "error"> | undefined {
  if (!foldersIn(host, parent).some((folder) => folder.displayName === displayName)) return undefined;
  const message = `Folder reservation failed for parent [${parent}], folder [] due to constraint: The folder operation violates display name uniqueness within the parent.`;
  return { error: { code: 9, message } };
}

function list(call: RestCall) {
  const { host, request } = call;
  const parent = request.query.get("parent") ?? `organizations/${ownOrganization}`;
  requireBelow(call, parent, "list");
  const folders = foldersIn(host, parent).map((folder) => shown(folder, call));
  return folders.length > 0 ? { folders } : {};
}

function rename(call: RestCall) {
  const folder = held(call, "update");
  const displayName = String(call.body.displayName ?? "");
  if (!/^.{3,30}$/.test(displayName)) throw invalid();
  const next = { ...folder, displayName };
  saveFolder(call.host, next);
  return shown(next, call);
}

/** Not below itself; the words are approximate. */
function move(call: RestCall): Operation {
  const folder = held(call, "move");
  const parent = String(call.body.destinationParent ?? "");
  requireBelow(call, parent, "move");
  if (lineOf(call.host, parent).some(({ name }) => name === `folders/${folder.id}`))
    throw new GoogleError([400, "FAILED_PRECONDITION"], "The folder operation would introduce a cycle.");
  const next = { ...folder, parent };
  saveFolder(call.host, next);
  return finished(call.host, "fm", { response: typed(next, call) });
}

function setPolicy(call: RestCall) {
  const folder = held(call, "setIamPolicy");
  const policy = checkedPolicy(call.host, folder.policy, (call.body.policy ?? {}) as Partial<StoredPolicy>);
  saveFolder(call.host, { ...folder, policy });
  return policy;
}

function test({ parts, body, host, principal }: RestCall) {
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const permissions = asked.filter((permission) => may(principal, { permission, above: `folders/${parts[1]}` }, host));
  return permissions.length > 0 ? { permissions } : {};
}
