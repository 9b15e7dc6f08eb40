import type {
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
import { CloudError, createOnce, inParallel, unlessDone, unlessMissing } from "../../../run/retry.ts";
import { ownProjects } from "../claims.ts";
import { charactersOf, formerDescription, formerIn, recordIn } from "../former.ts";
import { ownDescription, parseDescription, withMark } from "../mark.ts";
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
import { described, visible } from "./landing.ts";
import { specOf } from "./live-spec.ts";
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

/** Any owner's mark gives `ours` or `adopted` here; whose it is, `observe` decides. */
function present(project: string, pool: LivePool): LivePresent<PoolSpec> {
  const mark = parseDescription(pool.description);
  return {
    state: "present",
    owner: mark ? (mark.adopted ? "adopted" : "ours") : "foreign",
    spec: { project, pool: idOf(pool), disabled: pool.disabled },
    outputs: outputsOf(pool),
    ...(mark ? { mark } : {}),
    ...settings(pool),
    former: (owner) =>
      formerIn(
        { description: pool.description, owner, measure: charactersOf },
        pool.disabled ? { disabled: { value: true, says: "that it was disabled" } } : {},
      ),
  };
}

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
  if (live.state !== "present" && there.mark?.owner !== mark.owner && live.state !== "deleted") throw foreign(spec);
  const description = described(there.outputs.description ?? "", mark, `the pool ${spec.pool}`);
  const fields = {
    ...(there.spec.disabled === spec.disabled ? {} : { disabled: spec.disabled }),
    ...(description === there.outputs.description ? {} : { description }),
  };
  await patch(world, spec, fields);
  const outputs = { ...there.outputs, description, disabled: String(spec.disabled) };
  return { state: "present", owner: mark.adopted ? "adopted" : "ours", spec, outputs, mark };
}

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
async function patch(world: World, spec: PoolSpec, fields: { disabled?: boolean; description?: string }) {
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
 * `release` takes our mark off and leaves the pool as it was; one that is gone already counts as deleted. With it every pool
 * provider in it would go: so it stays as long as one of somebody else's is there.
 */
async function remove({ live, how }: Removal<PoolSpec>, world: World): Promise<readonly Finding[]> {
  const { spec, outputs, mark } = live;
  if (how === "release") {
    const disabled = recordIn(mark).disabled === true ? { disabled: true } : {};
    await patch(world, spec, { ...disabled, description: formerDescription(outputs.description ?? "") });
    return [];
  }
  const now = await getPool(world, spec);
  if (now?.state !== "ACTIVE" || now.name !== outputs.name) return [];
  const inside = await listPoolProviders(world, spec);
  const theirs = inside.filter((one) => one.state === "ACTIVE" && !isOwn(one, mark?.owner));
  if (theirs.length > 0) return [kept(spec, theirs.map(idOf))];
  // One of ours goes before its pool: inside a deleted pool it would stay as it is, and come back with it.
  for (const one of inside.filter(({ state }) => state === "ACTIVE")) await mustBeGone(world, spec, idOf(one));
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

const kept = ({ pool }: PoolSpec, theirs: readonly string[]): Finding => ({
  ...{ code: "GOOGLE-FOREIGN-POOL-PROVIDER", severity: "warning", at: {}, because: [] },
  says: `the pool ${pool} stays: ${theirs.join(", ")} in it is not ours, and would go with it`,
  fix: ["look whose it is, then run it again"],
});
