import type {
  Address,
  Cause,
  Change,
  Consents,
  Difference,
  Json,
  Kind,
  Leftovers,
  Live,
  LivePresent,
  Lookup,
  Mark,
  Resource,
} from "../model.ts";
import { kindOf } from "./expand.ts";
import { brief, equal, fingerprint, short } from "./fingerprint.ts";
import { refsOf, resolve } from "./refs.ts";

/** What is not among it counts as absent, so what could not be read must not be desired either. */
export interface Observation {
  readonly live: ReadonlyMap<Address, Live>;
  readonly leftovers: Leftovers;
  /** What could not be read: a thing that refers to it cannot be compared. */
  readonly failed?: ReadonlyMap<Address, unknown>;
}

/** What the file wants and what is live; what was last written stands in the marks of what is live. */
export interface Comparison {
  /** What the file wants now; everything that was observed and is not among it goes, if it is ours. */
  readonly desired: readonly Resource[];
  /** What the whole file names, links that are being destroyed included: whose a change is. */
  readonly named: readonly Resource[];
  readonly observed: Observation;
  readonly owner: string;
  readonly consents: Consents;
  readonly kinds: readonly Kind[];
}

/**
 * Desired x live x mark -> changes. Absent is create, deleted is restore, without our mark is adopt, and what
 * is only used is kept whatever it is; for what is ours and there the table of house.md holds:
 *
 *                      put is -      live = put     live differs from put
 *     live = desired   keep          keep           keep
 *     want unchanged   unfinished    moved          drifted
 *     want differs     unfinished    edited         both
 *
 * "Want" is the mark's fingerprint of the file, "put" that of what was last written. Last comes what the
 * file, or a former one, no longer wants: deleted, or given back where it was adopted.
 */
export function compare(input: Comparison): readonly Change[] {
  const lookup = lookupOf(input.observed.live);
  const wanted = new Set(input.desired.map((resource) => resource.address));
  const kept = input.desired.map((resource) => {
    const live = input.observed.live.get(resource.address) ?? { state: "absent" };
    const whole = input.named.find((other) => other.address === resource.address) ?? resource;
    return { ...changeOf(resource, live, { ...input, lookup }), links: whole.links };
  });
  const theirs = theirsIn(input.observed);
  const gone = input.named
    .filter(({ address, hold }) => !wanted.has(address) && hold === "own" && !theirs.has(brief(address)))
    .filter(({ address }) => !ridesOnForeign(address, input))
    .flatMap((resource) => removal(resource, input.observed.live.get(resource.address)));
  const leftover = leftoversOf(input).flatMap((found) => removal({ ...found, links: [] }, found.live));
  return [...kept, ...gone, ...leftover];
}

/** A small thing on something that is not ours, or not any more, was granted by whoever has that. */
function ridesOnForeign(address: Address, { named, observed }: Comparison): boolean {
  return named
    .filter(({ covers, hold }) => hold === "own" && covers?.includes(address))
    .flatMap((carrier) => [carrier.address, ...(carrier.needs ?? [])])
    .some((one) => {
      const live = observed.live.get(one);
      return live?.state === "present" && live.owner === "foreign";
    });
}

/** What was there before the thing that it rides on carried a mark of ours, by hashes: it is somebody else's. */
const theirsIn = ({ live, leftovers }: Observation): ReadonlySet<string> =>
  new Set(
    [...live.values(), ...leftovers.found.map((one) => one.live)].flatMap(markOf).flatMap((mark) => mark.theirs ?? []),
  );

const markOf = (live: Live): readonly Mark[] => (live.state === "present" && live.mark ? [live.mark] : []);

/** Of what no link names only that which is as crosstrust left it, or is given back: a mark alone authorises nothing. */
const leftoversOf = ({ observed, kinds }: Pick<Comparison, "observed" | "kinds">): Leftovers["found"] => {
  const theirs = theirsIn(observed);
  return observed.leftovers.found.filter(
    ({ address, live }) => !theirs.has(brief(address)) && !isContradicted(kindOf(kinds, address), live),
  );
};

/** Things that carry our mark, that no link names, and that are not what was last written. They are listed and stay. */
export const contradictedOf = ({ observed, kinds }: Pick<Comparison, "observed" | "kinds">): Leftovers["found"] =>
  observed.leftovers.found.filter(({ address, live }) => isContradicted(kindOf(kinds, address), live));

/** A thing that is being taken apart is what is left of it: its mark says so since before the first part went. */
function isContradicted(kind: Kind, { owner, mark, spec }: LivePresent): boolean {
  if (kind.unmarked || owner !== "ours" || mark === undefined) return false;
  return mark.put !== putOf(spec) && mark.put !== (kind.leaving ? leavingOf(kind.leaving(spec)) : undefined);
}

/** What the mark of a thing says while it is taken apart: the fingerprint of what goes last. */
export const leavingOf = (rest: unknown): string => `gone-${putOf(rest)}`;

/** The outputs of what is live, whoever owns it, or comes back with them: what a reference resolves to. */
export const lookupOf =
  (live: ReadonlyMap<Address, Live>): Lookup =>
  (ref) => {
    const target = live.get(ref.$ref);
    return target === undefined || target.state === "absent" ? undefined : target.outputs[ref.field];
  };

