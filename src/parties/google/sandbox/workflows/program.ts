import type { Expression } from "./expression.ts";
import type { Template } from "./template.ts";
import type { Value } from "./values.ts";

/** A source that passed every check, ready to run. */
export interface Program {
  readonly routines: ReadonlyMap<string, Routine>;
}

/** `main`, or a subworkflow. */
export interface Routine {
  readonly name: string;
  readonly params: readonly Param[];
  readonly steps: Block;
  readonly line: number;
}

export interface Param {
  readonly name: string;
  /** What it is where nothing is given; undefined: something must be. */
  readonly otherwise: Value | undefined;
}

export type Block = readonly Step[];

/** One step; `next` beside what it does. */
export interface Step {
  readonly name: string;
  readonly line: number;
  readonly action: Action;
  readonly next: string | undefined;
}

export type Action =
  | { readonly does: "assign"; readonly assignments: readonly Assignment[] }
  | Call
  | { readonly does: "switch"; readonly arms: readonly Arm[] }
  | Loop
  | Parallel
  | Try
  | { readonly does: "raise" | "return"; readonly value: Template }
  | { readonly does: "steps"; readonly steps: Block }
  /** Nothing but its `next`. */
  | { readonly does: "next" };

export interface Assignment {
  readonly target: Target;
  readonly value: Template;
}

/** `m.a["b"]`: a name and the way into it. */
export interface Target {
  readonly name: string;
  readonly path: readonly Expression[];
}

export interface Call {
  readonly does: "call";
  readonly target: string;
  readonly args: ReadonlyMap<string, Template>;
  readonly result: string | undefined;
}

/** An entry of a `switch`; its step has the name of the switch. */
export interface Arm {
  readonly condition: Template;
  readonly step: Step;
}

export interface Loop {
  readonly does: "for";
  readonly value: string;
  readonly index: string | undefined;
  readonly over: "in" | "range";
  readonly items: Template;
  readonly steps: Block;
}

export interface Parallel {
  readonly does: "parallel";
  readonly shared: readonly string[];
  readonly limit: Template | undefined;
  /** Either branches or a loop whose turns run side by side. */
  readonly branches: readonly { readonly name: string; readonly steps: Block }[];
  readonly loop: Loop | undefined;
}

export interface Try {
  readonly does: "try";
  readonly steps: Block;
  readonly retry: Retry | undefined;
  readonly except: { readonly as: string | undefined; readonly steps: Block; readonly line: number } | undefined;
}

export interface Retry {
  /** A subworkflow of one parameter, or `http.default_retry_predicate` and its like. */
  readonly predicate: string;
  /** Not counting the first attempt (serverless.md 5.3). */
  readonly max: Template;
  /** Seconds. */
  readonly initial: Template;
  readonly longest: Template;
  readonly multiplier: Template;
}
