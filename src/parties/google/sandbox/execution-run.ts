import { createHash } from "node:crypto";
import type { Host } from "../../../sandbox/fake.ts";
import { issueAccessToken } from "./access.ts";
import { logLine } from "./execution-log.ts";
import { signIdToken } from "./iamcredentials.ts";
import { accountOf, projectOf, type StoredAccount } from "./store.ts";
import type { StoredWorkflow } from "./workflow-store.ts";
import { VirtualClock } from "./workflows/clock.ts";
import { compile } from "./workflows/compile.ts";
import { execute, type Outcome } from "./workflows/execute.ts";
import { fromJson } from "./workflows/json.ts";
import { type Auth, Cancelled, type Outer } from "./workflows/machine.ts";
import { fault } from "./workflows/values.ts";

/** An execution as the API shows it; `argument`, `result` and `payload` are JSON (serverless.md 5.7). */
export interface StoredExecution {
  readonly name: string;
  readonly state: "ACTIVE" | "SUCCEEDED" | "FAILED" | "CANCELLED";
  readonly createTime: string;
  readonly startTime: string;
  readonly endTime?: string;
  readonly duration?: string;
  readonly workflowRevisionId: string;
  readonly argument?: string;
  readonly callLogLevel?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly result?: string;
  readonly error?: { readonly payload: string; readonly context: string; readonly stackTrace?: object };
  readonly status?: { readonly currentSteps: readonly object[] };
}

/**
 * What an execution sleeps takes a fiftieth of its time, and never longer than 2 s: programs beside it that take real
 * time, such as a function that is busy, are then waited for all the same.
 */
const pace = (milliseconds: number): number => Math.min(milliseconds / 50, 2000);

/** What is run, and where in the state it is told. */
export interface Running {
  readonly workflow: StoredWorkflow;
  readonly execution: StoredExecution;
  readonly key: string;
}

/** Of this process, by state and name: what is in no list here runs nowhere. */
const running = new WeakMap<object, Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>>();

export const isRunning = (host: Host, name: string): boolean => running.get(host.state)?.has(name) ?? false;

/** Runs on after its call is answered, and tells the state how it ended. */
export function begin(work: Running, host: Host): void {
  const here = running.get(host.state) ?? new Map();
  running.set(host.state, here);
  const stop = new AbortController();
  const ended = run(work, stop.signal, host)
    // The sandbox was closed and its folder taken away meanwhile: there is nobody left to tell.
    .catch(() => {})
    .finally(() => here.delete(work.execution.name));
  here.set(work.execution.name, { stop, ended });
}

/** Resolves when nothing runs any more, also nothing that began meanwhile. */
export async function executionsEnded(host: Host): Promise<void> {
  const here = running.get(host.state);
  while (here && here.size > 0) await Promise.all([...here.values()].map(({ ended }) => ended));
}

/** Resolves when it has stopped. */
export async function cancel(host: Host, name: string): Promise<void> {
  const found = running.get(host.state)?.get(name);
  found?.stop.abort();
  await found?.ended;
}

async function run({ workflow, execution, key }: Running, signal: AbortSignal, host: Host): Promise<void> {
  const { program } = compile(workflow.sourceContents);
  if (!program) throw new Error("a deployed source has no problems");
  const clock = new VirtualClock(host.now, pace);
  const argument = execution.argument === undefined ? null : fromJson(execution.argument);
  const outer = outerOf({ workflow, execution, clock, signal }, host);
  const outcome = await execute(program, argument, outer);
  // A reset of the sandbox took it away.
  if (!host.state.get(key)) return;
  const seconds = (clock.now() - Date.parse(execution.startTime)) / 1000;
  const times = { endTime: new Date(clock.now()).toISOString(), duration: `${seconds.toFixed(3)}s` };
  const last = outcome.trace.at(-1);
  const status = last ? { status: { currentSteps: [{ routine: last.routine, step: last.step }] } } : {};
  host.state.put(key, { ...execution, ...times, ...status, ...ending(outcome) });
}

function ending(outcome: Outcome): Partial<StoredExecution> {
  if (outcome.state === "SUCCEEDED") return { state: outcome.state, result: outcome.result };
  if (outcome.state === "CANCELLED") return { state: outcome.state, error: { payload: "null", context: "cancelled" } };
  const { payload, context, at } = outcome.error;
  const elements = at.map(({ routine, step, line }) => ({ routine, step, position: { line: String(line) } }));
  return { state: outcome.state, error: { payload, context, stackTrace: { elements } } };
}

interface Stage {
  readonly workflow: StoredWorkflow;
  readonly execution: StoredExecution;
  readonly clock: VirtualClock;
  readonly signal: AbortSignal;
}

function outerOf({ workflow, execution, clock, signal }: Stage, host: Host): Outer {
  const email = workflow.serviceAccount.split("/").at(-1) ?? "";
  return {
    clock,
    signal,
    env: environmentOf(workflow, execution, host),
    uuid: () => uuidOf(`${execution.name}/${host.state.next("google.workflow.uuid")}`),
    send: (request) => Promise.race([host.deliver(request), cancelled(signal)]),
    token: (auth) => tokenOf(auth, accountOf(host.state, email), host),
    log: (line) => logLine({ line, workflow, name: execution.name, at: clock.now() }, host),
  };
}

/** Rejects as soon as the execution is cancelled: it does not wait for the call that it is in. */
function cancelled(signal: AbortSignal): Promise<never> {
  const stop = (reject: (error: Error) => void) => () => reject(new Cancelled());
  return new Promise((_, reject) => signal.addEventListener("abort", stop(reject), { once: true }));
}

/** Looks like one, and can be reproduced. */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** As the workflow's account; azp is its unique id, and the e-mail is told (google.md 4). */
function tokenOf(auth: Auth, account: StoredAccount | undefined, host: Host): string {
  if (!account || account.disabled) throw fault("AuthError", "the workflow's service account gives no token");
  if (auth.type === "OAuth2") return issueAccessToken(host, account.email, { scopes: auth.scopes }).token;
  return signIdToken(host, account, { audience: auth.audience, azp: account.uniqueId, email: true });
}

/** serverless.md 5.4; the attempt is always the first here. */
function environmentOf(workflow: StoredWorkflow, execution: StoredExecution, host: Host): ReadonlyMap<string, string> {
  const [, project = "", , place = "", , id = ""] = workflow.name.split("/");
  const own = {
    PROJECT_ID: project,
    PROJECT_NUMBER: projectOf(host, project).number,
    LOCATION: place,
    WORKFLOW_ID: id,
    WORKFLOW_REVISION_ID: execution.workflowRevisionId,
    WORKFLOW_EXECUTION_ID: execution.name.split("/").at(-1) ?? "",
    WORKFLOW_EXECUTION_ATTEMPT: "1",
  };
  const named = Object.entries(own).map(([name, value]) => [`GOOGLE_CLOUD_${name}`, value] as const);
  return new Map([...Object.entries(workflow.userEnvVars ?? {}), ...named]);
}
