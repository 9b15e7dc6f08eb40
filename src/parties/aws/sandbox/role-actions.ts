import { createHash } from "node:crypto";
import { listedPolicy, notListed } from "../../../judge/aws/managed-policies.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import type { IamAction, IamCall } from "./action.ts";
import { page } from "./paging.ts";
import { policyOf } from "./policies.ts";
import { policyDetails } from "./policy-actions.ts";
import { AwsError, listParam, members, type Params, required, timestamp } from "./query.ts";
import { within } from "./quotas.ts";
import { roleArn, roleKey, roleOf, rolesOf, type StoredRole, theRole } from "./roles.ts";
import { listed, sortedTagList, sortedTags, type Tags, tagged, tagList, tagsIn, untagged } from "./tags.ts";
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
    run: (call) => {
      const { tags } = theRole(call.host.view, call.account, required(call.params, "RoleName"));
      const { items, rest } = page(call, sortedTags(tags));
      return { Tags: listed(items), ...rest };
    },
  },
  UpdateAssumeRolePolicy: {
    write: true,
    run: (call) => change(call, () => ({ trust: checkedTrust(call, required(call.params, "PolicyDocument")) })),
  },
  // Answers with an empty result, unlike the other writes, which have none.
  UpdateRole: { write: true, run: (call) => change(call, () => updates(call.params)) ?? {} },
  UpdateRoleDescription: { write: true, run: describe },
  TagRole: { write: true, run: (call) => change(call, tagged(call.params, "insensitive")) },
  UntagRole: { write: true, run: (call) => change(call, untagged(call.params, "insensitive")) },
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
  ListInstanceProfilesForRole: {
    write: false,
    run: (call) => {
      theRole(call.host.view, call.account, required(call.params, "RoleName"));
      const { items, rest } = page(call, []);
      return { InstanceProfiles: members(items), ...rest };
    },
  },
};

/** Changes a stored role, or throws NoSuchEntity; the answer of such a call has no result. */
export function change({ params, account, host }: IamCall, edit: (role: StoredRole) => Partial<StoredRole>): undefined {
  const role = theRole(host.state, account, required(params, "RoleName"));
  host.state.put(roleKey(account, role.name), { ...role, ...edit(role) });
  return undefined;
}

/** The order of the checks is ours. A role gets a new id even under an old name, which tells a namesake. */
function create(call: IamCall) {
  const { params, account, partition, host } = call;
  const name = required(params, "RoleName");
  const trust = checkedTrust(call, required(params, "AssumeRolePolicyDocument"));
  if (roleOf(host.state, account, name))
    throw new AwsError("EntityAlreadyExists", 409, `Role with name ${name} already exists.`);
  within(call, { quota: "RolesQuota", as: "RolesPerAccount" }, rolesOf(host.state, account).length + 1);
  const given = params.get("PermissionsBoundary");
  const boundary = given && boundaryIn(call, given);
  const description = params.get("Description");
  const role: StoredRole = {
    ...{ name, account, trust, created: host.now(), tags: tagsIn(params, "insensitive"), inline: {}, managed: [] },
    id: newId(`aws.role/${account}/${name}`, host),
    path: params.get("Path") ?? "/",
    maxSession: Number(params.get("MaxSessionDuration") ?? "3600"),
    ...(partition === "aws" ? {} : { partition }),
    ...(boundary ? { boundary } : {}),
    ...(description ? { description } : {}),
  };
  host.state.put(roleKey(account, name), role);
  return { Role: { ...head(role), ...boundaryOf(role), ...tagsOf(role, tagList) } };
}

/** A policy of the account must be there to bound anything; IAM's text for this is not recorded. */
function boundaryIn({ account, partition, host, warn }: Omit<IamCall, "params">, arn: string): string {
  const known = arn.startsWith(`arn:${partition}:`) ? listedPolicy(arn) : undefined;
  const elsewhere = known?.state === "misspelled" && known.because === "path";
  if (known && known.state !== "listed" && !elsewhere) warn(`${notListed(arn)}; the sandbox took it as a boundary`);
  if ((known && !elsewhere) || policyOf(host.state, account, arn)) return arn;
  throw new AwsError("NoSuchEntity", 404, `Scope ARN: ${arn} does not exist or is not attachable.`);
}

/** `AROA` and 17 characters, from the name and a counter: reproducible (contract, section 5). */
const newId = (what: string, host: Host): string => {
  const digest = createHash("sha256")
    .update(`${what}/${host.state.next(what)}`)
    .digest();
  return `AROA${characters(digest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)}`;
};

/** What is not sent stays as it is (recorded, against the service model's documentation). */
function updates(params: Params): Partial<StoredRole> {
  const [maximum, description] = [params.get("MaxSessionDuration"), params.get("Description")];
  return {
    ...(maximum ? { maxSession: Number(maximum) } : {}),
    ...(description === undefined ? {} : { description }),
  };
}

/** The older call for the description alone; it answers with the role, as CreateRole does (recorded). */
function describe(call: IamCall) {
  change(call, () => ({ description: required(call.params, "Description") }));
  const role = theRole(call.host.state, call.account, required(call.params, "RoleName"));
  return { Role: { ...head(role), ...descriptionOf(role) } };
}

/** What every answer has of a role. Documents are percent-encoded in every answer (aws.md 9.1). */
const head = (role: StoredRole) => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: roleArn(role),
  CreateDate: timestamp(role.created),
  AssumeRolePolicyDocument: encodeURIComponent(role.trust),
});

const descriptionOf = (role: StoredRole) => (role.description ? { Description: role.description } : {});

/** A role of ListRoles: without boundary, tags and last use (aws.md 9.1). */
const brief = (role: StoredRole) => ({
  ...head(role),
  ...descriptionOf(role),
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
  ...tagsOf(role, sortedTagList),
  RoleLastUsed: "",
});

/** No empty list in an answer that is about one role. */
const tagsOf = ({ tags }: StoredRole, list: (tags: Tags) => unknown) =>
  Object.keys(tags).length > 0 ? { Tags: list(tags) } : {};

/** Those below a path. */
function list(call: IamCall) {
  const prefix = call.params.get("PathPrefix") ?? "/";
  const below = rolesOf(call.host.view, call.account).filter(({ path }) => path.startsWith(prefix));
  const { items, rest } = page(call, below);
  return { Roles: members(items.map(brief)), ...rest };
}

/**
 * The bulk read: no MaxSessionDuration, no Description (aws.md 9.1). Without a filter everything is listed; the policies of
 * the account come with the last page.
 */
function details(call: IamCall) {
  const { params, account, host } = call;
  const filter = listParam(params, "Filter").map((one) => one.get("") ?? "");
  const wants = (kind: string): boolean => filter.length === 0 || filter.includes(kind);
  const { items, rest } = page(call, wants("Role") ? rolesOf(host.view, account) : []);
  const policies = wants("LocalManagedPolicy") && !rest.IsTruncated ? policyDetails(host.view, account) : [];
  const roles = items.map((role) => {
    const inline = Object.entries(role.inline).map(([PolicyName, text]) => ({
      PolicyName,
      PolicyDocument: encodeURIComponent(text),
    }));
    const attached = role.managed.map((PolicyArn) => ({ PolicyName: PolicyArn.split("/").at(-1), PolicyArn }));
    return {
      ...head(role),
      RolePolicyList: members(inline),
      AttachedManagedPolicies: members(attached),
      ...boundaryOf(role),
      Tags: sortedTagList(role.tags),
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
