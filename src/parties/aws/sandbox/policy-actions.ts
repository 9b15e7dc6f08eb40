import { createHash } from "node:crypto";
import { countedLength } from "../../../judge/aws/grammar/check.ts";
import { characters, type Host } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import type { IamAction, IamCall } from "./action.ts";
import { policiesOf, policyKey, readablePolicy, type StoredPolicy, thePolicy } from "./policies.ts";
import { checkedPolicy } from "./policy-check.ts";
import { AwsError, members, required, timestamp } from "./query.ts";
import { quotasOf, within } from "./quotas.ts";
import { rolesOf } from "./roles.ts";
import { tagged, tagList, tagsIn, untagged } from "./tags.ts";

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
      return { Policy: { ...brief(stored), Tags: tagList(stored.tags) } };
    },
  },
  ListPolicies: { write: false, run: list },
  GetPolicyVersion: { write: false, run: version },
  ListPolicyVersions: {
    write: false,
    run: (call) => {
      const stored = readablePolicy(call.host.view, call.account, arnOf(call));
      const versions = Object.keys(stored.versions).map((number) => described(stored, number));
      return { Versions: members(versions), IsTruncated: false };
    },
  },
  CreatePolicyVersion: { write: true, run: createVersion },
  SetDefaultPolicyVersion: { write: true, run: setDefault },
  DeletePolicyVersion: { write: true, run: removeVersion },
  DeletePolicy: { write: true, run: remove },
  TagPolicy: {
    write: true,
    run: (call) => change(call, tagged(call.params)),
  },
  UntagPolicy: {
    write: true,
    run: (call) => change(call, untagged(call.params)),
  },
};

const arnOf = ({ params }: IamCall): string => required(params, "PolicyArn");

/** Without tags, as lists have it. */
const brief = (stored: StoredPolicy) => ({
  PolicyName: stored.name,
  PolicyId: stored.id,
  Arn: stored.arn,
  Path: stored.path,
  DefaultVersionId: `v${stored.inForce}`,
  AttachmentCount: 0,
  PermissionsBoundaryUsageCount: 0,
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
  const { params, account, host } = call;
  const name = required(params, "PolicyName");
  const path = params.get("Path") ?? "/";
  const document = documentIn(call);
  const arn = `arn:aws:iam::${account}:policy${path}${name}`;
  if (host.state.get(policyKey(account, name)))
    throw new AwsError(
      "EntityAlreadyExists",
      409,
      `A policy called ${name} already exists. Duplicate names are not allowed.`,
    );
  within(call, { quota: "PoliciesQuota", as: "PoliciesPerAccount" }, policiesOf(host.state, account).length + 1);
  const stored: StoredPolicy = {
    ...{ account, arn, name, path, created: host.now(), tags: tagsIn(params), inForce: 1, versions: { 1: document } },
    id: newId(arn, host),
  };
  host.state.put(policyKey(account, name), stored);
  return { Policy: { ...brief(stored), Tags: tagList(stored.tags) } };
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

function list({ params, account, host }: IamCall) {
  const prefix = params.get("PathPrefix") ?? "/";
  const found = policiesOf(host.view, account).filter(({ path }) => path.startsWith(prefix));
  return { Policies: members(found.map(brief)), IsTruncated: false };
}

/** As GetAccountAuthorizationDetails has the policies of an account: each with all of its versions and their documents. */
export const policyDetails = (view: View, account: string): readonly object[] =>
  policiesOf(view, account).map((stored) => {
    const versions = Object.entries(stored.versions).map(([number, document]) => ({
      Document: encodeURIComponent(document),
      ...described(stored, number),
    }));
    const attached = rolesOf(view, account).filter(({ managed }) => managed.includes(stored.arn)).length;
    return { ...brief(stored), AttachmentCount: attached, PolicyVersionList: members(versions) };
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
