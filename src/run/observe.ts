import {
  type Address,
  type Finding,
  type Kind,
  type Leftovers,
  type Live,
  type Party,
  type Ref,
  type Resource,
  unreadAsks,
  type World,
} from "../model.ts";
import { belongsTo, look, nothing, owns } from "./leftovers.ts";
import { CloudError, inParallel } from "./retry.ts";
import { seenBy } from "./sharing.ts";
import { troubleOf } from "./trouble.ts";

/** What to read, whose marks to look for, and what refers to what. */
export interface Ask {
  readonly resources: readonly Resource[];
  /** Waves of the resources: dependants are read first, because their marks hold the hints. */
  readonly waves: readonly (readonly Address[])[];
  readonly owner: string;
  /** Whether to look for what is ours and no longer named: of kinds that the file names, or of all. */
  readonly leftovers: "none" | "named" | "all";
  readonly parties: readonly Party[];
  /** What a reference inside a spec points at. */
  readonly refs: (resource: Resource) => readonly Ref[];
  /** The resource with its references resolved as far as `live` goes. */
  readonly resolve: (resource: Resource, live: ReadonlyMap<Address, Live>) => Resource;
  /** What a mark remembers of an address. */
  readonly hash: (address: Address) => string;
}

/** What was read and, kept apart from it, what could not be. */
export interface Observed {
  readonly live: ReadonlyMap<Address, Live>;
  readonly leftovers: Leftovers;
  /**
   * What could not be read, by address: nothing is concluded about these. What is not there and depends on one of them is
   * among them too, because it could not be made now.
   */
  readonly failed: ReadonlyMap<Address, Finding>;
  readonly findings: readonly Finding[];
  /** Those of the findings that were seen beside a thing that is there: writing the thing makes them old. */
  readonly notes: readonly Finding[];
}

const width = 8;

/**
 * Reads everything the file names, and looks for what it no longer names. Writes nothing. What cannot be read
 * is a finding at its address, and the rest goes on; with credentials of a wrong account nothing is read.
 */
export async function observe(ask: Ask, world: World): Promise<Observed> {
  const { parties, resources } = ask;
  const reach = await Promise.all(parties.map((party) => reached(party, resources.filter(belongsTo(party)), world)));
  const stop = reach.flat();
  if (stop.some((finding) => finding.severity === "error")) {
    return { live: new Map(), leftovers: nothing, failed: failAll(resources, stop), findings: stop, notes: [] };
  }
  const reading = readAll(ask, world);
  const [{ live, failed }, leftovers] = await Promise.all([
    reading,
    ask.leftovers === "none" ? nothing : look(ask, reading, world),
  ]);
  const notes = notesOn(live, resources);
  return { live, leftovers, failed, findings: [...stop, ...notes, ...leftovers.findings], notes };
}

async function reached(party: Party, resources: readonly Resource[], world: World): Promise<readonly Finding[]> {
  if (resources.length === 0) return [];
  return party.reach(resources, world).catch((error: unknown) => [troubleOf(error, {})]);
}

/** Every address gets the reason, so that no thing looks absent because nobody looked. */
const failAll = (resources: readonly Resource[], findings: readonly Finding[]): ReadonlyMap<Address, Finding> => {
  const first = findings.find((finding) => finding.severity === "error");
  return new Map(first ? resources.map(({ address }) => [address, first]) : []);
};

/** Returns what was seen beside each thing, with its address and links: the kind that saw it knows neither. */
export function notesOn(live: ReadonlyMap<Address, Live>, resources: readonly Resource[]): readonly Finding[] {
  const linksOf = new Map(resources.map(({ address, links }) => [address, links]));
  return [...live].flatMap(([address, one]) => {
    if (one.state !== "present") return [];
    const links = linksOf.get(address) ?? [];
    return (one.notes ?? []).map((note) => ({ ...note, at: { address, ...note.at }, links }));
  });
}

/** From how many on a kind is read in bulk: below it, single reads cost less than the pages of a large account. */
const many = 20;

/**
 * Where the bulk read is not permitted, or cannot be made sense of, everything is read one by one. One that failed for
 * the moment is no reason to ask a thousand times: what it was for could not be read.
 */
