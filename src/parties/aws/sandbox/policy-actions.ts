import { createHash } from "node:crypto";
import { countedLength } from "../../../judge/aws/grammar/check.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import type { IamAction, IamCall } from "./action.ts";
import { page } from "./paging.ts";
import { awsPolicies, policiesOf, policyKey, readablePolicy, type StoredPolicy, thePolicy } from "./policies.ts";
import { checkedPolicy } from "./policy-check.ts";
import { AwsError, members, required, timestamp } from "./query.ts";
import { quotasOf, within } from "./quotas.ts";
import { rolesOf, type StoredRole } from "./roles.ts";
import { listed, sortedTagList, sortedTags, tagged, tagList, tagsIn, untagged } from "./tags.ts";

/**
 * IAM's actions on customer managed policies (service model; IAM user guide, "versioning IAM policies"). The texts of
 * errors were not recorded.
 */
export const managedPolicyActions: Readonly<Record<string, IamAction>> = {
  CreatePolicy: { write: true, run: create },
  GetPolicy: {
    write: false,
    run: (call) => {
      const stored = readablePolicy(call.host.view, call.account, arnOf(call));
      const { description } = stored;
      return {
        Policy: {
          ...brief(stored, usesOf(call)),
          ...(description ? { Description: description } : {}),
          Tags: sortedTagList(stored.tags),
        },
      };
    },
  },
  ListPolicies: { write: false, run: list },
  ListEntitiesForPolicy: { write: false, run: entities },
  ListPolicyTags: { write: false, run: tags },
  GetPolicyVersion: { write: false, run: version },
  ListPolicyVersions: {
    write: false,
    run: (call) => {
      const stored = readablePolicy(call.host.view, call.account, arnOf(call));
      const { items, rest } = page(call, newestFirst(stored));
      return { Versions: members(items.map((number) => described(stored, number))), ...rest };
    },
  },
  CreatePolicyVersion: { write: true, run: createVersion },
  SetDefaultPolicyVersion: { write: true, run: setDefault },
  DeletePolicyVersion: { write: true, run: removeVersion },
  DeletePolicy: { write: true, run: remove },
  TagPolicy: {
    write: true,
    run: (call) => change(call, tagged(call.params, "sensitive")),
  },
  UntagPolicy: {
    write: true,
    run: (call) => change(call, untagged(call.params, "sensitive")),
  },
};

/** As lists of versions have them (recorded). */
const newestFirst = ({ versions }: StoredPolicy): readonly string[] =>
  Object.keys(versions).sort((a, b) => Number(b) - Number(a));

const arnOf = ({ params }: IamCall): string => required(params, "PolicyArn");

/** Every role of the account that could use a policy. */
const usesOf = ({ host, account }: IamCall): readonly StoredRole[] => rolesOf(host.view, account);

const attachedTo = ({ arn }: StoredPolicy, roles: readonly StoredRole[]) =>
  roles.filter(({ managed }) => managed.includes(arn));
const boundedBy = ({ arn }: StoredPolicy, roles: readonly StoredRole[]) =>
  roles.filter(({ boundary }) => boundary === arn);

/** Without tags and description, as lists have it (recorded); `roles` are those that could use it. */
const brief = (stored: StoredPolicy, roles: readonly StoredRole[]) => ({
  PolicyName: stored.name,
  PolicyId: stored.id,
  Arn: stored.arn,
  Path: stored.path,
  DefaultVersionId: `v${stored.inForce}`,
  AttachmentCount: attachedTo(stored, roles).length,
  PermissionsBoundaryUsageCount: boundedBy(stored, roles).length,
  IsAttachable: true,
  CreateDate: timestamp(stored.created),
  UpdateDate: timestamp(stored.updated ?? stored.created),
});

const described = (stored: StoredPolicy, number: string) => ({
  VersionId: `v${number}`,
  IsDefaultVersion: String(stored.inForce) === number,
  CreateDate: timestamp(stored.made?.[number] ?? stored.created),
});

