import { enter, reachOf } from "./call.ts";
import { bool, fill } from "./evaluate.ts";
import type { Frame, Signal } from "./machine.ts";
import { predicates } from "./policy.ts";
import type { Retry, Routine, Try } from "./program.ts";
import { fault, isNumber, Raised, type Value } from "./values.ts";

/** The block, again while its policy says so, and then `except` (serverless.md 5.3, 6.4). */
export async function attempts({ steps, retry, except }: Try, frame: Frame): Promise<Signal> {
  try {
    return await repeated(steps, retry, frame);
  } catch (error) {
    if (!(error instanceof Raised) || !except) throw error;
    const scope = frame.scope.inner();
    if (except.as !== undefined) scope.declare(except.as, error.value);
    return await frame.machine.block(except.steps, { ...frame, scope }).finally(() => scope.release());
  }
}

async function repeated(steps: Try["steps"], retry: Retry | undefined, frame: Frame): Promise<Signal> {
  let pause: number | undefined;
  for (let attempt = 1; ; attempt++) {
    try {
      return await frame.machine.block(steps, { ...frame, attempt });
    } catch (error) {
      if (!(error instanceof Raised) || !retry || !(await again(retry, { attempt, error: error.value }, frame)))
        throw error;
      const [first, longest, multiplier] = await numbers([retry.initial, retry.longest, retry.multiplier], frame);
      pause = Math.min(pause === undefined ? (first ?? 1) : pause * (multiplier ?? 1), longest ?? 0);
      await frame.machine.outer.clock.sleep(pause * 1000);
    }
  }
}

async function again(
  retry: Retry,
  { attempt, error }: { readonly attempt: number; readonly error: Value },
  frame: Frame,
): Promise<boolean> {
  const [max = 0] = await numbers([retry.max], frame);
  if (attempt > max) return false;
  const known = predicates.get(retry.predicate);
  if (known) return known(error);
  const routine = frame.machine.program.routines.get(retry.predicate) as Routine;
  return bool(await enter(routine, [error], frame), "a predicate");
}

async function numbers(templates: readonly Retry["max"][], frame: Frame): Promise<readonly number[]> {
  const found: number[] = [];
  for (const template of templates) {
    const value = await fill(template, reachOf(frame));
    if (!isNumber(value)) throw fault("TypeError", "a retry policy holds numbers");
    found.push(Number(value));
  }
  return found;
}
