import { createHash } from "node:crypto";
import { listedPolicy, notListed } from "../../../judge/aws/managed-policies.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import type { IamAction, IamCall } from "./action.ts";
import { policyOf } from "./policies.ts";
import { policyDetails } from "./policy-actions.ts";
import { AwsError, listParam, members, type Params, required, timestamp } from "./query.ts";
import { within } from "./quotas.ts";
import { roleArn, roleKey, roleOf, rolesOf, type StoredRole, theRole } from "./roles.ts";
import { tagged, tagList, tagsIn, untagged } from "./tags.ts";
import { checkedTrust } from "./trust-check.ts";

/** IAM's actions on roles (aws.md 7, 9.1, 12). Reads see `host.view`, which may be older; writes do not. */
export const roleActions: Readonly<Record<string, IamAction>> = {
  CreateRole: { write: true, run: create },
  GetRole: {
    write: false,
    run: ({ params, account, host }) => ({ Role: full(theRole(host.view, account, required(params, "RoleName"))) }),
  },
  ListRoles: { write: false, run: list },
  GetAccountAuthorizationDetails: { write: false, run: details },
  ListRoleTags: {
    write: false,
    run: (call) => ({
      Tags: tagList(theRole(call.host.view, call.account, required(call.params, "RoleName")).tags),
      IsTruncated: false,
    }),
  },
  UpdateAssumeRolePolicy: {
    write: true,
    run: (call) => change(call, () => ({ trust: checkedTrust(call, required(call.params, "PolicyDocument")) })),
  },
  // Answers with an empty result, unlike the other writes, which have none.
  UpdateRole: { write: true, run: (call) => change(call, () => updates(call.params)) ?? {} },
  TagRole: { write: true, run: (call) => change(call, tagged(call.params)) },
  UntagRole: { write: true, run: (call) => change(call, untagged(call.params)) },
  PutRolePermissionsBoundary: {
    write: true,
    run: (call) => change(call, () => ({ boundary: boundaryIn(call, required(call.params, "PermissionsBoundary")) })),
  },
  DeleteRolePermissionsBoundary: {
    write: true,
    run: (call) => {
      // Not through `change`: spreading a role without the member would keep the old one.
      const { boundary: _, ...rest } = theRole(call.host.state, call.account, required(call.params, "RoleName"));
      call.host.state.put(roleKey(call.account, rest.name), rest);
      return undefined;
    },
  },
  DeleteRole: { write: true, run: remove },
  // There are no instance profiles here; whoever deletes a role may ask for them first.
  ListInstanceProfilesForRole: { write: false, run: () => ({ InstanceProfiles: "", IsTruncated: false }) },
};

/** Changes a stored role, or throws NoSuchEntity; the answer of such a call has no result. */
export function change({ params, account, host }: IamCall, edit: (role: StoredRole) => Partial<StoredRole>): undefined {
  const role = theRole(host.state, account, required(params, "RoleName"));
  host.state.put(roleKey(account, role.name), { ...role, ...edit(role) });
  return undefined;
}

/** The order of the checks is ours. A role gets a new id even under an old name, which tells a namesake. */
function create(call: IamCall) {
  const { params, account, host } = call;
  const name = required(params, "RoleName");
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    const says = "Member must satisfy regular expression pattern: [\\w+=,.@-]+";
    throw new AwsError(
      "ValidationError",
      400,
      `1 validation error detected: Value at 'roleName' failed to satisfy constraint: ${says}`,
    );
  }
  const trust = checkedTrust(call, required(params, "AssumeRolePolicyDocument"));
  if (roleOf(host.state, account, name))
    throw new AwsError("EntityAlreadyExists", 409, `Role with name ${name} already exists.`);
  within(call, { quota: "RolesQuota", as: "RolesPerAccount" }, rolesOf(host.state, account).length + 1);
  const given = params.get("PermissionsBoundary");
  const boundary = given && boundaryIn(call, given);
  const description = params.get("Description");
  const role: StoredRole = {
    ...{ name, account, trust, created: host.now(), tags: tagsIn(params), inline: {}, managed: [] },
    id: newId(`aws.role/${account}/${name}`, host),
    path: params.get("Path") ?? "/",
    maxSession: session(params.get("MaxSessionDuration") ?? "3600"),
    ...(boundary ? { boundary } : {}),
    ...(description ? { description } : {}),
  };
  host.state.put(roleKey(account, name), role);
  return { Role: full(role) };
}

/** A policy of the account must be there to bound anything; IAM's text for this is not recorded. */
function boundaryIn({ account, host, warn }: Pick<IamCall, "account" | "host" | "warn">, arn: string): string {
  const listed = listedPolicy(arn);
  const elsewhere = listed?.state === "misspelled" && listed.because === "path";
  if (listed && listed.state !== "listed" && !elsewhere) warn(`${notListed(arn)}; the sandbox took it as a boundary`);
  if ((listed && !elsewhere) || policyOf(host.state, account, arn)) return arn;
  throw new AwsError("NoSuchEntity", 404, `Scope ARN: ${arn} does not exist or is not attachable.`);
}