function documentIn(call: IamCall): string {
  const text = checkedPolicy(required(call.params, "PolicyDocument"), "managed");
  within(call, { quota: "PolicySizeQuota", as: "PolicySize" }, countedLength(text));
  return text;
}

function create(call: IamCall) {
  const { params, account, partition, host } = call;
  const name = required(params, "PolicyName");
  const path = params.get("Path") ?? "/";
  const description = params.get("Description");
  const document = documentIn(call);
  const arn = `arn:${partition}:iam::${account}:policy${path}${name}`;
  if (host.state.get(policyKey(account, name)))
    throw new AwsError(
      "EntityAlreadyExists",
      409,
      `A policy called ${name} already exists. Duplicate names are not allowed.`,
    );
  within(call, { quota: "PoliciesQuota", as: "PoliciesPerAccount" }, policiesOf(host.state, account).length + 1);
  const stored: StoredPolicy = {
    account,
    arn,
    id: newId(arn, host),
    name,
    path,
    created: host.now(),
    tags: tagsIn(params, "sensitive"),
    inForce: 1,
    versions: { 1: document },
    ...(description ? { description } : {}),
  };
  host.state.put(policyKey(account, name), stored);
  // No empty list of tags, and no description (recorded).
  const tags = Object.keys(stored.tags).length > 0 ? { Tags: tagList(stored.tags) } : {};
  return { Policy: { ...brief(stored, []), ...tags } };
}

/** `ANPA` and 17 characters, from the ARN and a counter: reproducible (contract, section 5). */
const newId = (arn: string, host: Host): string => {
  const digest = createHash("sha256")
    .update(`${arn}/${host.state.next(arn)}`)
    .digest();
  return `ANPA${characters(digest, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)}`;
};

function change(call: IamCall, edit: (stored: StoredPolicy) => Partial<StoredPolicy>): undefined {
  const stored = thePolicy(call.host.state, call.account, arnOf(call));
  call.host.state.put(policyKey(call.account, stored.name), { ...stored, ...edit(stored) });
  return undefined;
}

/** The account's own policies, and those of AWS whose content the sandbox knows (service model, ListPolicies). */
function list(call: IamCall) {
  const { params, account, partition, host } = call;
  const roles = usesOf(call);
  const prefix = params.get("PathPrefix") ?? "/";
  const scope = params.get("Scope") ?? "All";
  const usage = params.get("PolicyUsageFilter");
  const onlyAttached = params.get("OnlyAttached") === "true";
  const isAttached = (stored: StoredPolicy) => attachedTo(stored, roles).length > 0;
  const own = scope === "AWS" ? [] : policiesOf(host.view, account);
  const all = [...own, ...(scope === "Local" ? [] : awsPolicies(partition))].filter(
    (stored) =>
      stored.path.startsWith(prefix) &&
      (!(onlyAttached || usage === "PermissionsPolicy") || isAttached(stored)) &&
      (usage !== "PermissionsBoundary" || boundedBy(stored, roles).length > 0),
  );
  const { items, rest } = page(call, all);
  return { Policies: members(items.map((stored) => brief(stored, roles))), ...rest };
}

/** Who uses a policy. There are no users and no groups here. */
function entities(call: IamCall) {
  const stored = readablePolicy(call.host.view, call.account, arnOf(call));
  const { params } = call;
  const prefix = params.get("PathPrefix") ?? "/";
  const filter = params.get("EntityFilter") ?? "Role";
  const uses = params.get("PolicyUsageFilter") === "PermissionsBoundary" ? boundedBy : attachedTo;
  const roles = filter === "Role" ? uses(stored, usesOf(call)).filter(({ path }) => path.startsWith(prefix)) : [];
  const { items, rest } = page(call, roles);
  const told = items.map(({ name, id }) => ({ RoleName: name, RoleId: id }));
  return { PolicyGroups: "", PolicyUsers: "", PolicyRoles: members(told), ...rest };
}

