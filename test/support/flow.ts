import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "../../src/model.ts";
import { everyStep } from "../../src/parties/google/sandbox/workflows/walk.ts";
import { deliverOf } from "../../src/sandbox/deliver.ts";
import type { Delivered, Delivery } from "../../src/sandbox/fake.ts";
import { ratings, worst } from "../../src/verdict/table.ts";
import { guard } from "./guard.ts";
import { type Heard, listener, type Says } from "./listener.ts";
import { programOf, type Run, runWorkflow } from "./workflow.ts";

// Our own workflows, over a server that answers as the functions do (docs/functions.md).

export const textOf = (name: "health" | "onboard"): string =>
  readFileSync(join(import.meta.dirname, "..", "..", "workflows", `${name}.yaml`), "utf8");

/** A request as the functions see it; a GET is the one for batches. */
export interface Asked {
  readonly method: string;
  readonly query: URLSearchParams;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the workflow sends.
  readonly body: any;
}

export type Answer = (asked: Asked) => Says | undefined | Promise<Says | undefined>;

export const envelope = { crosstrust: 1, tool: "0.1.0", world: "sandbox", deployment: "acme" };
const at = "2026-11-01T10:00:00.000Z";

/** A health function for so many links; `verdictOf` one of them. */
export function healthFunction(count: number, verdictOf = (_link: string): string => "works") {
  const all = Array.from({ length: count }, (_, index) => `link-${index}`);
  const graded = (all: readonly string[]) => {
    const verdict = worst(all as readonly Verdict[]);
    const { exit, log } = ratings[verdict];
    return { exit, verdict, logSeverity: log };
  };
  const parts = new Map<string, readonly string[]>();
  const counted = (verdicts: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const verdict of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
    return counts;
  };
  const gathered = (run: string, count: number) => {
    const arrived = Array.from({ length: count }, (_, part) => parts.get(`${run}/${part}`) ?? []).flat();
    const verdicts = all.map((link) => (arrived.includes(link) ? verdictOf(link) : "unknown"));
    return { ...envelope, at, ...graded(verdicts), run, counts: counted(verdicts), links: all.length };
  };
  const answer = ({ method, query, body }: Asked): Says => {
    if (method === "GET") {
      const size = Number(query.get("size"));
      if (query.get("format") !== "batches" || !(size >= 1 && size <= 200))
        return { status: 400, body: { error: "size is 1 to 200" } };
      const batches = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
        all.slice(index * size, (index + 1) * size),
      );
      return { status: 200, body: { ...envelope, batches } };
    }
    if (body.parts !== undefined) return { status: 200, body: gathered(body.run, body.parts) };
    const asked: readonly string[] = body.links ?? all;
    if (asked.some((link) => !all.includes(link))) return { status: 403, body: { error: "a link that is not here" } };
    const verdicts = asked.map(verdictOf);
    if (body.part !== undefined) {
      parts.set(`${body.run}/${body.part}`, asked);
      return {
        status: 200,
        body: { ...envelope, ...graded(verdicts), run: body.run, part: body.part, counts: counted(verdicts) },
      };
    }
    const links = asked.map((link) => ({ link, verdict: verdictOf(link), hops: [], changes: [] }));
    return { status: 200, body: { ...envelope, command: "health", at, ...graded(verdicts), links, findings: [] } };
  };
  return { answer, all };
}

const [first, second] = ["a".repeat(64), "b".repeat(64)];
export const fingerprints = { first, second } as const;

/** A plan that makes two things, and what applying it answers. */
export const plan = (more: object = {}): Says => ({
  status: 200,
  body: {
    ...envelope,
    ...{ command: "plan", exit: 2, fingerprint: first, findings: [] },
    changes: [
      { address: "google:account/a", verb: "create" },
      { address: "aws:role/b", verb: "create" },
      { address: "aws:role/c", verb: "keep" },
    ],
    ...more,
  },
});
export const applied = (more: object = {}): Says => ({
  status: 200,
  body: { ...(plan() as { body: object }).body, command: "apply", exit: 0, traces: [], ...more },
});

export interface Flow {
  readonly argument?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** In place of a server: what a call comes to, or undefined to let it through. */
  readonly send?: (request: Delivery) => Delivered | undefined;
  readonly health?: Answer;
  readonly provision?: Answer;
  readonly source?: string;
}

const parsed = ({ method, path, body }: Heard): Asked => ({
  method,
  query: new URL(path, "http://x").searchParams,
  body: body ? JSON.parse(body) : undefined,
});

export interface Flown extends Run {
  readonly health: readonly Asked[];
  readonly provision: readonly Asked[];
}

/** The header of an answer that stands for none: the caller's timeout passes without a wait. */
const silent = "x-silent";

/** Runs one of ours against real servers on 127.0.0.1. */
export async function fly(name: "health" | "onboard", flow: Flow = {}): Promise<Flown> {
  const serving = (answer: Answer) =>
    listener(async (heard) => {
      const says = (await answer(parsed(heard))) ?? { status: 418 };
      return says === "never" ? { status: 200, headers: { [silent]: "yes" } } : says;
    });
  const servers = {
    health: await serving(flow.health ?? healthFunction(3).answer),
    provision: await serving(flow.provision ?? (() => plan())),
  };
  const env = {
    CROSSTRUST_HEALTH_URL: servers.health.url,
    CROSSTRUST_PROVISION_URL: servers.provision.url,
    GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID: "run-1",
    ...flow.env,
  };
  const deliver = deliverOf("http://127.0.0.1:1", async () => []);
  const send = async (request: Delivery): Promise<Delivered> => {
    const answer = flow.send?.(request) ?? (await deliver({ ...request, timeout: guard }));
    return "headers" in answer && answer.headers[silent] ? { failure: "timeout", says: "no answer in time" } : answer;
  };
  const run = await runWorkflow(flow.source ?? textOf(name), { argument: flow.argument ?? null, env, send });
  note(name, run);
  return { ...run, health: servers.health.heard.map(parsed), provision: servers.provision.heard.map(parsed) };
}

const seen = new Map<string, Set<string>>();

function note(name: string, run: Run): void {
  const steps = seen.get(name) ?? new Set();
  seen.set(name, steps);
  for (const { routine, step, type } of run.trace) steps.add(`${routine}/${step}/${type}`);
}

/** Steps, entries of switches and bodies of tries among them, that no run of this process has come by. */
export function uncovered(name: "health" | "onboard", source = textOf(name)): readonly string[] {
  const all = [...programOf(source).routines.values()].flatMap((routine) =>
    [...everyStep(routine.steps)].map(({ name: step, action }) => `${routine.name}/${step}/${action.does}`),
  );
  return [...new Set(all)].filter((step) => !seen.get(name)?.has(step));
}
