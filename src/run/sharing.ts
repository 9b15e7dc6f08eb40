import type { Live, LivePresent, Spec } from "../model.ts";

/** Returns a thing as one deployment sees it, whatever its state. */
export const seenBy = (live: Live, owner: string): Live => (live.state === "present" ? partOf(live, owner) : live);

/**
 * Returns a thing that is there as one deployment sees it: a mark of another deployment makes it as foreign as none. Of
 * what several deployments share, each has a part, which it gives back instead of deleting the whole.
 */
export function partOf<S extends Spec>(live: LivePresent<S>, owner: string): LivePresent<S> {
  if (!live.mark) return live;
  const { sharers = [], ...held } = live.mark;
  if (held.owner !== owner && !sharers.includes(owner)) return { ...live, owner: "foreign" };
  const { joins: _, ...ours } = live;
  if (sharers.length === 0) return ours;
  // What the thing was before somebody adopted it is for its holder to remember.
  const mark = held.owner === owner ? held : { owner, want: held.want, put: held.put };
  const others = [held.owner, ...sharers].filter((name) => name !== owner);
  return { ...ours, owner: "adopted", mark: { ...mark, sharers: others } };
}
