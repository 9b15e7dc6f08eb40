import { renderPolicy } from "../../../judge/aws/policy.ts";
import type {
  Address,
  Finding,
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
import { finding } from "../../../model.ts";
import { CloudError, createOnce, inParallel, removeOnce, unlessMissing } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { listOidcProviders } from "../oidc-provider/calls.ts";
import { privilegesOf } from "../permissions.ts";
import { readRoles } from "./bulk.ts";
import * as calls from "./calls.ts";
import { patternsOf } from "./decisions.ts";
import { type RawRole, recordFixes, returnOf, sidFor } from "./former.ts";
import { present, type Wanted } from "./live.ts";
import {
  combineRoles,
  descriptionOf,
  differRoles,
  markOf,
  type RoleSpec,
  roleAddress,
  tagsOf,
  trustOf,
} from "./spec.ts";
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
  remove: removeRole,
  // Permissions go one by one, and the role itself last.
  leaving: (spec) => ({ ...spec, managed: [], inline: {} }),
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
  const raw = await readRaw(world, wanted);
  return raw ? present(wanted, raw) : { state: "absent" };
}

async function readRaw(world: World, { account, name: role }: Wanted): Promise<RawRole | undefined> {
  const target = { account, name: role };
  // GetRole alone says whether the role is there; the lists of a role that just went are empty.
  const reading = Promise.all([
    calls.getRole(world, target),
    unlessMissing(calls.listInlinePolicies(world, target)).then((names) =>
      inParallel(names ?? [], 4, async (name) => [name, await calls.getInlinePolicy(world, target, name)] as const),
    ),
    unlessMissing(calls.listAttachedPolicies(world, target)),
  ]);
  const [found, inline, managed] = (await unlessMissing(reading)) ?? [];
  return found && inline ? { role: found, inline, managed: managed ?? [] } : undefined;
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
  // One that takes the place of an adopted role vouches for its record from the beginning.
  const sid = mark.was === undefined ? undefined : sidFor(mark.was);
  const input = {
    AssumeRolePolicyDocument: renderPolicy(trustOf(spec), [sid]),
    Path: spec.path,
    Description: descriptionOf(desired.links),
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
      const outputs = { arn: made.Arn, roleId: made.RoleId, ...(sid ? { vouches: sid } : {}) };
      return { state: "present", owner: "ours", spec: empty, outputs, mark: born };
    },
  });
}

/**
 * Permissions first, the role last (fact sheet reliability-and-security, 2.4), and only the very role that
 * was read, by its RoleId: a namesake made meanwhile stays. `release` brings back what the role was.
 */
async function removeRole(
  { live, how, leaving, access }: Removal<RoleSpec>,
  world: World,
): Promise<readonly Finding[]> {
  const account: Account = { account: live.spec.account, ...(access ? { access } : {}) };
  const target = { account, name: live.spec.name };
  const find = async (): Promise<RawRole | undefined> => {
    const now = await readRaw(world, target);
    return now?.role.RoleId === live.outputs.roleId ? now : undefined;
  };
  if (how === "release") {
    const raw = await find();
    return raw ? giveBack(world, target, raw) : [];
  }
  const isWhole = live.spec.managed.length === 0 && Object.keys(live.spec.inline).length === 0;
  // From here on the role differs from what was last written, and is ours all the same.
  if (leaving !== undefined && !isWhole && live.mark?.put !== leaving) {
    const Tags = tagsOf({ owner: "", want: "", put: leaving }).filter(({ Key }) => Key === "crosstrust:put");
    if (await find()) await unlessMissing(calls.writeRole(world, target, { operation: "TagRole", input: { Tags } }));
  }
  await removeOnce(world, { find, remove: (raw) => deleteRole(world, target, raw) });
  return [];
}

async function giveBack(world: World, target: Wanted, raw: RawRole): Promise<readonly Finding[]> {
  const back = returnOf(raw);
  if ("stays" in back)
    return [
      { ...notRestored(target.name, back.stays), asks: "conflict", fix: recordFixes(target.name, raw.role.Tags ?? []) },
    ];
  for (const write of back.writes) {
    // Somebody may have deleted a policy that the role had: the rest comes back all the same.
    const done = await unlessMissing(calls.writeRole(world, target, write).then(() => true));
    if (!done && write.operation === "AttachRolePolicy")
      return [notRestored(target.name, `${String(write.input.PolicyArn)}, which it had, does not exist any more`)];
  }
  return back.lost === undefined ? [] : [notRestored(target.name, back.lost)];
}

const notRestored = (name: string, why: string): Finding =>
  finding("NOT-RESTORED", {
    severity: "warning",
    says: `the role ${name} is not what it was before it was adopted: ${why}`,
    fix: ["look at the role, and put back what is missing"],
  });

/**
 * DeleteRole goes by name and is sent once: after a lost answer the caller looks first, because by then the name
 * may be somebody else's (fact sheet reliability-and-security, 2.3).
 */
async function deleteRole(world: World, target: Wanted, raw: RawRole): Promise<void> {
  const detach = raw.managed.map((PolicyArn) => ({ operation: "DetachRolePolicy", input: { PolicyArn } }));
  const strip = raw.inline.map(([PolicyName]) => ({
    operation: "DeleteRolePolicy",
    input: { PolicyName },
  }));
  const parts = [...detach, ...strip];
  // Not found is done, item by item.
  for (const step of parts) await unlessMissing(calls.writeRole(world, target, step));
  await unlessMissing(calls.writeRole(world, target, { operation: "DeleteRole", effect: "once", input: {} }));
}
