import { renderPolicy } from "../../../judge/aws/policy.ts";
import type {
  Address,
  Kind,
  Leftovers,
  Live,
  LivePresent,
  PutJob,
  Removal,
  Resource,
  Seek,
  World,
} from "../../../model.ts";
import { CloudError, createOnce, inParallel, removeOnce, unlessMissing } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { listOidcProviders } from "../oidc-provider/calls.ts";
import { privilegesOf } from "../permissions.ts";
import { readRoles } from "./bulk.ts";
import * as calls from "./calls.ts";
import { patternsOf } from "./decisions.ts";
import { present, type Wanted } from "./live.ts";
import { combineRoles, differRoles, markOf, markTags, type RoleSpec, roleAddress, tagsOf, trustOf } from "./spec.ts";
import { steps } from "./steps.ts";
import { roleWidens } from "./widens.ts";

/** An IAM role: trust, permissions, limits. Marks are tags. No call of IAM changes a role's path. */
export const roleKind: Kind<RoleSpec> = {
  name: "aws:role",
  label: "aws role",
  immutable: ["path"],
  read: async (desired, _hints, world) => {
    const live = await readRole(world, { account: accountOf(desired), name: desired.spec.name, like: desired.spec });
    return withMissing(live, desired, world);
  },
  readMany: async (desired, world) => {
    const found = await readRoles(desired, world);
    const whole = await inParallel([...found], 8, async ([address, live]): Promise<[Address, Live<RoleSpec>]> => {
      const resource = desired.find((one) => one.address === address);
      return [address, resource ? await withMissing(live, resource, world) : live];
    });
    return new Map(whole);
  },
  list: listLeftovers,
  put: putRole,
  remove: (target, world) => removeRole(target, world).then(() => []),
  differ: differRoles,
  holds: (spec) => [...patternsOf(trustOf(spec)), ...privilegesOf(spec)],
  widens: roleWidens,
  combine: combineRoles,
};

const accountOf = ({ spec, access }: Resource<RoleSpec>): Account => ({
  account: spec.account,
  ...(access ? { access } : {}),
});

/** The OIDC providers of an account; undefined where they may not be listed. */
const providersOf = (world: World, account: Account): Promise<readonly string[] | undefined> =>
  listOidcProviders(world, account).catch((error: unknown) => {
    if (error instanceof CloudError && error.class === "denied") return undefined;
    throw error;
  });

/**
 * A trust can name an OIDC provider that is not there: nobody passes by it. Looked for only where the live trust names one
 * that the file does not, so an ordinary run asks nothing.
 */