async function readBulk({ resources, parties, owner }: Ask, world: World) {
  const live = new Map<Address, Live>();
  const failed = new Map<Address, Finding>();
  for (const kind of parties.flatMap((party) => party.kinds)) {
    const group = resources.filter(({ address }) => owns(kind, address));
    if (!kind.readMany || group.length < many) continue;
    try {
      for (const [address, one] of await kind.readMany(group, world)) live.set(address, seenBy(one, owner));
    } catch (error) {
      const passing = error instanceof CloudError && ["throttled", "transient", "lost", "unsent"].includes(error.class);
      if (!passing) continue;
      for (const { address, links } of group) failed.set(address, unread(error, { address, links }));
    }
  }
  return { live, failed };
}

async function readAll(ask: Ask, world: World) {
  const { live, failed } = await readBulk(ask, world);
  const unmarked = (address: Address) => kindFor(ask, address).unmarked === true;
  const marked = [...ask.waves].reverse().map((wave) => wave.filter((address) => !unmarked(address)));
  for (const wave of [...marked, ask.waves.flat().filter(unmarked)]) {
    await inParallel(wave, width, async (address) => {
      const named = ask.resources.find((candidate) => candidate.address === address);
      if (!named || live.has(address) || failed.has(address)) return;
      // A small thing is found by what it refers to: under an unknown name it would look absent.
      const unknown = unmarked(address) ? ask.refs(named).find(({ $ref }) => failed.has($ref)) : undefined;
      const why = unknown && failed.get(unknown.$ref);
      if (why) {
        failed.set(address, why);
        return;
      }
      const resource = unmarked(address) ? ask.resolve(named, live) : named;
      try {
        const found = await kindFor(ask, address).read(resource, hintsFor(resource, ask, live), world);
        live.set(address, seenBy(found, ask.owner));
      } catch (error) {
        failed.set(address, unread(error, { address, links: resource.links }));
      }
    });
  }
  for (const [address, why] of waiting(ask, live, failed)) failed.set(address, why);
  return { live, failed };
}

/** Why something could not be read. An interruption asks for an exit code by its own code. */
function unread(error: unknown, where: { readonly address: Address; readonly links: readonly string[] }): Finding {
  const trouble = troubleOf(error, where);
  return trouble.code === "INTERRUPTED" ? trouble : { ...trouble, asks: unreadAsks(trouble) };
}

/** Returns what is not there and depends on something that could not be read, with the reason why that was not read. */
function waiting({ waves, resources, refs }: Ask, live: Observed["live"], failed: Observed["failed"]) {
  const found = new Map<Address, Finding>();
  const named = new Map(resources.map((resource) => [resource.address, resource]));
  // Dependencies come first, so that what waits for a waiting thing is found as well.
  for (const address of waves.flat()) {
    const resource = named.get(address);
    if (!resource || resource.hold === "use" || live.get(address)?.state === "present") continue;
    const on = [...refs(resource).map(({ $ref }) => $ref), ...(resource.needs ?? [])];
    const why = on.map((one) => failed.get(one) ?? found.get(one)).find((one) => one !== undefined);
    if (why && !failed.has(address)) found.set(address, why);
  }
  return found;
}

function kindFor({ parties }: Ask, address: Address): Kind {
  const kind = parties.flatMap((party) => party.kinds).find((candidate) => owns(candidate, address));
  if (!kind) throw new Error(`no kind owns ${address}`);
  return kind;
}

/** The ids that dependants remember in their marks, by name: an id alone could be another's. */
function hintsFor(resource: Resource, ask: Ask, live: ReadonlyMap<Address, Live>): readonly string[] {
  const tail = tailOf(resource.address);
  return ask.resources.flatMap((dependant) => {
    const refs = ask.refs(dependant).filter((ref) => ref.$ref === resource.address);
    const there = live.get(dependant.address);
    if (refs.length === 0 || there?.state !== "present") return [];
    return (there.mark?.subjects ?? "").split(" ").flatMap((entry) => {
      const [name, id] = entry.split("=");
      return name === tail && id ? [id] : [];
    });
  });
}

/** What a mark says beside an id: `acme-prod/reports`. */
export const tailOf = (address: Address): string => address.slice(address.indexOf("/") + 1);
