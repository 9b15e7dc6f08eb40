import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { CredentialsAsk, HttpAnswer, HttpRequest, Outside, Progress, Session, Store, World } from "../model.ts";
import { noting } from "./answered.ts";
import { CloudError } from "./cloud-error.ts";
import { type Agents, type Limits, sender } from "./http.ts";

/** What either world is given from outside. */
export interface Common {
  /** Deadlines and the size cap of every call; the house's own where left out. */
  readonly limits?: Limits;
  readonly store: Store;
  readonly progress: (event: Progress) => void;
  readonly heard?: World["heard"];
  readonly signal: AbortSignal;
}

/** Where calls go, checked by the caller, and where credentials come from. */
export interface CloudOptions extends Common {
  /** `--endpoint SERVICE=URL`, checked: https, or http on loopback. */
  readonly endpoints: ReadonlyMap<string, string>;
  /** Where each party's own credentials come from; the world is for those that have to be exchanged. */
  readonly sources: Readonly<Record<string, (ask: CredentialsAsk, world: World) => Promise<Session>>>;
}

/** The real clouds: only `--endpoint` on the command line moves a call (contract, section 5). */
export function cloudWorld(options: CloudOptions): World {
  // Proxies are honoured for the clouds' own APIs (Node 24 reads HTTPS_PROXY through `proxyEnv`; older ones ignore it).
  const agent = { keepAlive: true, maxSockets: 32, proxyEnv: process.env };
  const send = noting(sender(agentsOf(agent), options.limits));
  const credentials = remembered((ask) => {
    const source = options.sources[ask.party];
    if (!source) throw new Error(`no credentials for ${ask.party}`);
    return source(ask, world);
  }, Date.now);
  const world: World = {
    kind: "cloud",
    clock: { now: () => Date.now(), sleep: pause(options.signal) },
    random: Math.random,
    http: send,
    locate: async (service, url) => options.endpoints.get(service) ?? url,
    credentials,
    outside: lately(async () => {
      const { outsideOf, publicReach } = await import("./outside.ts");
      return outsideOf(publicReach());
    }),
    ...rest(options),
  };
  return world;
}

/** One agent a scheme, made with its first request. */
function agentsOf(options: http.AgentOptions): Agents {
  const made = new Map<boolean, http.Agent>();
  return (secure) => {
    const { Agent } = secure ? process.getBuiltinModule("node:https") : http;
    const agent = made.get(secure) ?? new Agent(options);
    made.set(secure, agent);
    return agent;
  };
}

/** Hosts that users name are called for few links, and what calls them is loaded for those. */
function lately(make: () => Promise<Outside>): Outside {
  let made: Promise<Outside> | undefined;
  const outside = () => {
    made ??= make();
    return made;
  };
  return {
    get: async (...asked) => (await outside()).get(...asked),
    post: async (...asked) => (await outside()).post(...asked),
    send: async (...asked) => (await outside()).send(...asked),
    chain: async (...asked) => (await outside()).chain(...asked),
  };
}

/** A sandbox is reached by its URL, whoever serves it. */
export interface SandboxOptions extends Common {
  /** The URL of the sandbox; asked again after it went away, because another process may have taken over. */
  readonly attach: () => Promise<string>;
  /** Deadlines and the size cap of calls to issuers and other hosts that users name. */
  readonly outsideLimits?: Limits;
}

/** The sandbox: every service is found below its one listener, and only the sandbox's own operator is known. */
export function sandboxWorld(options: SandboxOptions): World {
  const line = new Line(options);
  const operator = async ({ party, scope }: CredentialsAsk) =>
    (await line.control("GET", `credentials?party=${party}&scope=${scope}`)) as Session;
  const mint = async (issuer: string, claims: Readonly<Record<string, unknown>>) => {
    const { token } = (await line.control("POST", "mint", { issuer, claims })) as { token: string | null };
    if (token !== null) return token;
    const about = {
      class: "refused",
      service: "sandbox",
      operation: "Mint",
      code: "ISSUER-MAPPED",
      status: 200,
    } as const;
    throw new CloudError({ ...about, message: `${issuer} is mapped to a server of yours: nobody else mints for it` });
  };
  const session = async (party: string, workload: string) =>
    (await line.control("GET", `credentials?party=${party}&workload=${encodeURIComponent(workload)}`)) as Session;
  // Left out, whether its CA is private stays what somebody made it.
  const host = async (issuer: string, { privateCa = false } = {}) =>
    (await line.control("PUT", "issuers", { issuer, ...(privateCa ? { privateCa } : {}) })) as { mapped: boolean };
  const anchors = async () => ((await line.control("GET", "authority")) as { anchors: readonly string[] }).anchors;
  return {
    kind: "sandbox",
    clock: { now: () => Date.now() + line.offset, sleep: pause(options.signal) },
    random: Math.random,
    http: (request) => line.send(request),
    locate: async (service) => `${await line.url()}/${service.replace(".", "/")}`,
    credentials: remembered(operator, () => Date.now() + line.offset),
    outside: lately(async () => {
      const [{ outsideOf, outsideLimits }, { proxyReach }] = await Promise.all([
        import("./outside.ts"),
        import("./proxy.ts"),
      ]);
      const limits = options.outsideLimits ?? outsideLimits;
      const connect = async (name: string, port: number) =>
        proxyReach({ url: await line.url(), connect: limits.connect }, name, port);
      return outsideOf({ connect, anchors, limits });
    }),
    sandbox: { mint, host, session },
    ...rest(options),
  };
}

