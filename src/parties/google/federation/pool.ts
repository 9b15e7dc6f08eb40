import type {
  Finding,
  Former,
  Kind,
  Leftovers,
  Live,
  LivePresent,
  Mark,
  PutJob,
  Removal,
  Resource,
  Seek,
  World,
} from "../../../model.ts";
import { CloudError, createOnce, inParallel, unlessDone, unlessMissing } from "../../../run/retry.ts";
import { ownProjects } from "../claims.ts";
import { charactersOf, formerDescription, formerIn, recordIn } from "../former.ts";
import { maxDescription, ownDescription, withMark } from "../mark.ts";
import {
  getPool,
  getPoolProvider,
  idOf,
  isOwn,
  type LivePool,
  listPoolProviders,
  ownPools,
  poolPath,
} from "./calls.ts";
import { visible } from "./landing.ts";
import { specOf } from "./live-spec.ts";
import { claimantsOf, claimsIn, isClaimedBy, withClaim, withoutClaim } from "./pool-claims.ts";
import { type PoolSpec, poolAddress } from "./spec.ts";
import { write } from "./writer.ts";

/**
 * A workload identity pool. Its mark stands at the end of its description. A deleted one holds its id for 30 days and
 * takes its pool providers and bindings along when it comes back: hence `wakes`.
 */
export const poolKind: Kind<PoolSpec> = {
  name: "google:pool",
  label: "google pool",
  wakes: true,
  read,
  list: leftovers,
  put,
  remove,
};

/**
 * With its pool providers, because each of them can make any principal of the pool: who gets in is a question about all
 * of them (google.md 6.3).
 */
async function read({ spec }: Resource<PoolSpec>, _hints: readonly string[], world: World): Promise<Live<PoolSpec>> {
  const live = liveOf(spec.project, await getPool(world, spec));
  if (live.state !== "present") return live;
  const all = (await unlessMissing(listPoolProviders(world, spec))) ?? [];
  const seen = all.filter(({ state }) => state === "ACTIVE").map((found) => specOf(spec, found));
  return { ...live, seen };
}

function liveOf(project: string, pool: LivePool | undefined): Live<PoolSpec> {
  if (!pool) return { state: "absent" };
  if (pool.state === "ACTIVE") return present(project, pool);
  return { state: "deleted", id: pool.name, outputs: outputsOf(pool) };
}

const outputsOf = ({ name, description, disabled, expireTime }: LivePool) => ({
  ...{ name, description, disabled: String(disabled) },
  ...(expireTime ? { expireTime } : {}),
});

/** Any owner's mark gives `ours` or `adopted` here, with all claims beside it; whose it is, `observe` decides. */
function present(project: string, pool: LivePool): LivePresent<PoolSpec> {
  const { holder: mark, sharers } = claimsIn(pool.description);
  return {
    state: "present",
    owner: mark ? (mark.adopted ? "adopted" : "ours") : "foreign",
    spec: { project, pool: idOf(pool), disabled: pool.disabled },
    outputs: outputsOf(pool),
    ...(mark ? { mark: { ...mark, ...(sharers.length > 0 ? { sharers } : {}) }, joins: true } : {}),
    ...settings(pool),
    former: (owner) => formerOf(pool, owner),
  };
}

/** Joining a pool takes nothing from it, so there is nothing to remember: it takes only room for the claim. */
function formerOf({ description, disabled }: LivePool, owner: string): Former {
  if (claimantsOf(description).some((name) => name !== owner) && claimsIn(description).holder?.owner !== owner) {
    const over = overlong(withClaim(description, { owner, want: "", put: "" }));
    if (over <= 0) return { lost: [] };
    return { lost: [], blocked: `its description leaves no room for a claim; shorten it by ${over} characters` };
  }
  return formerIn(
    { description, owner, measure: charactersOf },
    disabled ? { disabled: { value: true, says: "that it was disabled" } } : {},
  );
}

const overlong = (description: string): number => charactersOf(description) - maxDescription;

