import type { Federation, Link, LocalEffect } from "../model.ts";
import { parties } from "../parties/index.ts";

/**
 * Returns what a run in the cloud does on its own machine because the file says so, in the order of the file. `only`: the
 * links that are looked at; empty means all. Looks at nothing but the file.
 */
export function effectsOf(federation: Federation, only: readonly string[]): readonly LocalEffect[] {
  const { links, webhook } = federation;
  const alerts: readonly LocalEffect[] =
    webhook === undefined
      ? []
      : [{ verb: "send", what: "alerts", to: `the URL in the variable ${webhook}, by the functions` }];
  const asked = links.filter(({ name }) => only.length === 0 || only.includes(name));
  return [...asked.flatMap(linkEffects), ...alerts];
}

/** A canary is proved in the place of its link; of a judged link nothing is minted. */
function linkEffects(link: Link): readonly LocalEffect[] {
  const proved = link.canary ?? link;
  return (["from", "to"] as const).flatMap((side) => {
    if (side === "from" && proved.prove === "judge") return [];
    const party = parties.find(({ name }) => name === proved[side].party);
    return (party?.effects?.(proved, side) ?? []).map((effect) => ({ link: link.name, ...effect }));
  });
}
