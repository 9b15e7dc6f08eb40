import { reachOf } from "./call.ts";
import { maxNesting } from "./check.ts";
import { fill } from "./evaluate.ts";
import type { Frame, Signal } from "./machine.ts";
import type { Loop, Parallel } from "./program.ts";
import { fault, isList, isNumber, Raised, typeOf, type Value } from "./values.ts";

/** serverless.md 5.6, secondary. */
const maxConcurrent = 20;
const maxReported = 100;

/** One turn after the other. */
export async function loop(action: Loop, frame: Frame): Promise<Signal> {
  for (const [at, item] of (await itemsOf(action, frame)).entries()) {
    const signal = await turn(action, { at, item }, frame);
    if (signal?.is === "break") return undefined;
    if (signal !== undefined && signal.is !== "continue") return signal;
  }
  return undefined;
}

/** The list, or the numbers of an inclusive range. */
async function itemsOf({ items, over }: Loop, frame: Frame): Promise<readonly Value[]> {
  const list = await fill(items, reachOf(frame));
  if (!isList(list)) throw fault("TypeError", `for goes over a list, not ${typeOf(list)}`);
  if (over === "in") return list;
  const [from, to] = list;
  if (list.length !== 2 || from === undefined || to === undefined || !isNumber(from) || !isNumber(to))
    throw fault("TypeError", "a range is two numbers");
  // In steps of one, from a double too, as an official sample has it.
  const count = Math.max(0, Math.floor(Number(to) - Number(from)) + 1);
  return Array.from({ length: count }, (_, at) => (typeof from === "bigint" ? from + BigInt(at) : from + at));
}

interface Turn {
  readonly at: number;
  readonly item: Value;
}

async function turn({ value, index, steps }: Loop, { at, item }: Turn, frame: Frame): Promise<Signal> {
  const scope = frame.scope.inner();
  scope.declare(value, item);
  if (index !== undefined) scope.declare(index, BigInt(at));
  try {
    return await frame.machine.block(steps, { ...frame, scope });
  } finally {
    scope.release();
  }
}

type Task = { readonly id: string; readonly run: (frame: Frame) => Promise<unknown> };

/**
 * All branches, or all turns of a loop, side by side, as many at a time as `concurrency_limit` says. Each runs to its
 * end whatever becomes of the others; then one UnhandledBranchError tells of all that failed. Its payload is unverified.
 */
export async function parallel(action: Parallel, frame: Frame): Promise<void> {
  const inside = { ...frame, nesting: frame.nesting + 1 };
  if (inside.nesting > maxNesting)
    throw fault("ParallelNestingError", `parallel steps nest at most ${maxNesting} deep`);
  const tasks = await tasksOf(action, frame);
  const limit = action.limit ? await fill(action.limit, reachOf(frame)) : BigInt(maxConcurrent);
  if (typeof limit !== "bigint" || limit < 1n) throw fault("ValueError", "concurrency_limit is an integer from 1 on");
  const failed = await together(tasks, Math.min(Number(limit), maxConcurrent), inside);
  if (failed.length === 0) return;
  const branches = failed.slice(0, maxReported).map(
    ({ id, error }) =>
      new Map([
        ["id", id],
        ["error", error],
      ]),
  );
  throw fault("UnhandledBranchError", "one or more branches or iterations met an error", { branches });
}

async function tasksOf({ branches, loop: over }: Parallel, frame: Frame): Promise<readonly Task[]> {
  if (over) {
    const items = await itemsOf(over, frame);
    return items.map((item, at) => ({ id: String(at), run: (inside) => turn(over, { at, item }, inside) }));
  }
  return branches.map(({ name, steps }) => ({
    id: name,
    run: async (inside) => {
      const scope = inside.scope.inner();
      await inside.machine.block(steps, { ...inside, scope }).finally(() => scope.release());
    },
  }));
}

/** So many workers, each taking the next task; the last to end lets the parent go on in its place. */
async function together(tasks: readonly Task[], limit: number, frame: Frame) {
  const { clock } = frame.machine.outer;
  const failed: { readonly id: string; readonly error: Value }[] = [];
  const waiting = tasks.values();
  let running = Math.min(limit, tasks.length);
  const worker = async (): Promise<void> => {
    for (const task of waiting) {
      await task.run(frame).catch((error: unknown) => {
        if (!(error instanceof Raised)) throw error;
        failed.push({ id: task.id, error: error.value });
      });
    }
    running -= 1;
    if (running > 0) clock.leave();
  };
  for (let more = running - 1; more > 0; more--) clock.enter();
  await Promise.all(Array.from({ length: running }, worker));
  return failed;
}
