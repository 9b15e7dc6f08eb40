import { may, principalOf, require_, requireApi } from "./access.ts";
import { folderRoutes } from "./folders.ts";
import { lineOf, parentOf } from "./hierarchy.ts";
import { finished, operationRoutes } from "./operations.ts";
import { organizationRoutes } from "./organizations.ts";
import { GoogleError, type RestCall, type Route, restFake } from "./rest.ts";
import {
  checkedPolicy,
  type ListPolicy,
  projectOf,
  type StoredPolicy,
  type StoredProject,
  saveProject,
} from "./store.ts";

const path = (rest: string, versions = "1"): RegExp => new RegExp(`^/v[${versions}]/projects/([^/:]+)${rest}$`);

const routes: readonly Route[] = [
  { method: "GET", pattern: /^\/v1\/projects$/, operation: "ListProjects", write: false, run: list },
  { method: "POST", pattern: /^\/v1\/projects$/, operation: "CreateProject", write: true, run: create },
  {
    method: "GET",
    pattern: path(""),
    operation: "GetProject",
    write: false,
    run: (call) => shown(held(call, "get")),
  },
  {
    method: "GET",
    pattern: path("", "3"),
    operation: "GetProject",
    write: false,
    run: (call) => shownV3(held(call, "get")),
  },
  { method: "PUT", pattern: path(""), operation: "UpdateProject", write: true, run: update },
  { method: "POST", pattern: path(":getAncestry"), operation: "GetAncestry", write: false, run: ancestry },
  {
    method: "POST",
    pattern: path(":getIamPolicy", "13"),
    operation: "GetIamPolicy",
    write: false,
    run: (call) => held(call, "getIamPolicy").policy,
  },
  { method: "POST", pattern: path(":setIamPolicy", "13"), operation: "SetIamPolicy", write: true, run: setPolicy },
  {
    method: "POST",
    pattern: path(":testIamPermissions", "13"),
    operation: "TestIamPermissions",
    write: false,
    run: test,
  },
  {
    method: "POST",
    pattern: path(":getEffectiveOrgPolicy"),
    operation: "GetEffectiveOrgPolicy",
    write: false,
    run: getConstraint,
  },
  { method: "POST", pattern: path(":getOrgPolicy"), operation: "GetOrgPolicy", write: false, run: getOwnConstraint },
  {
    method: "POST",
    pattern: path(":clearOrgPolicy"),
    operation: "ClearOrgPolicy",
    write: true,
    run: (call) => clearConstraint(call, String(call.body.constraint ?? "")),
  },
  { method: "POST", pattern: path(":setOrgPolicy"), operation: "SetOrgPolicy", write: true, run: setConstraint },
  ...folderRoutes,
  ...organizationRoutes,
  ...operationRoutes,
];

/** Cloud Resource Manager v1 (wire.md 4.3), with the parts of v2 and v3 that are about who may do what. */
export const projects = restFake(
  { service: "google.cloudresourcemanager", hosts: ["cloudresourcemanager.googleapis.com"], routes },
  principalOf,
);

const billingRoutes: readonly Route[] = [
  {
    method: "GET",
    pattern: /^\/v1\/projects\/([^/:]+)\/billingInfo$/,
    operation: "GetBillingInfo",
    write: false,
    run: billing,
  },
];

/** Cloud Billing v1: whether a project has an account. Every one has here, and anybody signed in may ask. */
export const cloudbilling = restFake(
  { service: "google.cloudbilling", hosts: ["cloudbilling.googleapis.com"], routes: billingRoutes },
  principalOf,
);

function held({ parts, host, principal }: RestCall, verb: string): StoredProject {
  const project = projectOf(host, parts[0] ?? "");
  requireApi(host, project.id, "cloudresourcemanager.googleapis.com");
  require_(principal, { permission: `resourcemanager.projects.${verb}`, project: project.id }, host);
  return project;
}

/** Always active and always of the same age: a sandbox's output can be compared. */
const shown = (project: StoredProject) => {
  const [kind = "", id] = (parentOf(project) ?? "").split("/");
  return {
    projectNumber: project.number,
    projectId: project.id,
    lifecycleState: "ACTIVE",
    name: project.title ?? project.id,
    createTime: "2026-01-01T00:00:00Z",
    ...(id === undefined ? {} : { parent: { type: kind.replace(/s$/, ""), id } }),
  };
};

const shownV3 = (project: StoredProject) => {
  const parent = parentOf(project);
  return {
    name: `projects/${project.number}`,
    projectId: project.id,
    state: "ACTIVE",
    displayName: project.title ?? project.id,
    createTime: "2026-01-01T00:00:00Z",
    ...(parent === undefined ? {} : { parent }),
  };
};

interface Given {
  readonly projectId?: string;
  readonly name?: string;
  readonly parent?: { readonly type?: string; readonly id?: string };
}

/** Where a caller wants a project to be: it must exist, and the caller may create projects there. */
function placeFor({ host, principal }: RestCall, { parent }: Given): Pick<StoredProject, "parent" | "noOrganization"> {
  if (!parent) return { noOrganization: true };
  const above = `${parent.type}s/${parent.id}`;
  require_(principal, { permission: "resourcemanager.projects.create", above }, host);
  return { parent: above };
}

