import type { Session } from "./proof.ts";
import type { Access } from "./resource.ts";

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Small documents that must outlive a run: reports, grants to take back. */
export interface Store {
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface Progress {
  readonly what: string;
  readonly state: "started" | "done" | "failed" | "waiting";
  readonly ms?: number;
}

export interface CredentialsAsk {
  readonly party: string;
  /** Account id or project id. */
  readonly scope: string;
  readonly access?: Access;
  /** Ask the source again: the ones in hand were refused. */
  readonly fresh?: boolean;
}

/** What only the sandbox can do: mint what an issuer would never mint for us. */
export interface SandboxPowers {
  mint(issuer: string, claims: Readonly<Record<string, unknown>>): Promise<string>;
}

/** All input and output, as one argument. */
export interface World {
  readonly kind: "sandbox" | "cloud";
  readonly clock: Clock;
  /** 0 <= x < 1. */
  readonly random: () => number;
  /** One request, one answer: deadline, size cap, no redirect. Throws a `CloudError`. */
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  /** The base URL, without a trailing slash, where a service such as `aws.iam` answers in this world. */
  readonly locate: (service: string, url: string) => Promise<string>;
  /** The operator's own credentials for an account or project. */
  readonly credentials: (ask: CredentialsAsk) => Promise<Session>;
  readonly store: Store;
  readonly progress: (event: Progress) => void;
  readonly sandbox?: SandboxPowers;
  /** Aborted when the user interrupts: no new call starts. */
  readonly signal: AbortSignal;
  /** The process-wide retry budget (fact sheet reliability-and-security, 2.5). */
  readonly budget: { tokens: number };
}