async function withMissing(live: Live<RoleSpec>, desired: Resource<RoleSpec>, world: World): Promise<Live<RoleSpec>> {
  if (live.state !== "present") return live;
  const named = (spec: RoleSpec) => trustOf(spec).statements.flatMap(({ principal }) => principal?.Federated ?? []);
  const wanted = named(desired.spec);
  const extra = named(live.spec).filter((name) => /:oidc-provider\//.test(name) && !wanted.includes(name));
  if (extra.length === 0) return live;
  const there = await providersOf(world, accountOf(desired));
  const missing = there ? extra.filter((name) => !there.includes(name)) : [];
  return { ...live, seen: missing.map((arn) => ({ missing: arn })) };
}

/**
 * Everything about one role in three reads, and one for each inline policy: the bulk read has no session
 * limit (aws.md 9.1). A document that cannot be read throws class `malformed`: never absent, never foreign.
 */
async function readRole(world: World, wanted: Wanted): Promise<Live<RoleSpec>> {
  const target = { account: wanted.account, name: wanted.name };
  // GetRole alone says whether the role is there; the lists of a role that just went are empty.
  const reading = Promise.all([
    calls.getRole(world, target),
    unlessMissing(calls.listInlinePolicies(world, target)).then((names) =>
      inParallel(names ?? [], 4, async (name) => [name, await calls.getInlinePolicy(world, target, name)] as const),
    ),
    unlessMissing(calls.listAttachedPolicies(world, target)),
  ]);
  const [role, inline, managed] = (await unlessMissing(reading)) ?? [];
  return role && inline ? present(wanted, role, { inline, managed: managed ?? [] }) : { state: "absent" };
}

/** Roles of this owner below the paths the file names, that the file does not name. */
async function listLeftovers({ named, owner }: Seek<RoleSpec>, world: World): Promise<Leftovers> {
  const known = new Set(named.map((resource) => resource.address));
  const places = new Map(
    named
      .filter(({ hold }) => hold === "own")
      .map((resource) => [`${resource.spec.account} ${resource.spec.path}`, resource] as const),
  );
  const found = await inParallel([...places.values()], 4, async (resource) => {
    const account = accountOf(resource);
    const names = (await calls.listRoleNames(world, account, resource.spec.path)).filter(
      (name) => !known.has(roleAddress({ account: account.account, name })),
    );
    const tags = names.length > 0 ? await calls.listRoleTags(world, account) : new Map();
    const ours = names.filter((name) => markOf(tags.get(name) ?? [])?.owner === owner);
    return inParallel(ours, 4, async (name) => ({
      address: roleAddress({ account: account.account, name }),
      live: await readRole(world, { account, name }),
      account,
    }));
  });
  return {
    found: found.flat().flatMap(({ address, live, account }) => entry(address, live, account)),
    scopes: [...places.keys()].map((place) => `aws ${place}`),
    findings: [],
  };
}

const entry = (address: Address, live: Live, { access }: Account): Leftovers["found"] =>
  live.state === "present" ? [{ address, live, ...(access ? { access } : {}) }] : [];

/**
 * Observe, ensure, sync, return: a role that appears half way is a race, not a failure. What comes back is
 * what was written: a fresh read may still show the old state (aws.md 7).
 */
async function putRole({ desired, live, mark }: PutJob<RoleSpec>, world: World): Promise<LivePresent<RoleSpec>> {
  const account = accountOf(desired);
  const target = { account, name: desired.spec.name };
  const read = async () => {
    const now = await readRole(world, { ...target, like: desired.spec });
    return now.state === "present" ? now : undefined;
  };
  const there = live.state === "present" ? live : await create(world, { desired, mark, read });
  if (live.state !== "present" && there.mark?.owner !== mark.owner) {
    throw new CloudError({
      class: "exists",
      service: "aws.iam",
      operation: "CreateRole",
      code: "EntityAlreadyExists",
      status: 409,
      message: `the role ${target.name} appeared meanwhile and is not ours`,
    });
  }
  for (const step of steps(desired.spec, there, mark)) await calls.writeRole(world, target, step);
  return {
    state: "present",
    owner: mark.adopted ? "adopted" : "ours",
    spec: desired.spec,
    outputs: there.outputs,
    mark,
  };
}

interface Creation {
  readonly desired: Resource<RoleSpec>;
  readonly mark: PutJob["mark"];
  readonly read: () => Promise<LivePresent<RoleSpec> | undefined>;
}

/**
 * The role with its final trust, boundary and marks in the one create call; permissions come last, so that a
 * half made role can do nothing (fact sheet reliability-and-security, 2.4).
 */
async function create(world: World, { desired, mark, read }: Creation): Promise<LivePresent<RoleSpec>> {
  const { spec } = desired;
  const whole = spec.managed.length === 0 && Object.keys(spec.inline).length === 0;
  // Final only where this one call writes all there is.
  const born = { ...mark, put: whole ? mark.put : "-" };
  const input = {
    AssumeRolePolicyDocument: renderPolicy(trustOf(spec)),
    Path: spec.path,
    Description: `Keyless access for ${desired.links.join(", ")}, made by crosstrust`.slice(0, 1000),
    MaxSessionDuration: spec.maxSession,
    ...(spec.boundary === null ? {} : { PermissionsBoundary: spec.boundary }),
    Tags: tagsOf(born),
  };
  const target = { account: accountOf(desired), name: spec.name };
  const empty: RoleSpec = { ...spec, managed: [], inline: {} };
  return createOnce(world, {
    find: read,
    create: async (): Promise<LivePresent<RoleSpec>> => {
      const made = await calls.createRole(world, target, input);
      const outputs = { arn: made.Arn, roleId: made.RoleId };
      return { state: "present", owner: "ours", spec: empty, outputs, mark: born };
    },
  });
}

/**
 * Permissions first, the role last (fact sheet reliability-and-security, 2.4), and only the very role that
 * was read, by its RoleId: a namesake made meanwhile stays. `release` takes off the marks and nothing else.
 */
async function removeRole({ live, how, access }: Removal<RoleSpec>, world: World): Promise<void> {
  const account: Account = { account: live.spec.account, ...(access ? { access } : {}) };
  const target = { account, name: live.spec.name };
  const find = async (): Promise<RoleSpec | undefined> => {
    const now = await readRole(world, target);
    return now.state === "present" && now.outputs.roleId === live.outputs.roleId ? now.spec : undefined;
  };
  if (how !== "release") {
    const mark = live.mark && tagsOf({ ...live.mark, put: "-" });
    return removeOnce(world, { find, remove: (spec) => deleteRole(world, target, { spec, mark }) });
  }
  if (await find()) await calls.writeRole(world, target, { operation: "UntagRole", input: { TagKeys: markTags } });
}

/**
 * DeleteRole goes by name and is sent once: after a lost answer the caller looks first, because by then the name
 * may be somebody else's (fact sheet reliability-and-security, 2.3).
 */
async function deleteRole(
  world: World,
  target: { account: Account; name: string },
  { spec, mark }: { readonly spec: RoleSpec; readonly mark: ReturnType<typeof tagsOf> | undefined },
): Promise<void> {
  const detach = spec.managed.map((PolicyArn) => ({ operation: "DetachRolePolicy", input: { PolicyArn } }));
  const strip = Object.keys(spec.inline).map((PolicyName) => ({
    operation: "DeleteRolePolicy",
    input: { PolicyName },
  }));
  const parts = [...detach, ...strip];
  // Whoever is cut off in between leaves a role that is unfinished, and that nobody takes for edited by somebody else.
  const open = mark && parts.length > 0 ? [{ operation: "TagRole", input: { Tags: mark } }] : [];
  // Not found is done, item by item.
  for (const step of [...open, ...parts]) await unlessMissing(calls.writeRole(world, target, step));
  await unlessMissing(calls.writeRole(world, target, { operation: "DeleteRole", effect: "once", input: {} }));
}