/** Whoever creates a project owns it, and here that is the operator. Without a parent it is below no organization. */
function create(call: RestCall) {
  const { host } = call;
  const given = call.body as Given;
  const { projectId: id = "", name } = given;
  if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(id))
    throw new GoogleError(
      [400, "INVALID_ARGUMENT"],
      "field [project_id] has issue [project_id contains invalid characters]",
    );
  if (host.state.get(`google.project/${id}`))
    throw new GoogleError([409, "ALREADY_EXISTS"], "Requested entity already exists");
  const place = placeFor(call, given);
  const project = { ...projectOf(host, id), ...place, ...(name && name !== id ? { title: name } : {}) };
  saveProject(host, project);
  const type = "type.googleapis.com/google.cloudresourcemanager.v1.Project";
  return finished(host, "cp", { response: { "@type": type, ...shown(project) } });
}

/** Renames a project, or moves it to another parent. */
function update(call: RestCall) {
  const project = held(call, "update");
  const given = call.body as Given;
  const { noOrganization, parent, title, ...rest } = project;
  const there = shown(project).parent;
  const moves = given.parent?.id !== there?.id || given.parent?.type !== there?.type;
  const place = moves
    ? placeFor(call, given)
    : { ...(noOrganization ? { noOrganization } : {}), ...(parent ? { parent } : {}) };
  const name = given.name ?? title;
  const next: StoredProject = { ...rest, ...place, ...(name && name !== project.id ? { title: name } : {}) };
  saveProject(call.host, next);
  return shown(next);
}

/** The project itself first, the organization last. */
function ancestry(call: RestCall) {
  const project = held(call, "get");
  const above = lineOf(call.host, parentOf(project)).map(({ name }) => name.split("/"));
  const ids = [["projects", project.id], ...above];
  return { ancestor: ids.map(([kind = "", id]) => ({ resourceId: { type: kind.replace(/s$/, ""), id } })) };
}

function list({ host }: RestCall) {
  return { projects: host.state.list<StoredProject>("google.project/").map(([, project]) => shown(project)) };
}

function setPolicy(call: RestCall) {
  const project = held(call, "setIamPolicy");
  const given = (call.body.policy ?? {}) as Partial<StoredPolicy>;
  refusePublic(given);
  const policy = checkedPolicy(call.host, project.policy, given);
  saveProject(call.host, { ...project, policy });
  return policy;
}

/** A project cannot be public (reference of setIamPolicy); the words are those of another resource that cannot. */
function refusePublic({ bindings = [] }: Partial<StoredPolicy>): void {
  const found = bindings.flatMap(({ members = [] }) => members).find((one) => /^all(Authenticated)?Users$/.test(one));
  if (found === undefined) return;
  const says = `Member ${found} is invalid due to membership type restrictions on the resource.`;
  throw new GoogleError([400, "INVALID_ARGUMENT"], says);
}

/** Asks no permission: whoever holds none is told so by the answer. */
function test({ parts, body, host, principal }: RestCall) {
  const project = projectOf(host, parts[0] ?? "");
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const permissions = asked.filter((permission) => may(principal, { permission, project: project.id }, host));
  return permissions.length > 0 ? { permissions } : {};
}

/** Constraints on values, as far as they stop this product; without a policy of its own each allows everything. */
const lists = [
  "iam.workloadIdentityPoolProviders",
  "iam.workloadIdentityPoolAwsAccounts",
  "iam.allowServiceAccountCredentialLifetimeExtension",
].map((name) => `constraints/${name}`);

/**
 * Constraints of the organization, as far as they stop this product. There is no organization above a project here:
 * what is effective is what was set on it.
 */
function getConstraint(call: RestCall) {
  const constraint = String(call.body.constraint ?? "");
  const project = held(call, "get");
  if (lists.includes(constraint)) {
    return { constraint, listPolicy: project.lists?.[constraint] ?? { allValues: "ALLOW" } };
  }
  const enforced = project.constraints.includes(constraint);
  return { constraint, booleanPolicy: enforced ? { enforced } : {} };
}

/**
 * What was set on the project itself. Of a constraint that nobody has set there is neither kind of policy: gcloud refuses to
 * add values to one that says `allValues`.
 */
function getOwnConstraint(call: RestCall) {
  const constraint = String(call.body.constraint ?? "");
  const { lists: own, constraints } = held(call, "get");
  const listPolicy = own?.[constraint];
  if (listPolicy) return { constraint, listPolicy };
  return constraints.includes(constraint) ? { constraint, booleanPolicy: { enforced: true } } : { constraint };
}

/** Takes both kinds away, as if nobody had set any. */
function clearConstraint(call: RestCall, constraint: string) {
  const project = held(call, "setIamPolicy");
  const { [constraint]: _, ...others } = project.lists ?? {};
  const constraints = project.constraints.filter((one) => one !== constraint);
  saveProject(call.host, { ...project, constraints, lists: others });
  return {};
}

interface OrgPolicy {
  readonly constraint?: string;
  readonly booleanPolicy?: { readonly enforced?: boolean };
  readonly listPolicy?: ListPolicy;
}

function setConstraint(call: RestCall) {
  const { constraint = "", booleanPolicy, listPolicy } = (call.body.policy ?? {}) as OrgPolicy;
  const project = held(call, "setIamPolicy");
  if (lists.includes(constraint)) {
    saveProject(call.host, { ...project, lists: { ...project.lists, [constraint]: listPolicy ?? {} } });
    return { constraint, listPolicy: listPolicy ?? {} };
  }
  const others = project.constraints.filter((one) => one !== constraint);
  saveProject(call.host, { ...project, constraints: booleanPolicy?.enforced ? [...others, constraint] : others });
  return { constraint, booleanPolicy: booleanPolicy ?? {} };
}

function billing({ parts, host }: RestCall) {
  const { id } = projectOf(host, parts[0] ?? "");
  const account = "billingAccounts/000000-000000-000000";
  return { name: `projects/${id}/billingInfo`, projectId: id, billingAccountName: account, billingEnabled: true };
}
