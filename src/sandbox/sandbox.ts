import type { KeyPairKeyObjectResult } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BlobStore } from "./blobs.ts";
import { Calendar } from "./calendar.ts";
import { deliverOf } from "./deliver.ts";
import type { Fake, FakeAnswer, FakeRequest, Host, Issuers, Player, Unplayed } from "./fake.ts";
import { Faults } from "./faults.ts";
import { Hosting, type Mapping } from "./hosting.ts";
import { Keys } from "./keys.ts";
import { hostMatches } from "./names.ts";
import { issuerDeadline, outsideOf } from "./outside.ts";
import { ProgramRunner } from "./programs.ts";
import { State, type View } from "./state.ts";

/** One call as `GET /_sandbox/calls` tells it (contract, section 5). */
export interface CallRecord {
  readonly at: string;
  readonly service: string;
  readonly operation: string;
  readonly principal: string;
  /** HTTP status; 0 where no answer was given. */
  readonly status: number;
  readonly write: boolean;
  /** What the sandbox took and the cloud may refuse. */
  readonly warning?: string;
}

/** Kept in the state, so that whoever takes it over goes on with them. */
interface Settings {
  readonly offsetSeconds: number;
  readonly propagationSeconds: number;
  /** The metadata server's service account, by e-mail. */
  readonly actsAs?: string;
}

/** `actsAs` replaces what the state holds; without it the state's own stays. */
export interface SandboxOptions {
  /** The folder of its state; without one everything stays in memory. */
  readonly folder?: string;
  readonly players: readonly Player[];
  readonly actsAs?: string | undefined;
  /** `--host-map` and `--ca`; nothing of it is kept. */
  readonly mapping?: Mapping | undefined;
  /** Milliseconds that the played clouds give an issuer to answer; 5000 where left out. */
  readonly issuerDeadline?: number | undefined;
  /** Makes the RSA keys that issuers sign with; fresh ones where left out. */
  readonly keyPair?: (() => KeyPairKeyObjectResult) | undefined;
}

/** The sandbox without its listener: state, clock, keys, faults, and the record of every call. */
export class Sandbox {
  readonly state: State;
  readonly keys: Keys;
  readonly faults = new Faults();
  readonly calls: CallRecord[] = [];
  readonly issuers: Issuers;
  readonly players: readonly Player[];
  readonly hosting: Hosting;
  readonly blobs: BlobStore;
  readonly programs: ProgramRunner;
  readonly calendar: Calendar;
  /** Every service; a party's own comes before the hosted issuers. */
  readonly fakes: readonly Fake[];
  /** Apart from them: what answers where no service does. */
  readonly unplayed: readonly Unplayed[];
  /** The URL of the listener, which is known only once it listens. */
  base = "";
  private readonly folder: string | undefined;
  private readonly deadline: number;

  constructor(options: SandboxOptions) {
    this.folder = options.folder;
    this.deadline = options.issuerDeadline ?? issuerDeadline;
    const file = (name: string) => (options.folder ? join(options.folder, name) : undefined);
    if (options.folder) mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.state = new State(file("state.jsonl"));
    this.blobs = new BlobStore(file("blobs"));
    this.programs = new ProgramRunner(file("programs"));
    this.players = options.players;
    const named = (issuer: string) => this.players.map((one) => one.signsAs?.(issuer)).find(Boolean) ?? issuer;
    this.keys = new Keys({ file: file("keys.json"), named, pair: options.keyPair });
    const played = new Set(options.players.flatMap((player) => player.issuers));
    this.issuers = this.keys.issuers((issuer) => played.has(named(issuer)));
    const fakes = options.players.flatMap((player) => player.fakes);
    const mapping = options.mapping ?? { hosts: new Map(), anchors: [] };
    this.unplayed = options.players.flatMap((player) => player.unplayed ?? []);
    const { state, keys, unplayed } = this;
    this.hosting = new Hosting({ state, keys, file: file("authority.json"), fakes, unplayed, mapping });
    this.fakes = [...fakes, this.hosting.fake];
    if (options.actsAs) this.set({ actsAs: options.actsAs });
    this.programs.setClock(this.settings.offsetSeconds * 1000);
    this.calendar = new Calendar(this);
    const log = file("calls.jsonl");
    if (log && existsSync(log)) this.calls.push(...earlierCalls(readFileSync(log, "utf8")));
  }

  get settings(): Settings {
    return this.state.get<Settings>("settings") ?? { offsetSeconds: 0, propagationSeconds: 0 };
  }

  set(change: Partial<Settings>): void {
    this.state.put("settings", { ...this.settings, ...change });
    this.programs.setClock(this.settings.offsetSeconds * 1000);
  }

  /** Epoch milliseconds of the sandbox's clock. Views do not follow it: they look back in real time. */
  now(): number {
    return Date.now() + this.settings.offsetSeconds * 1000;
  }

  /** What a fake gets to see and use; `staleSeconds` plays a read that has not heard of the last writes. */
  host(staleSeconds: number | undefined): Host {
    const back = (seconds: number): View => this.state.at(Date.now() - seconds * 1000);
    const { propagationSeconds } = this.settings;
    return {
      now: () => this.now(),
      state: this.state,
      view: staleSeconds === undefined ? this.state : back(staleSeconds),
      propagated: propagationSeconds > 0 ? back(propagationSeconds) : this.state,
      secrets: this.keys.secrets,
      issuers: this.issuers,
      base: this.base,
      actsAs: () => this.settings.actsAs,
      relay: (request) => this.relay(request),
      outside: outsideOf({ base: this.base, deadline: this.deadline, anchors: () => this.hosting.anchors() }),
      blobs: this.blobs,
      programs: this.programs,
      deliver: deliverOf(this.base, () => this.hosting.anchors()),
    };
  }

  /** From one cloud to another, and so on the record like any other call. */
  private async relay(request: FakeRequest): Promise<FakeAnswer | undefined> {
    const fake = this.fakes.find(({ hosts }) => hosts.some((pattern) => hostMatches(pattern, request.host)));
    const operation = fake?.open(request, this.host(undefined));
    const answer = await operation?.run();
    if (!fake || !operation || !answer) return undefined;
    const { name, principal, write } = operation;
    const at = new Date(this.now()).toISOString();
    this.record({ at, service: fake.service, operation: name, principal, status: answer.status, write });
    return answer;
  }

  /** Written down at once: the record has to survive a process that is killed in the next call. */
  record(call: CallRecord): void {
    this.calls.push(call);
    if (this.folder) appendFileSync(join(this.folder, "calls.jsonl"), `${JSON.stringify(call)}\n`, { mode: 0o600 });
  }

  /** The keys stay: whoever has fetched them goes on verifying. */
  reset(): void {
    this.programs.endAll();
    this.state.clear();
    this.programs.setClock(0);
    this.blobs.clear();
    this.calls.length = 0;
    if (this.folder) rmSync(join(this.folder, "calls.jsonl"), { force: true });
    this.faults.set([]);
  }
}

/** The record of earlier processes in this folder; its last line may be half written. */
function earlierCalls(text: string): readonly CallRecord[] {
  return text.split("\n").flatMap((line) => {
    try {
      return line ? [JSON.parse(line) as CallRecord] : [];
    } catch {
      return [];
    }
  });
}