/** Throws NoSuchEntity for a policy that is not the account's own. */
function tags(call: IamCall) {
  const { items, rest } = page(call, sortedTags(thePolicy(call.host.view, call.account, arnOf(call)).tags));
  return { Tags: listed(items), ...rest };
}

/** As GetAccountAuthorizationDetails has the policies of an account: each with all of its versions and their documents. */
export const policyDetails = (view: View, account: string): readonly object[] =>
  policiesOf(view, account).map((stored) => {
    const versions = newestFirst(stored).map((number) => ({
      Document: encodeURIComponent(stored.versions[number] ?? ""),
      ...described(stored, number),
    }));
    return { ...brief(stored, rolesOf(view, account)), PolicyVersionList: members(versions) };
  });

/** The document is percent-encoded, as every document in IAM's answers (aws.md 9.1). */
function version(call: IamCall) {
  const stored = readablePolicy(call.host.view, call.account, arnOf(call));
  const id = required(call.params, "VersionId");
  const document = stored.versions[id.replace(/^v/, "")];
  if (document === undefined) throw noVersion(stored, id);
  return { PolicyVersion: { ...described(stored, id.replace(/^v/, "")), Document: encodeURIComponent(document) } };
}

const noVersion = ({ arn }: StoredPolicy, id: string): AwsError =>
  new AwsError("NoSuchEntity", 404, `Policy ${arn} version ${id} does not exist or is not attachable.`);

/** Five at most: the sixth is refused until one is deleted. */
function createVersion(call: IamCall) {
  const document = documentIn(call);
  const stored = thePolicy(call.host.state, call.account, arnOf(call));
  const numbers = Object.keys(stored.versions).map(Number);
  const most = quotasOf(call.host.state).VersionsPerPolicyQuota;
  if (numbers.length >= most) {
    const says = `A managed policy can have up to ${most} versions. Before you create a new version, you must delete an existing version.`;
    throw new AwsError("LimitExceeded", 409, says);
  }
  const number = call.host.state.next(`${stored.id}/version`) + 1;
  const inForce = call.params.get("SetAsDefault") === "true" ? { inForce: number } : {};
  const made = { ...stored.made, [number]: call.host.now() };
  change(call, () => ({
    versions: { ...stored.versions, [number]: document },
    made,
    updated: call.host.now(),
    ...inForce,
  }));
  return { PolicyVersion: described({ ...stored, made, ...inForce }, String(number)) };
}

/** What is attached means the new default version at once: nothing about the roles changes. */
function setDefault(call: IamCall): undefined {
  const id = required(call.params, "VersionId");
  return change(call, (stored) => {
    const number = id.replace(/^v/, "");
    if (stored.versions[number] === undefined) throw noVersion(stored, id);
    return { inForce: Number(number), updated: call.host.now() };
  });
}

function removeVersion(call: IamCall): undefined {
  const id = required(call.params, "VersionId");
  return change(call, (stored) => {
    const number = id.replace(/^v/, "");
    if (stored.versions[number] === undefined) throw noVersion(stored, id);
    if (String(stored.inForce) === number)
      throw new AwsError("DeleteConflict", 409, "Cannot delete the default version of a policy.");
    return { versions: Object.fromEntries(Object.entries(stored.versions).filter(([one]) => one !== number)) };
  });
}

/** Not while it is attached, bounds a role, or has a version beside the default one. */
function remove(call: IamCall): undefined {
  const { host, account } = call;
  const stored = thePolicy(host.state, account, arnOf(call));
  const conflict = (what: string) => new AwsError("DeleteConflict", 409, what);
  const inUse = rolesOf(host.state, account).some(
    ({ managed, boundary }) => managed.includes(stored.arn) || boundary === stored.arn,
  );
  if (inUse) throw conflict("Cannot delete a policy attached to entities.");
  if (Object.keys(stored.versions).length > 1)
    throw conflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions.",
    );
  host.state.delete(policyKey(account, stored.name));
  return undefined;
}
