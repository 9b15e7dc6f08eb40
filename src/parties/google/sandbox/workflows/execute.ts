import { enter } from "./call.ts";
import { toJson } from "./json.ts";
import { Cancelled, type Machine, type Outer, type Traced } from "./machine.ts";
import type { Program, Routine } from "./program.ts";
import { Memory, Scope } from "./scope.ts";
import { block } from "./steps.ts";
import { type At, isMap, Raised, type Value } from "./values.ts";

/** How an execution ended; `result`, and `payload` of an error, are JSON (serverless.md 5.7). */
export type Outcome = { readonly trace: readonly Traced[] } & (
  | { readonly state: "SUCCEEDED"; readonly result: string }
  | { readonly state: "CANCELLED" }
  | { readonly state: "FAILED"; readonly error: Failure }
);

/** `context` is for people; its wording is approximate. */
export interface Failure {
  readonly payload: string;
  readonly context: string;
  readonly at: readonly At[];
}

/** Runs `main` to its end. Only a fault of ours makes it throw. */
export async function execute(program: Program, argument: Value, outer: Outer): Promise<Outcome> {
  const machine: Machine = { program, outer, memory: new Memory(), trace: [], block };
  const main = program.routines.get("main") as Routine;
  const frame = { machine, routine: main, scope: new Scope(machine.memory), depth: -1, nesting: 0, attempt: 1 };
  const { trace } = machine;
  try {
    const value = await enter(main, [argument], frame);
    return { state: "SUCCEEDED", result: toJson(value), trace };
  } catch (error) {
    if (error instanceof Cancelled) return { state: "CANCELLED", trace };
    if (error instanceof Raised) return { state: "FAILED", error: failureOf(error), trace };
    throw error;
  }
}

/** Raised bytes have no JSON either: then the payload says so. */
function failureOf({ value, trail }: Raised): Failure {
  const message = isMap(value) ? (value.get("message") ?? "") : value;
  const lines = trail.map(({ step, routine, line }) => `in step "${step}", routine "${routine}", line: ${line}`);
  const context = [typeof message === "string" ? message : "", ...lines].filter(Boolean).join("\n");
  try {
    return { payload: toJson(value), context, at: trail };
  } catch {
    return { payload: JSON.stringify({ message: "the error has no JSON", tags: ["TypeError"] }), context, at: trail };
  }
}