/** What no file can ask for, and what decides how long a token lives and whom else the pool believes (google.md 6.1). */
function settings({ sessionDuration, mode, inlineTrustConfig }: LivePool): Pick<LivePresent, "notes"> {
  const set = [
    ...(sessionDuration === undefined ? [] : [`sessions live ${sessionDuration}`]),
    ...(mode === undefined || mode === "FEDERATION_ONLY" ? [] : [`its mode is ${mode}`]),
    ...(inlineTrustConfig === undefined ? [] : ["it has a trust configuration of its own"]),
  ];
  if (set.length === 0) return {};
  const says = `somebody set what no file of ours says: ${set.join(", ")}`;
  return { notes: [{ code: "GOOGLE-POOL-SETTINGS", severity: "warning", at: {}, says, because: [], fix: [] }] };
}

/** Pools of this owner that the file does not name, in projects where it owns anything (contract, section 8). */
async function leftovers({ named, beside, owner }: Seek<PoolSpec>, world: World): Promise<Leftovers> {
  const known = new Set<string>(named.map(({ address }) => address));
  const projects = ownProjects(beside);
  const lists = await inParallel(projects, 4, async (project) =>
    (await ownPools(world, project, owner)).map((pool) => present(project, pool)),
  );
  const found = lists.flat().map((live) => ({ address: poolAddress(live.spec), live }));
  const scopes = projects.map((project) => `google pools ${project}`);
  return { found: found.filter(({ address }) => !known.has(address)), scopes, findings: [] };
}

/** Observe, ensure, sync, return. A create makes a pool whole, so its mark never says `-`. */
async function put({ desired, live, mark }: PutJob<PoolSpec>, world: World): Promise<LivePresent<PoolSpec>> {
  const { spec } = desired;
  const there = live.state === "present" ? live : await bring(world, { desired, live, mark });
  if (live.state === "absent" && !isShared(there, { spec, mark })) throw foreign(spec);
  const stays = live.state === "deleted" ? await claimantsInside(world, spec) : () => true;
  const wanted = ({ description, disabled }: Pick<LivePool, "description" | "disabled">) => {
    const claimed = fitting(withClaim(description, mark, stays), spec);
    return {
      ...(disabled === spec.disabled ? {} : { disabled: spec.disabled }),
      ...(claimed === description ? {} : { description: claimed }),
    };
  };
  const { description = "" } = there.outputs;
  const isThere = Object.keys(wanted({ description, disabled: there.spec.disabled })).length === 0;
  const written: LivePresent["outputs"] = isThere
    ? there.outputs
    : outputsOf(await mustLive(rewrite(world, spec, wanted), spec));
  const outputs: LivePresent["outputs"] = { ...there.outputs, ...written, disabled: String(spec.disabled) };
  const held = claimsIn(outputs.description ?? "");
  const owner = held.sharers.length > 0 || held.holder?.owner !== mark.owner || mark.adopted ? "adopted" : "ours";
  return { state: "present", owner, spec, outputs, mark };
}

/** Whether a pool that appeared after the plan was made is this deployment's, or another's to be shared as it is. */
const isShared = (
  there: LivePresent<PoolSpec>,
  { spec, mark }: { readonly spec: PoolSpec; readonly mark: Mark },
): boolean => there.mark?.owner === mark.owner || (there.mark !== undefined && there.spec.disabled === spec.disabled);

/**
 * Of a pool that was deleted, the claims of deployments that left it are still in its description. Those that did not leave
 * have a pool provider in it, which came back with it.
 */
async function claimantsInside(world: World, spec: PoolSpec): Promise<(owner: string) => boolean> {
  const inside = (await listPoolProviders(world, spec)).filter(({ state }) => state === "ACTIVE");
  return (owner) => inside.some((one) => isOwn(one, owner));
}

function fitting(description: string, { pool }: PoolSpec): string {
  const over = overlong(description);
  if (over <= 0) return description;
  throw new CloudError({
    ...{ class: "invalid", service: "google.iam", operation: "PatchWorkloadIdentityPool", code: "", status: 0 },
    message: `the description of the pool ${pool} leaves no room for a claim; shorten it by ${over} characters`,
  });
}

/** Milliseconds between a write of a description and the look at it: longer than others take from reading it to writing it. */
const pause = 1000;
const mostWritten = 20;

type PoolFields = { disabled?: boolean; description?: string };

/**
 * Writes what a change of the pool as it is now asks for, until it asks for nothing. A description has no etag, so another
 * deployment that read it before and writes it after would take a claim away, or bring one back: it is read once more after
 * a pause. Returns the pool as it was read last.
 */
