import type { Host } from "../../../sandbox/fake.ts";
import { may, principalOf, require_, requireApi } from "./access.ts";
import { foundAccount } from "./accounts.ts";
import { denyPolicyRoutes } from "./deny-policies.ts";
import { keyRoutes } from "./keys.ts";
import { poolRoutes } from "./pools.ts";
import { GoogleError, paged, type RestCall, type Route, restFake } from "./rest.ts";
import { roleRoutes } from "./roles.ts";
import {
  accountOf,
  checkedPolicy,
  emptyPolicy,
  newUniqueId,
  projectOf,
  renameMembers,
  type StoredAccount,
  type StoredPolicy,
  saveAccount,
} from "./store.ts";

const base = /^\/v1\/projects\/([^/]+)\/serviceAccounts/.source;
/** Ends before a `:`, so that a custom method never looks like an account. */
const one = `${base}/([^/:]+)`;
const path = (pattern: string): RegExp => new RegExp(`${pattern}$`);

const routes: readonly Route[] = [
  { method: "POST", pattern: path(base), operation: "CreateServiceAccount", write: true, run: create },
  { method: "GET", pattern: path(base), operation: "ListServiceAccounts", write: false, run: list },
  {
    method: "GET",
    pattern: path(one),
    operation: "GetServiceAccount",
    write: false,
    run: (call) => shown(found(call, "get")),
  },
  { method: "PATCH", pattern: path(one), operation: "PatchServiceAccount", write: true, run: patch },
  { method: "PUT", pattern: path(one), operation: "UpdateServiceAccount", write: true, run: patch },
  { method: "DELETE", pattern: path(one), operation: "DeleteServiceAccount", write: true, run: remove },
  {
    method: "POST",
    pattern: path(`${one}:disable`),
    operation: "DisableServiceAccount",
    write: true,
    run: (call) => edit(call, "disable", { disabled: true }),
  },
  {
    method: "POST",
    pattern: path(`${one}:enable`),
    operation: "EnableServiceAccount",
    write: true,
    run: (call) => edit(call, "enable", { disabled: false }),
  },
  { method: "POST", pattern: path(`${one}:undelete`), operation: "UndeleteServiceAccount", write: true, run: undelete },
  {
    method: "POST",
    pattern: path(`${one}:getIamPolicy`),
    operation: "GetIamPolicy",
    write: false,
    run: (call) => policyOf(found(call, "getIamPolicy").policy),
  },
  { method: "POST", pattern: path(`${one}:setIamPolicy`), operation: "SetIamPolicy", write: true, run: setPolicy },
  {
    method: "POST",
    pattern: path(`${one}:testIamPermissions`),
    operation: "TestIamPermissions",
    write: false,
    run: testPermissions,
  },
  ...keyRoutes,
  ...roleRoutes,
];

/**
 * IAM Admin v1: service accounts (google.md 5, wire.md 4.1), and pools (pools.ts). The project `-` is taken too, because gcloud
 * mixes both forms (wire.md, trap 10).
 */
export const iam = restFake(
  { service: "google.iam", hosts: ["iam.googleapis.com"], routes: [...routes, ...poolRoutes, ...denyPolicyRoutes] },
  principalOf,
);

/** The account that a call names, once its caller may do with it what the verb says. */
const found = (call: RestCall, verb: string): StoredAccount => foundAccount(call, `iam.serviceAccounts.${verb}`);

/** Empty texts and false are left out, as Google does; `etag` is deprecated and constant (google.md 5). */
const shown = (account: StoredAccount) => ({
  name: `projects/${account.project}/serviceAccounts/${account.email}`,
  projectId: account.project,
  uniqueId: account.uniqueId,
  email: account.email,
  ...(account.displayName ? { displayName: account.displayName } : {}),
  ...(account.description ? { description: account.description } : {}),
  etag: "MDEwMjE5MjA=",
  oauth2ClientId: account.uniqueId,
  ...(account.disabled ? { disabled: true } : {}),
});

/** An empty policy has no `bindings` at all (google.md 12). */
const policyOf = (policy: StoredPolicy) => ({
  ...policy,
  ...(policy.bindings.length > 0 ? {} : { bindings: undefined }),
});

function create({ parts, body, host, principal }: RestCall) {
  const project = projectOf(host, parts[0] ?? "");
  requireApi(host, project.id, "iam.googleapis.com");
  require_(principal, { permission: "iam.serviceAccounts.create", project: project.id }, host);
  const id = String(body.accountId ?? "");
  if (!/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(id))
    throw invalid(`Service account ID must be between 6 and 30 characters.`);
  refuseByPolicy(host, project.id);
  const { displayName, description } = texts(body.serviceAccount);
  const email = `${id}@${project.id}.iam.gserviceaccount.com`;
  if (accountOf(host.state, email)) throw exists(email, project.id);
  const account: StoredAccount = {
    ...{ uniqueId: newUniqueId(host, email), email, project: project.id, policy: emptyPolicy },
    ...(displayName ? { displayName } : {}),
    ...(description ? { description } : {}),
  };
  saveAccount(host, account);
  host.state.put(`google.email/${email}`, account.uniqueId);
  return shown(account);
}

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

