import { z } from "zod";
import { renderCondition } from "../../../judge/google/condition.ts";
import type {
  Finding,
  Kind,
  Leftovers,
  Live,
  LivePresent,
  Mark,
  PutJob,
  Removal,
  Seek,
  World,
} from "../../../model.ts";
import { CloudError, createOnce, inParallel, unlessDone, unlessMissing } from "../../../run/retry.ts";
import { ownProjects } from "../claims.ts";
import { type Changed, charactersOf, formerDescription, formerIn, recordIn } from "../former.ts";
import { ownDescription, parseDescription, withMark } from "../mark.ts";
import {
  finished,
  getPoolProvider,
  idOf,
  isOwn,
  type LivePoolProvider,
  listPoolProviders,
  ownPools,
  poolPath,
  poolProviderPath,
  storeKeys,
} from "./calls.ts";
import { described, visible } from "./landing.ts";
import { specOf } from "./live-spec.ts";
import { differPoolProviders } from "./pool-provider-differ.ts";
import { combinePoolProviders, type PoolProviderSpec, poolProviderAddress } from "./spec.ts";
import { poolProviderWidens } from "./widens.ts";
import { write } from "./writer.ts";

/** A pool provider: who is believed, as whom, and under which condition. Its type is for life (google.md 6.1). */
export const poolProviderKind: Kind<PoolProviderSpec> = {
  name: "google:poolProvider",
  label: "google pool provider",
  immutable: ["type"],
  wakes: true,
  read: async ({ spec }, _hints, world) => {
    const found = await getPoolProvider(world, spec);
    const read = liveOf(spec, found);
    if (read.state !== "present" || found === undefined) return read;
    const live = { ...read, spec: { ...read.spec, audiences: audiencesFor(spec, found) } };
    const former = (owner: string) =>
      formerIn({ description: found.description, owner, measure: charactersOf }, undone(found, live.spec, spec));
    return { ...live, notes: notesOf(live.spec, spec), former };
  },
  list: leftovers,
  put,
  remove: (target, world) => remove(target, world).then(() => []),
  differ: differPoolProviders,
  widens: poolProviderWidens,
  combine: combinePoolProviders,
};

/** What would change, as Google holds it: a condition in its own spelling, a mapping with its blanks, stored keys whole. */
function undone(
  found: LivePoolProvider,
  live: PoolProviderSpec,
  desired: PoolProviderSpec,
): { [member: string]: Changed } {
  const has = (member: keyof PoolProviderSpec) => canonical(live[member]) !== canonical(desired[member]);
  return {
    ...(has("disabled") ? { disabled: { value: found.disabled, says: "that it was disabled" } } : {}),
    ...(has("mapping") ? { mapping: { value: found.attributeMapping, says: "its mapping" } } : {}),
    ...(has("conditions") ? { condition: { value: found.attributeCondition, says: "its condition" } } : {}),
    ...(has("source") ? { source: { value: live.source as string, says: "its issuer or account" } } : {}),
    ...(has("audiences") ? { audiences: { value: live.audiences, says: "its audiences" } } : {}),
    ...(has("keys") ? { keys: { value: found.oidc?.jwksJson ?? "", says: "the keys that are stored in it" } } : {}),
  };
}

const formerSchema = z.object({
  disabled: z.boolean().optional(),
  mapping: z.record(z.string(), z.string()).optional(),
  condition: z.string().optional(),
  source: z.string().optional(),
  audiences: z.array(z.string()).optional(),
  keys: z.string().optional(),
});

/** Gives it back as it was: what it believes first, then the keys that were stored in it, and what remembers all this last. */
async function giveBack(world: World, { spec, outputs, mark }: LivePresent<PoolProviderSpec>): Promise<void> {
  const { disabled, mapping, condition, source, audiences, keys } = formerSchema.parse(recordIn(mark));
  const sources =
    source === undefined && audiences === undefined
      ? {}
      : sourceOf({ ...spec, ...(source === undefined ? {} : { source }), ...(audiences ? { audiences } : {}) });
  const fields: Fields = {
    ...(disabled === undefined ? {} : { disabled }),
    ...(mapping === undefined ? {} : { attributeMapping: mapping }),
    ...(condition === undefined ? {} : { attributeCondition: condition }),
    ...sources,
  };
  const description = formerDescription(outputs.description ?? "");
  if (keys === undefined) return patch(world, spec, { ...fields, description });
  await patch(world, spec, fields);
  await finished(world, spec, await storeKeys(world, spec, keys));
  await patch(world, spec, { description });
}

type Place = Pick<PoolProviderSpec, "project" | "pool">;

function liveOf(place: Place, found: LivePoolProvider | undefined): Live<PoolProviderSpec> {
  if (!found) return { state: "absent" };
  if (found.state === "ACTIVE") return present(place, found);
  return { state: "deleted", id: found.name, outputs: outputsOf(found) };
}

/**
 * The audiences as they were read. None means that Google takes the pool provider's own name in its two spellings, and nobody
 * else's token: a file that names one or both of them asks for just that, and has it (google.md 6.1).
 */