/** The line to a sandbox: follows its clock, and finds it again where another process took over. */
class Line {
  offset = 0;
  private readonly attach: () => Promise<string>;
  private readonly transport: World["http"];
  private base: Promise<string> | undefined;

  constructor({ attach, limits }: SandboxOptions) {
    this.attach = attach;
    this.transport = noting(sender(agentsOf({ keepAlive: true, maxSockets: 64 }), limits));
  }

  url(): Promise<string> {
    this.base ??= this.attach();
    return this.base;
  }

  /**
   * Whatever is not on this machine is refused: a wrong URL must not leave the sandbox. The offset is read
   * from the date of each answer, so that our clock follows the sandbox's without asking.
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    const { hostname, host } = new URL(request.url);
    if (hostname !== "127.0.0.1") throw new Error(`the sandbox world calls nothing outside: ${host}`);
    try {
      const answer = await this.transport(request);
      const seen = Date.parse(answer.headers.date ?? "") - Date.now();
      // The date has whole seconds: less than two apart is the same clock.
      if (Math.abs(seen - this.offset) > 2000) this.offset = seen;
      return answer;
    } catch (error) {
      // Whoever served it may have ended: the next call finds who serves it now.
      if (!(error instanceof CloudError) || !["unsent", "lost"].includes(error.class)) throw error;
      const moved = await this.movedFrom(request.url);
      throw error.class === "unsent" && moved ? new CloudError({ ...error, message: error.message, moved }) : error;
    }
  }

  /** Forgets the old one, unless another call has found the new one already; true where there is a new one. */
  private async movedFrom(url: string): Promise<boolean> {
    const { base } = this;
    const known = await base?.catch(() => undefined);
    if (this.base === base && known && url.startsWith(known)) this.base = undefined;
    return !url.startsWith(await this.url());
  }

  /** A control call changes nothing in the clouds, so it may be sent again. */
  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { "content-type": "application/json" };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    for (let tried = 1; ; tried++) {
      try {
        const answer = await this.send({ method, url: `${await this.url()}/_sandbox/${path}`, headers, ...text });
        if (answer.status !== 200) throw new Error(`the sandbox answers ${answer.status} to ${path}`);
        return JSON.parse(answer.body.toString("utf8"));
      } catch (error) {
        if (!(error instanceof CloudError) || tried === (error.moved ? 50 : 5)) throw error;
      }
    }
  }
}

/** 500 retry tokens for each world, which is one for each run (reliability-and-security.md, 2.5). */
const rest = ({ store, progress, heard, signal }: Common) => ({
  ...{ store, progress, signal, budget: { tokens: 500 } },
  ...(heard ? { heard } : {}),
});

/** Sleeps, but not through an interruption. */
const pause = (signal: AbortSignal) => async (ms: number) => {
  await sleep(ms, undefined, { signal }).catch(() => {});
};

/** Asks a source once for each account, and again when the answer has a minute left or was refused. */
function remembered(source: (ask: CredentialsAsk) => Promise<Session>, now: () => number): World["credentials"] {
  const known = new Map<string, Promise<Session>>();
  return async (ask) => {
    const key = JSON.stringify([ask.party, ask.scope, ask.access ?? {}]);
    const held = ask.fresh ? undefined : await known.get(key)?.catch(() => undefined);
    if (held && (held.expiresAt === undefined || held.expiresAt > now() + 60_000)) return held;
    const asked = source(ask);
    known.set(key, asked);
    return asked;
  };
}