/** The recorded body of a second create (google.md 5). */
const exists = (email: string, project: string): GoogleError =>
  new GoogleError(
    [409, "ALREADY_EXISTS"],
    `Service account ${email.split("@")[0]} already exists within project projects/${project}.`,
    [
      {
        "@type": "type.googleapis.com/google.rpc.ResourceInfo",
        resourceName: `projects/${project}/serviceAccounts/${email}`,
      },
    ],
  );

/** The recorded answer of the organization policy that forbids it (google.md 5). */
function refuseByPolicy(host: Host, project: string): void {
  const constraint = "constraints/iam.disableServiceAccountCreation";
  if (!projectOf(host, project).constraints.includes(constraint)) return;
  const description = "Service account creation is not allowed on this project.";
  throw new GoogleError([400, "FAILED_PRECONDITION"], description, [
    {
      "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
      violations: [{ type: constraint, subject: `projects/${project}/serviceAccounts/?configvalue=`, description }],
    },
  ]);
}

/** Limits count bytes, not characters (google.md 5). */
function texts(value: unknown): { displayName?: string; description?: string } {
  const given = (value ?? {}) as { displayName?: string; description?: string };
  if (Buffer.byteLength(given.displayName ?? "") > 100) throw invalid("The display name is longer than 100 bytes.");
  if (Buffer.byteLength(given.description ?? "") > 256) throw invalid("The description is longer than 256 bytes.");
  return given;
}

function list(call: RestCall) {
  const { parts, host, principal } = call;
  const project = projectOf(host, parts[0] ?? "");
  requireApi(host, project.id, "iam.googleapis.com");
  require_(principal, { permission: "iam.serviceAccounts.list", project: project.id }, host);
  const all = host.view
    .list<StoredAccount>("google.account/")
    .map(([, account]) => account)
    .filter((account) => account.project === project.id && account.deletedAt === undefined);
  const { items, more } = paged(call, all, { size: 20, most: 100 });
  const accounts = items.map(shown);
  return { ...(accounts.length > 0 ? { accounts } : {}), ...more };
}

/** Only what the mask names changes, whatever else the body carries (wire.md, trap 11). */
function patch(call: RestCall) {
  const body = call.body as { serviceAccount?: unknown; updateMask?: string };
  const given = texts(body.serviceAccount ?? call.body);
  const mask = (body.updateMask ?? call.request.query.get("updateMask") ?? Object.keys(given).join(",")).split(",");
  const fields = (["displayName", "description"] as const).filter(
    (field) => mask.includes(field) || mask.includes(snake(field)),
  );
  return edit(call, "update", Object.fromEntries(fields.map((field) => [field, given[field] ?? ""])), true);
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function edit(call: RestCall, verb: string, fields: Partial<StoredAccount>, show = false) {
  const account = { ...found(call, verb), ...fields };
  saveAccount(call.host, account);
  return show ? shown(account) : {};
}

/** Keeps the account under its unique id, for `undelete`; its e-mail is free at once. */
function remove(call: RestCall) {
  const account = found(call, "delete");
  saveAccount(call.host, { ...account, deletedAt: call.host.now() });
  call.host.state.delete(`google.email/${account.email}`);
  renameMembers(call.host, account, "deleted");
  return {};
}

const thirtyDays = 30 * 86_400_000;

/** By the numeric id only, within 30 days, and not while a namesake lives (google.md 5). */
function undelete({ parts, host, principal }: RestCall) {
  const account = host.state.get<StoredAccount>(`google.account/${parts[1]}`);
  const gone = account?.deletedAt !== undefined && account.deletedAt + thirtyDays > host.now();
  if (!account || !gone) throw new GoogleError([404, "NOT_FOUND"], "Unknown service account");
  require_(principal, { permission: "iam.serviceAccounts.undelete", project: account.project }, host);
  if (accountOf(host.state, account.email)) throw exists(account.email, account.project);
  const { deletedAt: _, ...restored } = account;
  saveAccount(host, restored);
  host.state.put(`google.email/${account.email}`, account.uniqueId);
  renameMembers(host, account, "restored");
  return { restoredAccount: shown(restored) };
}

/** Google leaves `permissions` out where none is held; a grant is seen when it has propagated. */
function testPermissions({ parts, body, host, principal }: RestCall) {
  const account = accountOf(host.state, parts[1] ?? "");
  if (!account) throw new GoogleError([404, "NOT_FOUND"], "Unknown service account");
  const asked = Array.isArray(body.permissions) ? body.permissions.map(String) : [];
  const seen = accountOf(host.propagated, account.email);
  const permissions = asked.filter((permission) =>
    may(principal, { permission, project: account.project, account: seen }, host),
  );
  return permissions.length > 0 ? { permissions } : {};
}

function setPolicy(call: RestCall) {
  const account = found(call, "setIamPolicy");
  const policy = checkedPolicy(call.host, account.policy, (call.body.policy ?? {}) as Partial<StoredPolicy>);
  saveAccount(call.host, { ...account, policy });
  return policyOf(policy);
}
