import { type Policy, parsePolicy, renderPolicy, textOf } from "../../../judge/aws/policy.ts";
import type { Kind, Leftovers, Live, LivePresent, PutJob, Removal, Resource, Seek, World } from "../../../model.ts";
import { CloudError, createOnce, inParallel, removeOnce, unlessMissing } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { respell } from "../role/respell.ts";
import { markOf, markTags, tagsOf } from "../role/spec.ts";
import * as calls from "./calls.ts";
import { type ManagedPolicySpec, managedPolicyAddress, managedPolicyArn } from "./spec.ts";

/** A customer managed policy: the one thing that can bound roles. Marks are tags, as on a role. */
export const managedPolicyKind: Kind<ManagedPolicySpec> = {
  name: "aws:managedPolicy",
  label: "aws managed policy",
  immutable: ["path"],
  read: (desired, _hints, world) => readPolicy(world, targetOf(desired), desired.spec),
  list: listLeftovers,
  put: putPolicy,
  remove: (removal, world) => removePolicy(removal, world).then(() => []),
};

const accountOf = ({ spec, access }: Pick<Resource<ManagedPolicySpec>, "spec" | "access">): Account => ({
  account: spec.account,
  ...(access ? { access } : {}),
});

const targetOf = (one: Pick<Resource<ManagedPolicySpec>, "spec" | "access">): calls.Target => ({
  account: accountOf(one),
  arn: managedPolicyArn(one.spec),
});

/** A document that cannot be read throws class `malformed`: never absent. */
async function readPolicy(
  world: World,
  target: calls.Target,
  like: ManagedPolicySpec,
): Promise<Live<ManagedPolicySpec>> {
  try {
    const live = await calls.getPolicy(world, target);
    const document = parsePolicy(await calls.getDocument(world, target, live.DefaultVersionId));
    if (!document) throw failure("malformed", "its default version is not a policy document");
    return present({ ...like, document: respell(document, like.document) as ManagedPolicySpec["document"] }, live);
  } catch (error) {
    if (error instanceof CloudError && error.class === "missing") return { state: "absent" };
    throw error;
  }
}

function present(spec: ManagedPolicySpec, live: calls.LivePolicy): LivePresent<ManagedPolicySpec> {
  const mark = markOf(live.Tags);
  const owner = mark ? (mark.adopted ? "adopted" : "ours") : "foreign";
  const outputs = { arn: live.Arn, policyId: live.PolicyId };
  return { state: "present", owner, spec, outputs, ...(mark ? { mark } : {}) };
}

const failure = (kind: "malformed" | "exists", message: string): CloudError =>
  new CloudError({ class: kind, service: "aws.iam", operation: "GetPolicy", code: "", status: 200, message });

/** Policies of this owner below the paths of those that are named. */
async function listLeftovers({ named, owner }: Seek<ManagedPolicySpec>, world: World): Promise<Leftovers> {
  const known = new Set(named.map(managedPolicyArnOf));
  const places = new Map(named.map((one) => [`${one.spec.account} ${one.spec.path}`, one] as const));
  const found = await inParallel([...places.values()], 2, async (place) => {
    const account = accountOf(place);
    const arns = await calls.listPolicies(world, account, place.spec.path);
    return inParallel(
      arns.filter((arn) => !known.has(arn)),
      4,
      async (arn) => {
        const spec = { ...place.spec, name: arn.split("/").at(-1) ?? "" };
        const live = await readPolicy(world, { account, arn }, spec);
        if (live.state !== "present" || live.mark?.owner !== owner) return [];
        return [{ address: managedPolicyAddress(spec), live, ...(account.access ? { access: account.access } : {}) }];
      },
    );
  });
  return { found: found.flat(2), scopes: [...places.keys()].map((place) => `aws ${place}`), findings: [] };
}

const managedPolicyArnOf = ({ spec }: Resource<ManagedPolicySpec>): string => managedPolicyArn(spec);

/** Observe, ensure, sync, return. The create call writes all there is, so a fresh one is never half made. */
async function putPolicy(
  { desired, live, mark }: PutJob<ManagedPolicySpec>,
  world: World,
): Promise<LivePresent<ManagedPolicySpec>> {
  const target = targetOf(desired);
  const { spec } = desired;
  const PolicyDocument = renderPolicy(spec.document as unknown as Policy);
  const find = async () => {
    const now = await readPolicy(world, target, spec);
    return now.state === "present" ? now : undefined;
  };
  const create = async () => {
    const input = { PolicyName: spec.name, Path: spec.path, PolicyDocument, Tags: [...tagsOf(mark)] };
    return present(spec, { ...(await calls.createPolicy(world, target.account, input)), Tags: [...tagsOf(mark)] });
  };
  const there = live.state === "present" ? live : await createOnce(world, { find, create });
  if (live.state !== "present" && there.mark?.owner !== mark.owner)
    throw failure("exists", `the policy ${spec.name} appeared meanwhile and is not ours`);
  if (textOf(there.spec.document as unknown as Policy) !== textOf(spec.document as unknown as Policy))
    await renew(world, target, PolicyDocument);
  const tags = JSON.stringify(tagsOf(mark));
  if (!there.mark || JSON.stringify(tagsOf(there.mark)) !== tags)
    await calls.writePolicy(world, target, { operation: "TagPolicy", input: { Tags: tagsOf(mark) } });
  return { state: "present", owner: mark.adopted ? "adopted" : "ours", spec, outputs: there.outputs, mark };
}

/**
 * A new default version in one call: at no moment does another document hold. There are five at most, so what is not
 * in force goes first (IAM user guide, "versioning IAM policies"). Not idempotent, hence sent once: a lost answer is
 * found out by the next run.
 */
async function renew(world: World, target: calls.Target, PolicyDocument: string): Promise<void> {
  await dropOldVersions(world, target);
  const input = { PolicyDocument, SetAsDefault: true };
  await calls.writePolicy(world, target, { operation: "CreatePolicyVersion", effect: "once", input });
}

async function dropOldVersions(world: World, target: calls.Target): Promise<void> {
  for (const { VersionId, IsDefaultVersion } of await calls.listVersions(world, target)) {
    if (IsDefaultVersion) continue;
    await unlessMissing(calls.writePolicy(world, target, { operation: "DeletePolicyVersion", input: { VersionId } }));
  }
}

/** Only the very policy that was read, by its id; IAM refuses while a role is still bounded by it. */
async function removePolicy({ live, how, access }: Removal<ManagedPolicySpec>, world: World): Promise<void> {
  const target = targetOf({ spec: live.spec, ...(access ? { access } : {}) });
  const find = async () => {
    const now = await readPolicy(world, target, live.spec);
    return now.state === "present" && now.outputs.policyId === live.outputs.policyId ? now : undefined;
  };
  if (how === "release") {
    const write = { operation: "UntagPolicy", input: { TagKeys: markTags } };
    if (await find()) await calls.writePolicy(world, target, write);
    return;
  }
  const remove = async () => {
    await dropOldVersions(world, target);
    await unlessMissing(calls.writePolicy(world, target, { operation: "DeletePolicy", effect: "once", input: {} }));
  };
  await removeOnce(world, { find, remove });
}