function audiencesFor(desired: PoolProviderSpec, { name, oidc }: LivePoolProvider): readonly string[] {
  const read = oidc?.allowedAudiences ?? [];
  const own = [`//iam.googleapis.com/${name}`, `https://iam.googleapis.com/${name}`];
  const asked = desired.audiences.length > 0 && desired.audiences.every((one) => own.includes(one));
  return oidc !== undefined && read.length === 0 && asked ? desired.audiences : read;
}

const outputsOf = ({ name, description }: LivePoolProvider) => ({ name, description });

function present(place: Place, found: LivePoolProvider): LivePresent<PoolProviderSpec> {
  const mark = parseDescription(found.description);
  const owner = mark ? (mark.adopted ? "adopted" : "ours") : "foreign";
  return { state: "present", owner, spec: specOf(place, found), outputs: outputsOf(found), ...(mark ? { mark } : {}) };
}

/** A type cannot change, and a deleted one holds its id for 30 days: no order of calls gets there (google.md, trap 11). */
function notesOf(live: PoolProviderSpec, desired: PoolProviderSpec): readonly Finding[] {
  if (live.type === desired.type) return [];
  return [
    {
      ...{ code: "GOOGLE-TYPE-FOR-LIFE", severity: "error", asks: "conflict", at: {}, because: [] },
      says: `the pool provider ${desired.id} is for ${live.type}, and the file makes it one for ${desired.type}: its type cannot change, and a deleted one holds its id for 30 days`,
      fix: ["give the link's poolProvider another id"],
    },
  ];
}

/**
 * Pool providers of this owner in its pools, those that the file no longer names included: their marks remember what was
 * granted. Other people's in the same pools are read with the pool, and judged.
 */
async function leftovers({ named, beside, owner }: Seek<PoolProviderSpec>, world: World): Promise<Leftovers> {
  const known = new Set<string>(named.map(({ address }) => address));
  const places = named.map(({ spec: { project, pool } }) => ({ project, pool }));
  const elsewhere = beside.length > named.length ? ownProjects(beside) : [];
  const others = await inParallel(elsewhere, 4, async (project) =>
    (await ownPools(world, project, owner)).map((pool) => ({ project, pool: idOf(pool) })),
  );
  const pools = [...new Map([...places, ...others.flat()].map((one) => [`${one.project}/${one.pool}`, one])).values()];
  const lists = await inParallel(pools, 4, async (place) => {
    const all = (await unlessMissing(listPoolProviders(world, place))) ?? [];
    return all.filter((one) => isOwn(one, owner)).map((found) => present(place, found));
  });
  const found = lists.flat().map((live) => {
    const { project, pool, id } = live.spec;
    return { address: poolProviderAddress({ project, pool, poolProvider: id }), live };
  });
  return { found: found.filter(({ address }) => !known.has(address)), scopes: [], findings: [] };
}

/** Observe, ensure, sync, return. One patch makes it whole, so there is no moment in between (fact sheet, 2.4). */
async function put(job: PutJob<PoolProviderSpec>, world: World): Promise<LivePresent<PoolProviderSpec>> {
  const { desired, live, mark } = job;
  const { spec } = desired;
  const there = live.state === "present" ? live : await bring(world, job);
  const ours = there.mark?.owner === mark.owner || live.state !== "absent";
  if (!ours) throw taken(spec, `the pool provider ${spec.id} appeared meanwhile and is not ours`);
  const describe = (as: Mark) => described(there.outputs.description ?? "", as, `the pool provider ${spec.id}`);
  if (there.spec.keys !== spec.keys) {
    // What it was is written down before any of it changes.
    if (mark.was !== there.mark?.was) await patch(world, spec, { description: describe({ ...mark, put: "-" }) });
    await finished(world, spec, await storeKeys(world, spec, ""));
  }
  const description = describe(mark);
  await patch(world, spec, changed(there, spec, description));
  const outputs = { ...there.outputs, description };
  return { state: "present", owner: mark.adopted ? "adopted" : "ours", spec, outputs, mark };
}

const taken = (spec: PoolProviderSpec, message: string): CloudError =>
  new CloudError({
    ...{ class: "exists", service: "google.iam", operation: "CreateWorkloadIdentityPoolProvider" },
    ...{ code: "ALREADY_EXISTS", status: 409, message: message || `${spec.id} is taken` },
  });

async function bring(
  world: World,
  { desired, live, mark }: PutJob<PoolProviderSpec>,
): Promise<LivePresent<PoolProviderSpec>> {
  const { spec } = desired;
  const read = async () => liveOf(spec, await getPoolProvider(world, spec));
  const find = async () => {
    const found = await read();
    return found.state === "present" ? found : undefined;
  };
  // Of a pool that was brought back its pool providers may be there again by now, whatever was read before.
  const now = live.state === "deleted" ? await read() : live;
  if (now.state === "deleted") await undelete(world, spec);
  const restored = live.state === "deleted" ? await find() : undefined;
  const make = async () => {
    await create(world, spec, withMark(ownDescription, mark));
    return (await find()) ?? notVisible(spec);
  };
  const there = restored ?? (await createOnce(world, { find, create: make }));
  await visible(world, `google pool provider ${spec.id}`, async () => (await read()).state === "present");
  return there;
}