/** The fingerprint of what the file wants, references symbolic: it changes when the file changes. */
export const wantOf = ({ spec, covers }: Resource): string =>
  short(fingerprint(covers === undefined ? spec : { spec, covers }));

/** The fingerprint of a spec as written. */
export const putOf = (spec: unknown): string => short(fingerprint(spec));

/**
 * The order of the questions matters: a small thing that is equal is kept before anybody asks whose it is,
 * and a foreign one is shown for adoption even where it is equal, because it would get our mark.
 */
function changeOf(resource: Resource, live: Live, input: Comparison & { lookup: Lookup }): Change {
  const base = { address: resource.address, links: resource.links, desired: resource, live, differences: [] };
  if (live.state === "absent") return { ...base, ...whereAbsent(resource, input) };
  if (live.state === "deleted") return { ...base, verb: resource.hold === "use" ? "keep" : "restore" };
  if (resource.hold === "use") return { ...base, verb: "keep" };
  // What it should be is not known now: neither right nor wrong, and a finding says what could not be read.
  if (refsOf(resource.spec).some(({ $ref }) => input.observed.failed?.has($ref))) return { ...base, verb: "keep" };
  const kind = kindOf(input.kinds, resource.address);
  const spec = resolve(resource.spec, input.lookup);
  if (kind.unmarked && equal(spec, live.spec)) return { ...base, verb: "keep" };
  if (live.owner === "foreign") return { ...base, verb: "adopt", differences: differ(kind, spec, live.spec) };
  if (equal(spec, live.spec)) return { ...base, verb: "keep" };
  const differences = differ(kind, spec, live.spec);
  const verb = differences.some(({ path }) => kind.immutable?.includes(path)) ? "replace" : "update";
  const cause = kind.unmarked ? "drifted" : causeOf(resource, live);
  return { ...base, verb, cause, differences: cause === "moved" ? differences.map(formerly(live)) : differences };
}

/** What is only used is never made; what the cloud lost of ours is drift; the rest is new. */
function whereAbsent(resource: Resource, input: Comparison): Pick<Change, "verb" | "cause" | "differences"> {
  if (resource.hold === "use") return { verb: "keep", differences: [] };
  if (!isMissed(resource, input)) return { verb: "create", differences: [] };
  const { member } = resource.spec;
  const gone: Difference =
    member === undefined
      ? { path: "exists", desired: true, live: false }
      : { path: "member", desired: member, live: undefined, weight: "narrows" };
  return { verb: "update", cause: "drifted", differences: [gone] };
}

/** A small thing that is gone although the mark of what it rides on says that the file wanted it then as now. */
function isMissed({ address }: Resource, { named, observed }: Comparison): boolean {
  const carrier = named.find(({ covers }) => covers?.includes(address));
  const live = carrier && observed.live.get(carrier.address);
  return live?.state === "present" && live.mark?.put !== "-" && live.mark?.want === wantOf(carrier as Resource);
}

/** What a moved thing still trusts is what its mark remembers: an id that nobody has any more lets nobody in. */
const formerly =
  ({ mark }: LivePresent) =>
  (difference: Difference): Difference => {
    const { weight: _, ...plain } = difference;
    const known = typeof plain.live === "string" && mark?.subjects?.includes(plain.live);
    return known ? plain : difference;
  };

/** The lower two rows of the table: whatever comes here is ours, and differs. */
function causeOf(resource: Resource, live: LivePresent): Cause {
  const mark = live.mark;
  if (!mark || mark.put === "-" || mark.put.startsWith("gone-")) return "unfinished";
  const fileUnchanged = mark.want === wantOf(resource);
  const cloudUnchanged = mark.put === putOf(live.spec);
  if (fileUnchanged) return cloudUnchanged ? "moved" : "drifted";
  return cloudUnchanged ? "edited" : "both";
}

/** What is foreign or gone is left alone; a deleted thing that holds its id is gone, too. */
function removal(what: Pick<Resource, "address" | "links" | "access">, live: Live | undefined): readonly Change[] {
  if (live?.state !== "present" || live.owner === "foreign") return [];
  const { address, links, access } = what;
  const verb = live.owner === "adopted" ? "release" : "delete";
  return [{ address, verb, links, differences: [], live, ...(access ? { access } : {}) }];
}

/** As its kind tells it, else member by member. */
export const differ = (kind: Kind, desired: Resource["spec"], live: Resource["spec"]): readonly Difference[] =>
  kind.differ?.(desired, live, equal) ?? differences(desired, live, "");

/** Member by member; lists are sets and are told whole. */
export function differences(desired: Json | undefined, live: Json | undefined, path: string): readonly Difference[] {
  if (equal(desired, live)) return [];
  if (isMap(desired) && isMap(live)) {
    const keys = [...new Set([...Object.keys(desired), ...Object.keys(live)])].sort();
    return keys.flatMap((key) => differences(desired[key], live[key], path ? `${path}.${key}` : key));
  }
  return [{ path, desired, live }];
}

/** A reference is a value here, not a map: it is shown whole, and equals nothing. */
const isMap = (value: unknown): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("$ref" in value);