async function rewrite(
  world: World,
  spec: PoolSpec,
  change: (pool: LivePool) => PoolFields,
): Promise<LivePool | undefined> {
  for (let written = 0; written < mostWritten; written++) {
    const pool = await getPool(world, spec);
    const fields = pool?.state === "ACTIVE" ? change(pool) : {};
    if (pool === undefined || Object.keys(fields).length === 0) return pool;
    await patch(world, spec, fields);
    const { description = pool.description } = fields;
    const claimants = new Set([...claimantsOf(pool.description), ...claimantsOf(description)]);
    // Nobody else has a claim, and this deployment had one before: nobody is at odds with it.
    if (claimants.size < 2 && claimantsOf(pool.description).length > 0) return { ...pool, ...fields };
    await world.clock.sleep(pause * (1 + world.random()));
  }
  throw new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "PatchWorkloadIdentityPool", code: "", status: 0 },
    message: `the description of the pool ${spec.pool} was written by others again and again`,
  });
}

async function mustLive(read: Promise<LivePool | undefined>, spec: PoolSpec): Promise<LivePool> {
  const pool = await read;
  if (pool?.state !== "ACTIVE") throw goneMeanwhile(spec);
  return pool;
}

const goneMeanwhile = ({ pool }: PoolSpec): CloudError =>
  new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "GetWorkloadIdentityPool", code: "", status: 0 },
    message: `the pool ${pool} was deleted while this deployment joined it`,
  });

const foreign = ({ pool }: PoolSpec): CloudError =>
  new CloudError({
    ...{ class: "exists", service: "google.iam", operation: "CreateWorkloadIdentityPool", code: "ALREADY_EXISTS" },
    ...{ status: 409, message: `the pool ${pool} appeared meanwhile and is not ours` },
  });

/** Made, or brought back from its 30 days, and seen three times in a row. */
async function bring(world: World, { desired, live, mark }: PutJob<PoolSpec>): Promise<LivePresent<PoolSpec>> {
  const { spec } = desired;
  const find = async () => {
    const found = liveOf(spec.project, await getPool(world, spec));
    return found.state === "present" ? found : undefined;
  };
  if (live.state === "deleted") await undelete(world, spec);
  const restored = live.state === "deleted" ? await find() : undefined;
  const create = () => made(world, spec, withMark(ownDescription, mark));
  const there = restored ?? (await createOnce(world, { find, create }));
  await visible(world, `google pool ${spec.pool}`, async () => (await getPool(world, spec))?.state === "ACTIVE");
  return there;
}

async function made(world: World, spec: PoolSpec, description: string): Promise<LivePresent<PoolSpec>> {
  const { project, pool, disabled } = spec;
  await write(world, {
    ...{ operation: "CreateWorkloadIdentityPool", effect: "once", project },
    send: (client) =>
      client.createWorkloadIdentityPool({
        parent: poolPath(spec).replace(/\/workloadIdentityPools\/.*/, ""),
        workloadIdentityPoolId: pool,
        workloadIdentityPool: { displayName: pool, description, disabled },
      }),
  });
  const now = liveOf(project, await getPool(world, spec));
  if (now.state === "present") return now;
  throw new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "GetWorkloadIdentityPool", code: "", status: 0 },
    message: `the pool ${pool} was made and is not visible yet`,
  });
}

const undelete = (world: World, spec: PoolSpec): Promise<void> =>
  unlessDone(
    () =>
      write(world, {
        ...{ operation: "UndeleteWorkloadIdentityPool", effect: "repeatable", project: spec.project },
        send: (client) => client.undeleteWorkloadIdentityPool({ name: poolPath(spec) }),
      }),
    async () => (await getPool(world, spec))?.state === "ACTIVE",
  );

/** Only what differs; the mask keeps the rest, and the same twice changes nothing. */
async function patch(world: World, spec: PoolSpec, fields: PoolFields): Promise<void> {
  const paths = Object.keys(fields);
  if (paths.length === 0) return;
  await write(world, {
    ...{ operation: "PatchWorkloadIdentityPool", effect: "repeatable", project: spec.project },
    send: (client) =>
      client.updateWorkloadIdentityPool({
        workloadIdentityPool: { name: poolPath(spec), ...fields },
        updateMask: { paths },
      }),
  });
}

