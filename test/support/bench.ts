import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import {
  type Ask,
  applyPlan,
  checkHealth,
  makePlan,
  noConsents,
  type Planned,
  proveLinks,
} from "../../src/crosstrust.ts";
import { readFederation } from "../../src/file/read.ts";
import type { Consents, Federation, Health, Progress, Store, Trace, World } from "../../src/model.ts";
import { shapes } from "../../src/parties/index.ts";
import { players } from "../../src/parties/players.ts";
import { isPruned } from "../../src/plan/guard.ts";
import type { Applied } from "../../src/run/apply.ts";
import { type Limits, limits } from "../../src/run/http.ts";
import { outsideLimits } from "../../src/run/outside.ts";
import { sandboxWorld } from "../../src/run/world.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { Mapping } from "../../src/sandbox/hosting.ts";
import type { CallRecord, Sandbox } from "../../src/sandbox/sandbox.ts";
import { guard } from "./guard.ts";
import { sharedPairs } from "./pairs.ts";

export const account = "111122223333";
export const reports = "reports@acme-prod.iam.gserviceaccount.com";

/** The example of the contract, and variations on it. */
export const example = `crosstrust: 1
name: acme
links:
  reports-to-s3:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: reports-reader, audience: aws-trust-1 } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;

/** Many links, each with an account and a role of its own. */
export function manyLinks(count: number): string {
  const links = Array.from(
    { length: count },
    (_, at) => `  link-${at}:
    from: { google: { project: acme-prod, serviceAccount: worker-${at} } }
    to:   { aws: { account: ${account}, role: role-${at} } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]`,
  );
  return `crosstrust: 1\nname: acme\nlinks:\n${links.join("\n")}\n`;
}

export function federationOf(text: string): Federation {
  const { federation, findings } = readFederation("federation.yaml", Buffer.from(text), shapes);
  if (!federation) throw new Error(findings.map(({ code, says }) => `${code} ${says}`).join("\n"));
  return federation;
}

export { noConsents };

/** Deadlines that no machine is too slow for: what a test cuts off, it cuts off with limits of its own. */
export const patient: Limits = { connect: guard, firstByte: guard, idle: guard, whole: guard, bytes: limits.bytes };

export interface Options {
  readonly only?: readonly string[];
  readonly consents?: Partial<Consents>;
  readonly destroy?: boolean;
  readonly keep?: boolean;
  readonly patience?: number;
}

/** A sandbox in this process, and the verbs of crosstrust over it. */
export class Bench {
  readonly url: string;
  readonly sandbox: Sandbox;
  readonly progress: Progress[] = [];
  private readonly stop = new AbortController();
  private readonly shared: Store;

  constructor(url: string, sandbox: Sandbox) {
    this.url = url;
    this.sandbox = sandbox;
    this.shared = memoryStore();
  }

  /** How much faster than in life the pauses between tries pass. */
  haste = 1;
  limits: Limits = patient;
  /** Told of every pause, in milliseconds as in life. */
  paused: (ms: number) => void = () => {};
  /** Another one in place of the one in memory, over the world that it is for. */
  storeOf: (world: World) => Store = () => this.shared;

  /** A fresh world: nothing remembered, as in a new process. */
  world(): World {
    const progress = (event: Progress) => void this.progress.push(event);
    const attachTo = async () => this.url;
    const world = sandboxWorld({
      store: this.shared,
      progress,
      signal: this.stop.signal,
      attach: attachTo,
      limits: this.limits,
      outsideLimits: { ...patient, bytes: outsideLimits.bytes },
    });
    const sleep = async (ms: number) => {
      await world.clock.sleep(ms / this.haste);
      this.paused(ms);
    };
    const hasty = { ...world, clock: { now: () => world.clock.now(), sleep } };
    return { ...hasty, store: this.storeOf(hasty) };
  }

  ask(text: string, { only = [], consents = {}, destroy = false }: Options = {}): Ask {
    return { federation: federationOf(text), only, consents: { ...noConsents, ...consents }, destroy };
  }

  /** As the command does it, with all that a former file may have left. */
  plan(text: string, options: Options = {}): Promise<Planned> {
    return makePlan({ ...this.ask(text, options), sweep: true }, this.world());
  }

  async apply(
    text: string,
    options: Options = {},
  ): Promise<{ planned: Planned; applied: Applied; traces: readonly Trace[] }> {
    const world = this.world();
    const ask = this.ask(text, options);
    const planned = await makePlan({ ...ask, sweep: true }, world);
    const applied = await applyPlan(planned, options.keep ?? false, world);
    if (ask.destroy) return { planned, applied, traces: [] };
    const live = new Map([...planned.observed.live, ...applied.live]);
    const { federation, only } = ask;
    const grantMe = ask.consents.grantMe;
    const traces = await proveLinks(
      {
        ...{ federation, expansion: planned.expansion, live, only, grantMe },
        unread: planned.observed.failed,
        patience: options.patience ?? 20_000,
      },
      world,
    );
    return { planned, applied, traces };
  }

  /** As `apply`, with the consent to delete just what the plan shows as named by no link. */
  async prune(text: string, options: Options = {}): ReturnType<Bench["apply"]> {
    const { plan } = await this.plan(text, options);
    const prune = plan.changes.filter(isPruned).length;
    return this.apply(text, prune === 0 ? options : { ...options, consents: { ...options.consents, prune } });
  }

  health(text: string, options: Options = {}): Promise<Health> {
    return checkHealth(this.ask(text, options), this.world());
  }

  get calls(): readonly CallRecord[] {
    return this.sandbox.calls;
  }

  /** Calls made while something runs. */
  async callsOf(work: () => Promise<unknown>): Promise<readonly CallRecord[]> {
    const before = this.sandbox.calls.length;
    await work();
    return this.sandbox.calls.slice(before);
  }

  /** The API of a cloud, as somebody else would call it. */
  async google(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const { secrets } = await this.world().credentials({ party: "google", scope: "acme-prod" });
    const headers = { authorization: `Bearer ${secrets.accessToken}`, "content-type": "application/json" };
    const answer = await fetch(`${this.url}/google/${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
}

export function memoryStore(): Store {
  const held = new Map<string, string>();
  return {
    open: async (name) => {
      const text = held.get(name);
      return text === undefined ? undefined : { text, version: text };
    },
    swap: async (name, text, version) => {
      if (held.get(name) !== version) return false;
      held.set(name, text);
      return true;
    },
    read: async (name) => held.get(name),
    write: async (name, text) => void held.set(name, text),
    remove: async (name) => void held.delete(name),
  };
}

/** A bench that ends with its test; `mapping` as `--host-map` and `--ca` give it. */
export async function bench(mapping?: Mapping): Promise<Bench> {
  const attached = await attach({ players, mapping, issuerDeadline: guard, keyPair: sharedPairs() });
  onTestFinished(() => attached.close());
  return new Bench(attached.url, attached.sandbox as Sandbox);
}

/** From here on time stands still, but for the pauses between tries: what a test waits for comes as soon on any machine. */
export function timeByPauses(b: Bench): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  b.haste = 1000;
  b.paused = (ms) => void vi.setSystemTime(Date.now() + ms);
}

/** A folder that goes away with its test, with a federation file in it. */
export function folderWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "federation.yaml"), text);
  return folder;
}
