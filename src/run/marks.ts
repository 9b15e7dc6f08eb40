import type { Address, Change, Live, Lookup, Mark, Ref, Resource } from "../model.ts";
import { tailOf } from "./observe.ts";

/** Only the mark is out of date: apply refreshes it, plan never shows it. Unmarked and used things have none. */
export const isStale = (live: Mark | undefined, mark: Mark): boolean =>
  live !== undefined &&
  (JSON.stringify(sorted(live)) !== JSON.stringify(sorted(mark)) || formerOf(live, mark).length > 0);

const sorted = (mark: Mark) => [
  ...[mark.owner, mark.want, mark.put, mark.adopted ?? false, mark.subjects ?? "", mark.was ?? ""],
  (mark.theirs ?? []).join(" "),
];

/**
 * What a mark says of a thing that was there before: that it is given back, and what it was. An edit of the file may change
 * more of it, and nobody has touched that since, so the record grows; what drifted is not what it was. Nothing is written
 * before the record, so what a run that was cut off has not recorded it has not changed.
 */
export function adoptionOf({ verb, cause, live }: Change, owner: string): Pick<Mark, "adopted" | "was"> {
  if (live.state !== "present") return {};
  if (verb !== "adopt" && live.mark?.adopted !== true) return {};
  const isUntouched = verb === "adopt" || verb === "replace" || cause === "edited" || cause === "unfinished";
  const was = (isUntouched ? live.former?.(owner).was : undefined) ?? live.mark?.was;
  return { adopted: true, ...(was === undefined ? {} : { was }) };
}

/** What the marks of things need to know of a run. */
interface Marking {
  readonly live: ReadonlyMap<Address, Live>;
  readonly tools: { readonly hash: (address: Address) => string };
}

/**
 * What rides on a thing and was there before its mark knew of it: somebody else's, so it stays when the thing goes. That is
 * told when the thing is adopted, and when a later file covers more of what is there. Where the mark says that a run was
 * cut off, or has no room to remember all, what is there counts as made here.
 */
export function theirsOf({ verb, desired, live: there }: Change, { live, tools }: Marking): readonly string[] {
  const before = there.state === "present" ? there.mark : undefined;
  // What the mark of another thing of ours holds was made here.
  const held = new Set(
    [...live.values()].flatMap(
      (one) => (one.state === "present" && one.owner !== "foreign" ? one.mark?.holds : undefined) ?? [],
    ),
  );
  const present = (desired?.covers ?? []).filter((address) => live.get(address)?.state === "present").map(tools.hash);
  const covered = present.filter((one) => !held.has(one));
  if (verb === "adopt") return covered;
  const { holds, theirs = [], put } = before ?? {};
  const isTold = holds !== undefined && holds.length < mostHeld && put !== "-";
  return covered.filter((one) => theirs.includes(one) || (isTold && !holds.includes(one)));
}

/** What a mark remembers of what it refers to: what could not be found out again once that is gone. */
const remembered = ["uniqueId", "thumbprints"];

/** Unique ids to remember, `acme-prod/reports=1003...`; a tag holds 256 characters, the rest is lost. */
export function subjectsOf(refs: readonly Ref[], lookup: Lookup): string {
  const ids = new Map(
    refs.filter((ref) => remembered.includes(ref.field)).map((ref) => [tailOf(ref.$ref), lookup(ref) ?? ""]),
  );
  const entries = [...ids].map(([name, id]) => `${name}=${id}`).sort();
  while (entries.join(" ").length > 256) entries.pop();
  return entries.join(" ");
}

/** A description has room for 19 of them beside our own words; while a file changes, the old and the new ones stand there. */
const [mostHeld, room] = [12, 19];

/** What rides on a thing and carries no mark. Beyond the limit only policies that the file names are looked at. */
export const holdsOf = ({ covers = [] }: Resource, hash: (address: Address) => string): readonly string[] =>
  covers.map(hash).sort().slice(0, mostHeld);

/** What a mark remembers and the file no longer has. */
export const formerOf = (before: Mark | undefined, mark: Mark): readonly string[] =>
  (before?.holds ?? []).filter((one) => !mark.holds?.includes(one));

/**
 * The mark while something rests: a run that ends here leaves `-`, and what was there before is not forgotten. Where
 * the file is as it was and nothing is yet to be made, there is only something to forget.
 */
export function unfinished(mark: Mark, before: Mark | undefined, rests: boolean): Mark {
  const put = rests || before?.want !== mark.want ? "-" : mark.put;
  return { ...holding(mark, formerOf(before, mark)), put };
}

/** The mark with what is still to be remembered of a former file. */
export const holding = (mark: Mark, former: readonly string[]): Mark => ({
  ...mark,
  holds: [...(mark.holds ?? []), ...former].slice(0, room),
});
