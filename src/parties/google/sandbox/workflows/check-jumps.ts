import type { Desk } from "./desk.ts";
import type { Action, Block, Step } from "./program.ts";
import { blocksIn } from "./walk.ts";

/** What a `next` may lead to from where it stands. */
interface Reach {
  readonly names: readonly string[];
  readonly loop: "none" | "plain" | "parallel";
  /** Inside a branch or a turn of a parallel step: nothing leads out of it. */
  readonly parallel: boolean;
}

/**
 * Every `next` leads to a step of its own list or of one around it, never into or out of a loop or a branch. That
 * `return` and `end` are refused in a branch is our reading: what would become of the others is nowhere said.
 */
export function checkJumps(block: Block, desk: Desk): void {
  walk(block, desk, { names: [], loop: "none", parallel: false });
}

function walk(block: Block, desk: Desk, around: Reach): void {
  const here = { ...around, names: [...around.names, ...block.map(({ name }) => name)] };
  for (const step of block) {
    checkStep(step, desk.at(step.name), here);
    for (const inner of blocksIn(step.action)) walk(inner, desk, reachInto(step.action, here));
  }
}

function reachInto(action: Action, here: Reach): Reach {
  if (action.does === "for") return { names: [], loop: "plain", parallel: here.parallel };
  // `continue` ends a turn of a parallel loop (serverless.md 6.2); what `break` would stop there is nowhere said.
  return action.does === "parallel" ? { names: [], loop: action.loop ? "parallel" : "none", parallel: true } : here;
}

function checkStep({ action, next, line }: Step, desk: Desk, reach: Reach): void {
  if (action.does === "return" && reach.parallel) desk.say(line, "return does not stand in a parallel step");
  if (next === undefined) return;
  if (next === "end") {
    if (reach.parallel) desk.say(line, "end does not stand in a parallel step");
  } else if (next === "break" || next === "continue") {
    const fine = reach.loop === "plain" || (reach.loop === "parallel" && next === "continue");
    if (!fine) desk.say(line, `${next} stands in a loop${next === "break" ? " that is not parallel" : ""}`);
  } else if (!reach.names.includes(next)) desk.say(line, `there is no step ${next} to go to`);
}
