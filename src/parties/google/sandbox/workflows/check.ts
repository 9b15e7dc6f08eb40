import { checkCalls } from "./check-calls.ts";
import { checkJumps } from "./check-jumps.ts";
import { checkNames } from "./check-names.ts";
import { Desk, type Problem } from "./desk.ts";
import type { Block, Program } from "./program.ts";
import { blocksIn, everyStep } from "./walk.ts";

/** serverless.md 5.6. */
const maxSteps = 100_000;
export const maxNesting = 2;

/**
 * What the source says as a whole: that what it calls and jumps to is there, its names are known, and what branches
 * write is shared. The schema lets all of this through (serverless.md 6.1); Google finds it at deployment or later.
 */
export function check(program: Program, problems: Problem[]): void {
  let steps = 0;
  for (const routine of program.routines.values()) {
    const desk = new Desk(problems, routine.name);
    for (const step of everyStep(routine.steps)) {
      steps += 1;
      checkCalls(step, program, desk.at(step.name));
    }
    checkJumps(routine.steps, desk);
    checkNames(routine, desk);
    checkNesting(routine.steps, desk, 0);
  }
  if (steps > maxSteps) new Desk(problems, "main").say(1, `a workflow has at most ${maxSteps} steps`);
}

function checkNesting(block: Block, desk: Desk, depth: number): void {
  for (const step of block) {
    const here = depth + (step.action.does === "parallel" ? 1 : 0);
    if (here > maxNesting) desk.at(step.name).say(step.line, `parallel steps are nested at most ${maxNesting} deep`);
    for (const inner of blocksIn(step.action)) checkNesting(inner, desk, here);
  }
}
