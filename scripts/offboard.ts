#!/usr/bin/env node
import { $ } from "zx/core";
import type { Flags } from "../src/cli/context.ts";
import { codes } from "../src/cli/exit.ts";
import { leftovers, readings } from "../src/deploy/found.ts";
import { toTake } from "../src/deploy/plan.ts";
import { deployDone, dryRunText, stepsShown } from "../src/say/deploy.ts";
import { carryOut, jsonOf, ownFlags, say, viewOf } from "./deploy.ts";
import { look } from "./gcloud.ts";
import { agreed, controlled, type DeployFlags, inPlace, setUp } from "./place.ts";

/**
 * Takes out of the project what `deploy` has put there, backwards, and only what carries our labels or names. APIs stay
 * on: others may need them by now. Links, roles and their control plane are not touched: `destroy` is for those.
 */
export const offboard = (flags: Flags, own: DeployFlags = {}): Promise<number> =>
  inPlace(flags, $, async (place) => {
    // A file without a control plane may have been deployed all the same: it is looked for under the usual names.
    const federation = await controlled(place, { ...own, dryRun: true });
    const setup = await setUp(place, federation, own);
    const found = await look(place, setup, [...readings(setup), ...leftovers(setup)]);
    const todo = toTake(setup, found);
    const view = viewOf("offboard", { place, setup, found }, todo);
    if (own.dryRun) return say(dryRunText(view), codes.fine);
    if (todo.length > 0 && !flags.json) process.stderr.write(`${stepsShown(view)}\n\n`);
    if (todo.length > 0 && !(await agreed(place, "take all of this away, the stored reports included?")))
      return codes.differs;
    await carryOut(place, todo, ({ take }) => take);
    if (flags.json) return say(jsonOf(view, codes.fine), codes.fine);
    return say(deployDone(view, nextOf(todo.length)), codes.fine);
  });

const nextOf = (taken: number): readonly string[] =>
  taken === 0 ? [] : ["crosstrust destroy, then crosstrust onboard --control --destroy   if the links are to go, too"];

if (import.meta.main) {
  const { flags, own } = ownFlags();
  process.exitCode = await offboard(flags, own);
}
