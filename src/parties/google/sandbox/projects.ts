import { may, principalOf, require_, requireApi } from "./access.ts";
import { type RestCall, type Route, restFake } from "./rest.ts";
import {
  checkedPolicy,
  type ListPolicy,
  projectOf,
  type StoredPolicy,
  type StoredProject,
  saveProject,
} from "./store.ts";

const one = "^/v1/projects/([^/:]+)";
const path = (rest: string): RegExp => new RegExp(`${one}${rest}$`);

const routes: readonly Route[] = [
  { method: "GET", pattern: /^\/v1\/projects$/, operation: "ListProjects", write: false, run: list },
  { method: "GET", pattern: path(""), operation: "GetProject", write: false, run: (call) => shown(held(call, "get")) },
  {
    method: "POST",
    pattern: path(":getIamPolicy"),
    operation: "GetIamPolicy",
    write: false,
    run: (call) => held(call, "getIamPolicy").policy,
  },
  { method: "POST", pattern: path(":setIamPolicy"), operation: "SetIamPolicy", write: true, run: setPolicy },
  { method: "POST", pattern: path(":testIamPermissions"), operation: "TestIamPermissions", write: false, run: test },
  {
    method: "POST",
    pattern: path(":getEffectiveOrgPolicy"),
    operation: "GetEffectiveOrgPolicy",
    write: false,
    run: getConstraint,
  },
  { method: "POST", pattern: path(":getOrgPolicy"), operation: "GetOrgPolicy", write: false, run: getConstraint },
  { method: "POST", pattern: path(":setOrgPolicy"), operation: "SetOrgPolicy", write: true, run: setConstraint },
];

/** Cloud Resource Manager v1 (wire.md 4.3). */
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
const shown = (project: StoredProject) => ({
  projectNumber: project.number,
  projectId: project.id,
  lifecycleState: "ACTIVE",
  name: project.id,
  createTime: "2026-01-01T00:00:00Z",
  ...(project.noOrganization ? {} : { parent: { type: "organization", id: "111111111111" } }),
});

function list({ host }: RestCall) {
  return { projects: host.state.list<StoredProject>("google.project/").map(([, project]) => shown(project)) };
}

function setPolicy(call: RestCall) {
  const project = held(call, "setIamPolicy");
  const policy = checkedPolicy(call.host, project.policy, (call.body.policy ?? {}) as Partial<StoredPolicy>);
  saveProject(call.host, { ...project, policy });
  return policy;
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
