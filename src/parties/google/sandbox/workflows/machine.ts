import type { Delivered, Delivery } from "../../../../sandbox/fake.ts";
import type { VirtualClock } from "./clock.ts";
import type { Block, Program, Routine } from "./program.ts";
import type { Memory, Scope } from "./scope.ts";
import type { Value } from "./values.ts";

/** Which token a request asks for. */
export type Auth =
  | { readonly type: "OIDC"; readonly audience: string }
  | { readonly type: "OAuth2"; readonly scopes: readonly string[] };

export interface LogLine {
  readonly severity: string;
  readonly data: Value;
}

/** All that an execution reaches outside itself; no method of it is called unless a step asks for it. */
export interface Outer {
  readonly clock: VirtualClock;
  readonly env: ReadonlyMap<string, string>;
  readonly uuid: () => string;
  readonly signal: AbortSignal;
  readonly send: (request: Delivery) => Promise<Delivered>;
  /** May throw `Raised`: an AuthError. */
  readonly token: (auth: Auth) => string;
  readonly log: (line: LogLine) => void;
}

/** One step that was begun; `attempt` from 1, by the innermost `try` around it. */
export interface Traced {
  readonly routine: string;
  readonly step: string;
  readonly type: string;
  readonly attempt: number;
}

/** One execution. */
export interface Machine {
  readonly program: Program;
  readonly outer: Outer;
  readonly memory: Memory;
  readonly trace: Traced[];
  readonly block: (steps: Block, frame: Frame) => Promise<Signal>;
}

/** Where a step runs. */
export interface Frame {
  readonly machine: Machine;
  readonly routine: Routine;
  readonly scope: Scope;
  /** Calls around it, and parallel steps around it. */
  readonly depth: number;
  readonly nesting: number;
  readonly attempt: number;
}

/** How a step leaves its list; undefined: to the one after it. */
export type Signal =
  | { readonly is: "go"; readonly to: string }
  | { readonly is: "return"; readonly value: Value }
  | { readonly is: "end" | "break" | "continue" }
  | undefined;

/** The execution was cancelled: no `except` sees it. */
export class Cancelled extends Error {}
