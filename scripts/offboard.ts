#!/usr/bin/env node
import { $ } from "zx/core";
import type { Flags } from "../src/cli/context.ts";
import { leftovers, readings } from "../src/deploy/found.ts";
import { toTake } from "../src/deploy/plan.ts";
import { commandLine } from "../src/say/paper.ts";
import { act, ownFlags } from "./deploy.ts";
import { look } from "./gcloud.ts";
import { controlled, type DeployFlags, inPlace, setUp } from "./place.ts";

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
    return act(place, own, {
      ...{ command: "offboard", setup, all: todo.length, todo },
      question: "take all of this away, the stored reports included?",
      next:
        todo.length === 0
          ? []
          : [
              `${commandLine("destroy", place.context.paper)}   # if the links are to go, too; then`,
              commandLine("onboard --control --destroy", place.context.paper),
            ],
    });
  });

if (import.meta.main) {
  const { flags, own } = ownFlags();
  process.exitCode = await offboard(flags, own);
}
