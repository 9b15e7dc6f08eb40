import { VirtualClock } from "../../src/parties/google/sandbox/workflows/clock.ts";
import { type Compiled, compile, sayProblem } from "../../src/parties/google/sandbox/workflows/compile.ts";
import { execute } from "../../src/parties/google/sandbox/workflows/execute.ts";
import { asValue } from "../../src/parties/google/sandbox/workflows/json.ts";
import type { Auth, LogLine, Traced } from "../../src/parties/google/sandbox/workflows/machine.ts";
import type { Program } from "../../src/parties/google/sandbox/workflows/program.ts";
import type { Delivered, Delivery } from "../../src/sandbox/fake.ts";

// One execution without any cloud: what it sends, asks for and logs is in the test's hand.

export interface Stage {
  readonly argument?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly send?: (request: Delivery) => Promise<Delivered> | Delivered;
  readonly token?: (auth: Auth) => string;
}

export interface Run {
  readonly state: "SUCCEEDED" | "FAILED" | "CANCELLED";
  // biome-ignore lint/suspicious/noExplicitAny: whatever the workflow gives.
  readonly result: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever was raised.
  readonly error: any;
  readonly context: string | undefined;
  readonly trace: readonly Traced[];
  readonly logs: readonly LogLine[];
  readonly sent: readonly Delivery[];
  readonly asked: readonly Auth[];
  /** Seconds that it waited, as it sees them. */
  readonly waited: number;
}

export const problemsOf = (source: string): readonly string[] => compile(source).problems.map(sayProblem);

export function programOf(source: string): Program {
  const { program, problems }: Compiled = compile(source);
  if (!program) throw new Error(problems.map(sayProblem).join("\n"));
  return program;
}

export async function runWorkflow(source: string, stage: Stage = {}): Promise<Run> {
  const { argument = null, env = {}, send, token } = stage;
  const [logs, sent, asked]: [LogLine[], Delivery[], Auth[]] = [[], [], []];
  // Time stands still but for what is slept.
  const clock = new VirtualClock(() => 0);
  let ids = 0;
  const outcome = await execute(programOf(source), asValue(argument), {
    clock,
    env: new Map(Object.entries(env)),
    uuid: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    signal: new AbortController().signal,
    send: async (request) => {
      sent.push(request);
      if (!send) throw new Error(`nobody answers ${request.url}`);
      return send(request);
    },
    token: (auth) => {
      asked.push(auth);
      return token ? token(auth) : "a-token";
    },
    log: (line) => void logs.push(line),
  });
  return {
    state: outcome.state,
    result: outcome.state === "SUCCEEDED" ? JSON.parse(outcome.result) : undefined,
    error: outcome.state === "FAILED" ? JSON.parse(outcome.error.payload) : undefined,
    context: outcome.state === "FAILED" ? outcome.error.context : undefined,
    trace: outcome.trace,
    logs,
    sent,
    asked,
    waited: clock.now() / 1000,
  };
}

/** What an expression gives, after assignments of plain values. */
export async function evaluated(expression: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const names = Object.entries(given).map(([name, value]) => ({ [name]: value }));
  const steps = [...(names.length > 0 ? [{ given: { assign: names } }] : []), { out: { return: `\${${expression}}` } }];
  const { result, error } = await runWorkflow(JSON.stringify({ main: { steps } }));
  return error ? (error.tags?.[0] ?? error) : result;
}
