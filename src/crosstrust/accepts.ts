import type { Federation } from "../model.ts";
import type { Deciding } from "../plan/accept.ts";
import type { Expansion } from "../plan/expand.ts";

/** The decisions of a file, and which links share what they stand on: a trust that several links make together. */
export function decisionsOf(
  { accepts = [] }: Pick<Federation, "accepts">,
  { trustOf }: Pick<Expansion, "trustOf">,
  now: number,
): Omit<Deciding, "consents"> {
  const sharing = (link: string) => {
    const trust = trustOf.get(link);
    return trust === undefined ? [link] : [...trustOf].flatMap(([name, address]) => (address === trust ? [name] : []));
  };
  return { accepts, now, sharing };
}