function notVisible({ id }: PoolProviderSpec): never {
  throw new CloudError({
    ...{ class: "transient", service: "google.iam", operation: "GetWorkloadIdentityPoolProvider", code: "", status: 0 },
    message: `the pool provider ${id} was made and is not visible yet`,
  });
}

/** The fields of the API, each where it differs; `snake_case` in a mask, as the client writes it. */
interface Fields {
  disabled?: boolean;
  description?: string;
  attributeMapping?: Record<string, string>;
  attributeCondition?: string;
  aws?: { accountId: string };
  oidc?: { issuerUri: string; allowedAudiences: string[] };
}

const sourceOf = ({ type, source, audiences }: PoolProviderSpec): Pick<Fields, "aws" | "oidc"> =>
  type === "aws"
    ? { aws: { accountId: String(source) } }
    : { oidc: { issuerUri: String(source), allowedAudiences: [...audiences] } };

function changed({ spec: live, outputs }: LivePresent<PoolProviderSpec>, spec: PoolProviderSpec, description: string) {
  const differs = (...members: readonly (keyof PoolProviderSpec)[]) =>
    members.some((member) => canonical(live[member]) !== canonical(spec[member]));
  const fields: Fields = {
    ...(differs("disabled") ? { disabled: spec.disabled } : {}),
    ...(differs("mapping") ? { attributeMapping: { ...spec.mapping } } : {}),
    ...(differs("conditions") ? { attributeCondition: renderCondition(spec.conditions) } : {}),
    ...(differs("source", "audiences") ? sourceOf(spec) : {}),
    ...(description === outputs.description ? {} : { description }),
  };
  return fields;
}

const canonical = (value: unknown): string =>
  Array.isArray(value)
    ? JSON.stringify([...value].sort())
    : typeof value === "object" && value !== null
      ? JSON.stringify(Object.entries(value).sort())
      : JSON.stringify(value);

/** A field inside a source is masked by its own path: a mask of `oidc` would wipe what is not sent. */
const masks: Readonly<Record<keyof Fields, readonly string[]>> = {
  disabled: ["disabled"],
  description: ["description"],
  attributeMapping: ["attribute_mapping"],
  attributeCondition: ["attribute_condition"],
  aws: ["aws.account_id"],
  oidc: ["oidc.issuer_uri", "oidc.allowed_audiences"],
};

async function patch(world: World, spec: PoolProviderSpec, fields: Fields): Promise<void> {
  const paths = (Object.keys(fields) as (keyof Fields)[]).flatMap((field) => masks[field]);
  if (paths.length === 0) return;
  await write(world, {
    ...{ operation: "PatchWorkloadIdentityPoolProvider", effect: "repeatable", project: spec.project },
    send: (client) =>
      client.updateWorkloadIdentityPoolProvider({
        workloadIdentityPoolProvider: { name: poolProviderPath(spec), ...fields },
        updateMask: { paths },
      }),
  });
}

/** Final from the first moment: condition, mapping and mark travel in the create call (fact sheet, 2.4). */
const create = (world: World, spec: PoolProviderSpec, description: string): Promise<void> =>
  write(world, {
    ...{ operation: "CreateWorkloadIdentityPoolProvider", effect: "once", project: spec.project },
    send: (client) =>
      client.createWorkloadIdentityPoolProvider({
        parent: poolPath(spec),
        workloadIdentityPoolProviderId: spec.id,
        workloadIdentityPoolProvider: {
          ...{ displayName: spec.id, description, disabled: spec.disabled, ...sourceOf(spec) },
          attributeMapping: { ...spec.mapping },
          attributeCondition: renderCondition(spec.conditions),
        },
      }),
  });

const undelete = (world: World, spec: PoolProviderSpec): Promise<void> =>
  unlessDone(
    () =>
      write(world, {
        ...{ operation: "UndeleteWorkloadIdentityPoolProvider", effect: "repeatable", project: spec.project },
        send: (client) => client.undeleteWorkloadIdentityPoolProvider({ name: poolProviderPath(spec) }),
      }),
    async () => (await getPoolProvider(world, spec))?.state === "ACTIVE",
  );

async function remove({ live, how }: Removal<PoolProviderSpec>, world: World): Promise<void> {
  const { spec } = live;
  if (how === "release") return giveBack(world, live);
  const now = await getPoolProvider(world, spec);
  if (now?.state !== "ACTIVE") return;
  await unlessDone(
    () =>
      write(world, {
        ...{ operation: "DeleteWorkloadIdentityPoolProvider", effect: "repeatable", project: spec.project },
        send: (client) => client.deleteWorkloadIdentityPoolProvider({ name: poolProviderPath(spec) }),
      }),
    async () => (await getPoolProvider(world, spec))?.state !== "ACTIVE",
  );
}