/** `AROA` and 17 characters, from the name and a counter: reproducible (contract, section 5). */
const newId = (what: string, host: Host): string => {
  const digest = createHash("sha256")
    .update(`${what}/${host.state.next(what)}`)
    .digest();
  return `AROA${characters(digest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)}`;
};

/** Seconds, 3600 to 43200 (aws.md 11.2). */
function session(text: string): number {
  const seconds = Number(text);
  if (seconds >= 3600 && seconds <= 43200) return seconds;
  throw new AwsError(
    "ValidationError",
    400,
    `1 validation error detected: Value '${text}' at 'maxSessionDuration' failed to satisfy constraint`,
  );
}

/** What is not sent stays as it is. */
function updates(params: Params): Partial<StoredRole> {
  const [maximum, description] = [params.get("MaxSessionDuration"), params.get("Description")];
  return {
    ...(maximum ? { maxSession: session(maximum) } : {}),
    ...(description === undefined ? {} : { description }),
  };
}

/** Documents are percent-encoded in every answer (aws.md 9.1). */
const brief = (role: StoredRole) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(role),
  CreateDate: timestamp(role.created),
  AssumeRolePolicyDocument: encodeURIComponent(role.trust),
  ...(role.description ? { Description: role.description } : {}),
  MaxSessionDuration: role.maxSession,
});

/** Left out altogether where there is none, as in AWS's answers. */
const boundaryOf = (role: StoredRole) =>
  role.boundary
    ? { PermissionsBoundary: { PermissionsBoundaryType: "Policy", PermissionsBoundaryArn: role.boundary } }
    : {};

/** GetRole's role: tags, boundary and last use come on top of what ListRoles has (aws.md 9.1). */
const full = (role: StoredRole) => ({
  ...brief(role),
  ...boundaryOf(role),
  ...(Object.keys(role.tags).length > 0 ? { Tags: tagList(role.tags) } : {}),
  RoleLastUsed: "",
});

/** Pages by name; MaxItems as asked, 100 by default. */
function page(
  params: Params,
  all: readonly StoredRole[],
): {
  readonly items: readonly StoredRole[];
  readonly rest: { readonly IsTruncated: boolean; readonly Marker?: string };
} {
  const from = Number(params.get("Marker") ?? "0");
  const size = Number(params.get("MaxItems") ?? "100");
  const items = all.slice(from, from + size);
  const more = from + size < all.length;
  return { items, rest: { IsTruncated: more, ...(more ? { Marker: String(from + size) } : {}) } };
}

/** Without boundary, tags and last use (aws.md 9.1). */
function list({ params, account, host }: IamCall) {
  const prefix = params.get("PathPrefix") ?? "/";
  const { items, rest } = page(
    params,
    rolesOf(host.view, account).filter((role) => role.path.startsWith(prefix)),
  );
  return { Roles: members(items.map(brief)), ...rest };
}

/**
 * The bulk read: no MaxSessionDuration, no Description (aws.md 9.1). Without a filter everything is listed; the policies of
 * the account come with the last page.
 */
function details({ params, account, host }: IamCall) {
  const filter = listParam(params, "Filter").map((one) => one.get("") ?? "");
  const wants = (kind: string): boolean => filter.length === 0 || filter.includes(kind);
  const { items, rest } = page(params, wants("Role") ? rolesOf(host.view, account) : []);
  const policies = wants("LocalManagedPolicy") && !rest.IsTruncated ? policyDetails(host.view, account) : [];
  const roles = items.map((role) => {
    const { Description: _, MaxSessionDuration: __, ...head } = { Description: "", ...brief(role) };
    const inline = Object.entries(role.inline).map(([PolicyName, text]) => ({
      PolicyName,
      PolicyDocument: encodeURIComponent(text),
    }));
    const attached = role.managed.map((PolicyArn) => ({ PolicyName: PolicyArn.split("/").at(-1), PolicyArn }));
    return {
      ...head,
      RolePolicyList: members(inline),
      AttachedManagedPolicies: members(attached),
      ...boundaryOf(role),
      Tags: tagList(role.tags),
      InstanceProfileList: "",
      RoleLastUsed: "",
    };
  });
  return {
    UserDetailList: "",
    GroupDetailList: "",
    RoleDetailList: members(roles),
    Policies: members(policies),
    ...rest,
  };
}

/** A role with policies cannot go: DeleteConflict (fact sheet reliability-and-security, 2.1, CW). */
function remove({ params, account, host }: IamCall): undefined {
  const role = theRole(host.state, account, required(params, "RoleName"));
  const conflict = (what: string) => new AwsError("DeleteConflict", 409, `Cannot delete entity, must ${what} first.`);
  if (role.managed.length > 0) throw conflict("detach all policies");
  if (Object.keys(role.inline).length > 0) throw conflict("delete policies");
  host.state.delete(roleKey(account, role.name));
  return undefined;
}
