import type { Session } from "./proof.ts";
import type { Access } from "./resource.ts";

/** Time is an argument (house.md, habit 11): the sandbox can move it, and every wait asks it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Ends early, and without an error, when the run is interrupted. */
  sleep(ms: number): Promise<void>;
}

/** Complete as it stands: what makes it believed (a token, a signature) is in its headers already. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Whole, header names in lower case, never a redirect. A status of 400 or more is an answer too. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A document as it was read. `version` is the store's own, and means nothing outside of it. */
export interface Versioned {
  readonly text: string;
  readonly version: string;
}

/**
 * Small documents that must outlive a run: reports, grants to take back. A write is whole or not at all. What
 * exists is never looked up here: without the store every plan and every verdict stays the same.
 */
export interface Store {
  read(name: string): Promise<string | undefined>;
  /** Over whatever stands there. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** For a swap: the document, and which version of it this is. */
  open(name: string): Promise<Versioned | undefined>;
  /**
   * Writes only where the document is still this version, or still absent for undefined; false where somebody was
   * faster. A text that two writers could write alike does not tell which of them won: it must name its writer.
   */
  swap(name: string, text: string, version: string | undefined): Promise<boolean>;
}

/** For people who watch; it holds no secret, and nothing depends on it. */
export interface Progress {
  readonly what: string;
  readonly state: "started" | "done" | "failed" | "waiting";
  readonly ms?: number;
}

/** For what the operator's own credentials are needed. */
export interface CredentialsAsk {
  readonly party: string;
  /** Account id or project id. */
  readonly scope: string;
  readonly access?: Access;
  /** Ask the source again: the ones in hand were refused, though by their expiry they should still hold. */
  readonly fresh?: boolean;
}

/**
 * What only the sandbox can do: mint what an issuer would never mint for us. With it the refusals are proved
 * with tokens of strangers; in the cloud another link's workload has to serve as one, or the judge decides.
 */
export interface SandboxPowers {
  /** Throws a `CloudError` of class `refused` for an issuer that is mapped: only its own server has its keys. */
  mint(issuer: string, claims: Readonly<Record<string, unknown>>): Promise<string>;
  /**
   * Plays an issuer under its real name from now on; with `privateCa` under a CA that no cloud trusts. `mapped`: a
   * server of the user's own stands in for it.
   */
  host(issuer: string, options?: { readonly privateCa?: boolean }): Promise<{ readonly mapped: boolean }>;
  /** Credentials of any workload of a party that signs requests instead of carrying tokens, by its ARN. */
  session(party: string, workload: string): Promise<Session>;
}

/** A certificate as a host served it. */
export interface Certificate {
  /** DER. */
  readonly raw: Buffer;
  readonly subject: string;
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly notAfter: number;
}

/** What one fresh TLS handshake showed. */
export interface ServedChain {
  /** Exactly as served, the leaf first: no root that only this machine knows (aws.md 8). */
  readonly certificates: readonly Certificate[];
  /** Why the public CAs do not vouch for it, in OpenSSL's words; absent where they do. */
  readonly untrusted?: string;
}

/**
 * Hosts that a user named in a file, and never the clouds' own APIs: https only, public addresses only, checked on
 * the socket that is used, no redirect, no proxy, little time and few bytes (reliability-and-security.md, 3b).
 * Throws a `CloudError`.
 */
export interface Outside {
  /** `vouched: false`: any certificate will do, because its chain is looked at apart from it. */
  get(url: string, options?: { readonly vouched?: boolean }): Promise<HttpAnswer>;
  /** A form, for the token endpoint of an issuer. */
  post(
    url: string,
    form: Readonly<Record<string, string>>,
    options?: { readonly vouched?: boolean },
  ): Promise<HttpAnswer>;
  /** A JSON document, for a webhook. */
  send(url: string, value: unknown): Promise<HttpAnswer>;
  chain(host: string, port?: number): Promise<ServedChain>;
}

/** One try of a remote call, as it ended. It holds nothing that was sent or answered, and so no secret. */
export interface RemoteCall {
  /** Such as `aws.iam`. */
  readonly service: string;
  /** Verb first: `CreateRole`. */
  readonly operation: string;
  /** 1 for the first try. */
  readonly tried: number;
  /** HTTP status; absent where there was no answer. */
  readonly status?: number;
  /** `ok`, or the vendor's code, or where there is none the class of the error. */
  readonly outcome: string;
  readonly ms: number;
  /** How the cloud calls this request, for its support and its logs. */
  readonly requestId?: string;
}

/**
 * All input and output, as one argument. Whatever takes no `World` contacts nothing; and since there is no
 * other way out, the sandbox is simply another one of these (contract, section 5).
 */
export interface World {
  readonly kind: "sandbox" | "cloud";
  readonly clock: Clock;
  /** 0 <= x < 1; for the jitter of waits, never for anything secret. */
  readonly random: () => number;
  /** One request, one answer: deadline, size cap, no redirect. Throws a `CloudError`. */
  readonly http: (request: HttpRequest) => Promise<HttpAnswer>;
  /** Base URL, no trailing slash, of a service such as `aws.iam` here; `url` is where it is in real life. */
  readonly locate: (service: string, url: string) => Promise<string>;
  /** The operator's own, for an account or project. Throws a `CloudError` of class `credentials`. */
  readonly credentials: (ask: CredentialsAsk) => Promise<Session>;
  readonly outside: Outside;
  readonly store: Store;
  readonly progress: (event: Progress) => void;
  readonly sandbox?: SandboxPowers;
  /** Told of every try of a remote call, where somebody wants to follow them (`--verbose`). */
  readonly heard?: (told: RemoteCall) => void;
  /** Aborted when the user interrupts: no new call starts. */
  readonly signal: AbortSignal;
  /**
   * What is left to spend on retries, changed in place by every call: in an outage a thousand calls must not
   * each retry to their own limit (reliability-and-security.md, 2.5).
   */
  readonly budget: { tokens: number };
}
