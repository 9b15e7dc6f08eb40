import { fill, type Reach } from "./evaluate.ts";
import { request } from "./http.ts";
import { library } from "./library/index.ts";
import type { Frame } from "./machine.ts";
import type { Call, Routine } from "./program.ts";
import { Scope } from "./scope.ts";
import { log, sleep } from "./system.ts";
import { fault, type Value } from "./values.ts";

/** serverless.md 5.6, secondary. */
const maxDepth = 20;

/** What expressions of a frame can reach. */
export const reachOf = (frame: Frame): Reach => ({
  scope: frame.scope,
  call: async (name, args) => {
    const routine = frame.machine.program.routines.get(name);
    const { clock, env, uuid } = frame.machine.outer;
    // The checks have seen that it is one of the two; a library function comes first.
    const builtin = library.get(name);
    return builtin ? builtin.run(args, { now: clock.now, env, uuid }) : enter(routine as Routine, args, frame);
  },
});

/** A `call` step: a subworkflow by named arguments, or a function of the library, those that wait among them. */
export async function call({ target, args, result }: Call, frame: Frame): Promise<void> {
  const reach = reachOf(frame);
  const given = new Map<string, Value>();
  for (const [name, template] of args) given.set(name, await fill(template, reach));
  const value = await called(target, given, frame);
  if (result !== undefined) frame.scope.set(result, value);
}

async function called(target: string, given: ReadonlyMap<string, Value>, frame: Frame): Promise<Value> {
  const { outer, program } = frame.machine;
  if (target.startsWith("http.")) return request(target.slice("http.".length), given, outer);
  if (target === "sys.log") return log(given, outer);
  if (target.startsWith("sys.sleep")) return sleep(target, given, outer);
  const params = library.get(target)?.params ?? program.routines.get(target)?.params.map(({ name }) => name) ?? [];
  // Left-out arguments at the end are left out; the checks have seen that none is missing in between but by default.
  const list = params.map((name) => given.get(name));
  const routine = library.has(target) ? undefined : program.routines.get(target);
  return routine ? enter(routine, list, frame) : reachOf(frame).call(target, list as Value[]);
}

/** A subworkflow in a scope of its own. Throws RecursionError beyond a depth of 20. */
export async function enter(routine: Routine, args: readonly (Value | undefined)[], frame: Frame): Promise<Value> {
  const { machine, nesting, depth } = frame;
  if (depth >= maxDepth) throw fault("RecursionError", `calls are nested more than ${maxDepth} deep`);
  const scope = new Scope(machine.memory);
  for (const [at, { name, otherwise }] of routine.params.entries()) scope.declare(name, args[at] ?? otherwise ?? null);
  try {
    const signal = await machine.block(routine.steps, {
      machine,
      routine,
      scope,
      depth: depth + 1,
      nesting,
      attempt: 1,
    });
    return signal?.is === "return" ? signal.value : null;
  } finally {
    scope.release();
  }
}