/**
 * Takes the claim of this deployment away. Where nobody else has one, a pool that was adopted is given back as it was, and
 * one that was made is deleted; one that is gone already counts as deleted.
 */
async function remove(
  { live, how }: Pick<Removal<PoolSpec>, "live" | "how">,
  world: World,
): Promise<readonly Finding[]> {
  const { spec, outputs, mark } = live;
  const owner = mark?.owner ?? "";
  const isSame = (pool: LivePool) => pool.name === outputs.name && isClaimedBy(pool.description, owner);
  let hasLeft = false;
  const leave = () =>
    rewrite(world, spec, (pool) => {
      const description = isSame(pool) ? withoutClaim(pool.description, owner) : undefined;
      hasLeft ||= description !== undefined;
      return description === undefined ? {} : { description };
    });
  let now = await leave();
  // The plan saw the claim. A read soon after a write may show the past, so a claim that is not there is looked for again.
  for (let asked = 1; asked < 3 && !hasLeft && now?.state === "ACTIVE" && !isSame(now); asked++) {
    await world.clock.sleep(pause);
    now = await leave();
  }
  if (now?.state !== "ACTIVE") return [];
  if (!isSame(now)) return hasLeft || now.name !== outputs.name ? [] : [unclaimed(spec)];
  const { holder } = claimsIn(now.description);
  // Of a pool that is one deployment's alone, giving it back leaves it without a mark.
  const stays = holder?.adopted === true || (how === "release" && live.owner === "ours");
  if (!stays) return removeLast(live, owner, world);
  const disabled = holder && recordIn(holder).disabled === true ? { disabled: true } : {};
  await patch(world, spec, { ...disabled, description: formerDescription(now.description) });
  return [];
}

/** With a pool every pool provider in it would go, so it stays as long as one of somebody else's is there. */
async function removeLast(live: LivePresent<PoolSpec>, owner: string, world: World): Promise<readonly Finding[]> {
  const { spec, outputs } = live;
  const inside = await listPoolProviders(world, spec);
  const theirs = inside.filter((one) => one.state === "ACTIVE" && !isOwn(one, owner));
  if (theirs.length > 0) return [kept(spec, theirs.map(idOf))];
  // One of ours goes before its pool: inside a deleted pool it would stay as it is, and come back with it.
  for (const one of inside.filter(({ state }) => state === "ACTIVE")) await mustBeGone(world, spec, idOf(one));
  const last = await getPool(world, spec);
  if (last?.state !== "ACTIVE" || last.name !== outputs.name) return [];
  // Another deployment joined while its pool providers were looked at: then it is not the last one out.
  if (claimantsOf(last.description).join() !== owner) return remove({ live, how: "delete" }, world);
  await unlessDone(
    () =>
      write(world, {
        ...{ operation: "DeleteWorkloadIdentityPool", effect: "repeatable", project: spec.project },
        send: (client) => client.deleteWorkloadIdentityPool({ name: poolPath(spec) }),
      }),
    async () => (await getPool(world, spec))?.state !== "ACTIVE",
  );
  return [];
}

/**
 * A list may show the past, so the pool provider itself is read. Throws where it is not seen to be deleted: a deleted one
 * answers for 30 days, so that one of which nothing is known was read in the past.
 */
async function mustBeGone(world: World, { project, pool }: PoolSpec, id: string): Promise<void> {
  const there = await getPoolProvider(world, { project, pool, id });
  if (there && there.state !== "ACTIVE") return;
  throw new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "DeleteWorkloadIdentityPool", code: "", status: 0 },
    message: `the pool provider ${id} is still in the pool ${pool}, which stays for now`,
  });
}

const unclaimed = ({ pool }: PoolSpec): Finding => ({
  ...{ code: "LEFT-ALONE", severity: "warning", at: {}, because: [] },
  says: `the pool ${pool} was left alone, because somebody took the claim of this deployment off it meanwhile`,
  fix: ["look whose it is, then run it again"],
});

const kept = ({ pool }: PoolSpec, theirs: readonly string[]): Finding => ({
  ...{ code: "GOOGLE-FOREIGN-POOL-PROVIDER", severity: "warning", at: {}, because: [] },
  says: `the pool ${pool} stays: ${theirs.join(", ")} in it is not ours, and would go with it`,
  fix: ["look whose it is, then run it again"],
});
