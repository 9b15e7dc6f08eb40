import { assign } from "./assign.ts";
import { call, reachOf } from "./call.ts";
import { bool, fill } from "./evaluate.ts";
import { loop, parallel } from "./loops.ts";
import { Cancelled, type Frame, type Signal } from "./machine.ts";
import type { Action, Block, Step } from "./program.ts";
import { attempts } from "./try.ts";
import { fault, Raised } from "./values.ts";

/** serverless.md 5.6, secondary. */
const maxExecuted = 100_000;

/** A list of steps from its first, to wherever each one leads. */
export async function block(steps: Block, frame: Frame): Promise<Signal> {
  let at = 0;
  while (at < steps.length) {
    const signal = await run(steps[at] as Step, frame);
    const to = signal?.is === "go" ? steps.findIndex(({ name }) => name === signal.to) : -1;
    if (signal !== undefined && to < 0) return signal;
    at = signal === undefined ? at + 1 : to;
  }
  return undefined;
}

async function run(step: Step, frame: Frame): Promise<Signal> {
  const { machine, routine, depth, attempt } = frame;
  if (machine.outer.signal.aborted) throw new Cancelled();
  machine.trace.push({ routine: routine.name, step: step.name, type: step.action.does, attempt });
  try {
    if (machine.trace.length > maxExecuted) throw fault("ResourceLimitError", `more than ${maxExecuted} steps`);
    return (await act(step.action, frame)) ?? signalOf(step.next);
  } catch (error) {
    if (error instanceof Raised && error.trail.at(-1)?.depth !== depth)
      error.trail.push({ routine: routine.name, step: step.name, line: step.line, depth });
    throw error;
  }
}

function signalOf(next: string | undefined): Signal {
  if (next === undefined) return undefined;
  return next === "end" || next === "break" || next === "continue" ? { is: next } : { is: "go", to: next };
}

async function act(action: Action, frame: Frame): Promise<Signal> {
  const reach = reachOf(frame);
  switch (action.does) {
    case "assign":
      for (const { target, value } of action.assignments) await assign(target, await fill(value, reach), reach);
      return undefined;
    case "call":
      await call(action, frame);
      return undefined;
    case "switch":
      for (const { condition, step } of action.arms)
        if (bool(await fill(condition, reach), "condition")) return run(step, frame);
      return undefined;
    case "for":
      return loop(action, frame);
    case "parallel":
      await parallel(action, frame);
      return undefined;
    case "try":
      return attempts(action, frame);
    case "raise":
      throw new Raised(await fill(action.value, reach));
    case "return":
      return { is: "return", value: await fill(action.value, reach) };
    case "steps":
      return block(action.steps, frame);
    case "next":
      return undefined;
  }
}
