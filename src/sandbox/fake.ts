import type { KeyObject } from "node:crypto";
import type { JWK } from "jose";
import type { Session } from "../model.ts";
import type { Store, View } from "./state.ts";

/** One request as a fake sees it: routed, its prefix taken off, its body whole. */
export interface FakeRequest {
  readonly method: string;
  /** The host the client meant: a real one through the proxy, else 127.0.0.1:PORT. */
  readonly host: string;
  /** The path as it was sent, prefix included: signatures cover it. */
  readonly sentPath: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** `date` and `content-length` are added by the listener. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** What the sandbox took and the cloud may refuse: told in the header `x-sandbox-warning` and in the record of calls. */
  readonly warning?: string;
}

/** One call of one service. `run` may throw what `Fake.refusal` understands. */
export interface Operation {
  /** Verb first: `CreateRole`. */
  readonly name: string;
  readonly write: boolean;
  /** Whom the credentials name, for the record alone. */
  readonly principal: string;
  run(): FakeAnswer | Promise<FakeAnswer>;
}

/** A service of a party, played. */
export interface Fake {
  /** `aws.iam` */
  readonly service: string;
  /** Real host names; `*` stands for one label, `**` at the beginning for one or more. */
  readonly hosts: readonly string[];
  /** Bytes of the largest body it takes; absent: 1 MiB. */
  readonly maxBody?: number;
  /** Whether a request to the bare listener, without prefix and real host, is meant for this service. */
  owns(request: FakeRequest): boolean;
  /**
   * Says which call it is and does nothing yet: between this and `run` a fault may hit it. It is called twice
   * for a stale read, the second time with an older view.
   */
  open(request: FakeRequest, host: Host): Operation;
  /** The service's own shape of a throttle and of a 500. */
  fault(kind: "throttle" | "error500"): FakeAnswer;
}

/**
 * Answers for the services of a party that are not played. Of real hosts it has those that no service and no hosted
 * issuer has, and of a body it gets no more than the beginning.
 */
export interface Unplayed extends Fake {
  /**
   * Whether a request to the bare listener can only be meant for such a service, whatever its path: asked before every
   * service, while `owns` is asked after all of them.
   */
  claims(request: FakeRequest): boolean;
}

/** What a party plays: its services, its issuers, and the operator that the tool acts as. */
export interface Player {
  readonly party: string;
  readonly fakes: readonly Fake[];
  readonly unplayed?: Unplayed;
  readonly issuers: readonly string[];
  /** For an issuer beyond those: which of them it shares its keys with. Entra signs for every tenant with the same. */
  readonly signsAs?: (issuer: string) => string | undefined;
  /** The operator's credentials for an account or project. */
  operator(scope: string, host: Host): Session;
  /** Credentials of a workload by its ARN, where its party signs requests instead of carrying tokens. */
  readonly workload?: (arn: string, host: Host) => Session | undefined;
  /** Makes the sandbox's machine run as a workload, in the words of its party. Throws where they are none. */
  readonly runAs?: (who: unknown, host: Host) => void;
  /** What happens in it at set times; without one nothing does. */
  readonly schedule?: Agenda;
  /** Sets quotas of the cloud, in the words of its party. Throws where it has none of such a name. */
  readonly setQuotas?: (quotas: Readonly<Record<string, number>>, host: Host) => void;
  /** What that machine's own environment has besides, for programs that run on it. */
  readonly machine?: (host: Host) => Environment;
  /**
   * What points the vendors' programs here, for an account or project, else for the first one in the state.
   */
  environment(scope: string | undefined, host: Host): Environment;
}

/** Times are epoch milliseconds of the sandbox's clock. */
export interface Agenda {
  /** The first moment after `after` and not after `until` at which something is due. */
  nextDue(span: { readonly after: number; readonly until: number }, host: Host): number | undefined;
  /** Does all that is due at a moment, while the clock shows it. Resolves when it is done. */
  runDue(at: number, host: Host): Promise<void>;
}

/** What a party adds to the environment of a program that is led to the sandbox. */
export interface Environment {
  readonly variables: Readonly<Record<string, string>>;
  /** Variables that name a file: what is to stand in it. Only its owner may read it. */
  readonly files: Readonly<Record<string, string>>;
  /** Variables that name a folder of their own. */
  readonly folders: readonly string[];
  /** Variables that would lead the programs elsewhere, and must not be set. */
  readonly unset: readonly string[];
  /** How the names of further such variables begin: one for each service of a cloud, for example. */
  readonly families?: readonly string[];
  /** Variables that name an INI file, with its usual path below the home folder: only what runs crosstrust stays in it. */
  readonly excerpts?: Readonly<Record<string, string>>;
  /** Paths below the home folder in which clients keep what they know of the real clouds. */
  readonly homes?: readonly string[];
}

/** What the sandbox offers its fakes. */
export interface Host {
  /** Epoch milliseconds of the sandbox's clock. */
  readonly now: () => number;
  readonly state: Store;
  /** What a read sees: the latest, or an older state while a stale read is played. */
  readonly view: View;
  /** What has reached everywhere: older by the propagation that is played. */
  readonly propagated: View;
  readonly secrets: Secrets;
  readonly issuers: Issuers;
  /** The URL of the listener. */
  readonly base: string;
  /** The metadata server's service account, by e-mail. */
  readonly actsAs: () => string | undefined;
  readonly outside: Outside;
  /** What another service answers that is played here, as one cloud asks another; undefined for a host that is not. */
  readonly relay: (request: FakeRequest) => Promise<FakeAnswer | undefined>;
  readonly blobs: Blobs;
  readonly programs: Programs;
  /** Calls a URL as a cloud's scheduler or workflow does. Never throws: what went wrong is an answer too. */
  readonly deliver: (delivery: Delivery) => Promise<Delivered>;
}

/** A call that a cloud makes on somebody's behalf; its timeout in milliseconds, the token among its headers. */
export interface Delivery {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly timeout: number;
}

/**
 * What came back, header names in lower case and at most 2 MB, or why nothing did: `refused` also where a name does not
 * resolve, `reset` where the connection was there and was lost.
 */
export type Delivered =
  | { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }
  | { readonly failure: "refused" | "reset" | "timeout" | "too-large"; readonly says: string };

/**
 * Over real TLS to hosts that are played or mapped here, and to no other: as a cloud reaches an issuer. Vouched for
 * is what chains up to the sandbox's anchors. 5 s, 1 MiB, no redirect is followed; throws where that is not enough.
 */
export interface Outside {
  /** `vouched: false`: any certificate will do, because its chain is looked at apart from it. */
  get(url: string, options?: { readonly vouched?: boolean }): Promise<OutsideAnswer>;
  chain(host: string): Promise<OutsideChain>;
}

/** Header names in lower case. */
export interface OutsideAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one fresh handshake showed. */
export interface OutsideChain {
  /** Lower-case hex without colons, as served, the leaf first. */
  readonly sha1s: readonly string[];
  /** Why the anchors do not vouch for it, in OpenSSL's words; absent where they do. */
  readonly untrusted?: string;
}

/** Contents too large or too binary for the state, by their SHA-256 in hex; a reset forgets them. */
export interface Blobs {
  put(content: Buffer): string;
  get(digest: string): Buffer | undefined;
}

/** Programs of the user's own that run in a cloud, each as a child process of this machine. */
export interface Programs {
  /** Starts it at the first request, and anew for another version. Throws `ProgramGone` where it gives no answer. */
  request(program: Program, request: FakeRequest): Promise<FakeAnswer>;
  /** Ends what runs under a key, once its requests are answered. */
  end(key: string): void;
}

/** What runs under a key. */
export interface Program {
  readonly key: string;
  readonly version: string;
  /** Milliseconds for one request, start included. */
  readonly deadline: number;
  /** Asked at each start, and never otherwise. */
  readonly prepare: () => ProgramSpec;
  /** Every line that it writes, while it runs. */
  readonly said: (line: string, stream: "stdout" | "stderr") => void;
}

/** How a program is started: `process.execPath` over `code`, an ES module, in a folder of its own. */
export interface ProgramSpec {
  /** By relative path; written for this start and removed with it. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** Symbolic links by relative path, to absolute ones. */
  readonly links: Readonly<Record<string, string>>;
  /** Serves HTTP on 127.0.0.1 and then calls `process.send({ port })`. */
  readonly code: string;
  /** The whole environment: nothing of this process's own goes in. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program gave no answer: it did not start, ended, or took too long. */
export class ProgramGone extends Error {
  readonly why: "start" | "exit" | "deadline";

  constructor(why: "start" | "exit" | "deadline", message: string) {
    super(message);
    this.why = why;
  }
}

/** Secrets that prove themselves: nothing about them is kept, so nothing can be read from the state. */
export interface Secrets {
  /** A keyed digest, base64url. */
  mac(text: string): string;
  /** A text that only this sandbox can have made, holding `payload` in the clear; noted as issued. */
  seal(prefix: string, payload: unknown): string;
  /** Undefined for whatever is no seal of this sandbox with this prefix. */
  open<T>(prefix: string, sealed: string): T | undefined;
  /** Notes a secret for leak checks, and gives it back. */
  issue(secret: string): string;
}

/** Tokens and keys of the issuers that the sandbox plays. */
export interface Issuers {
  /** A signed JWT; `exp` and `iat` are the caller's. `header` goes over the usual alg, kid and typ. */
  sign(issuer: string, claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): string;
  /** The public keys of an issuer that the sandbox plays; undefined for any other. */
  keys(issuer: string): readonly JWK[] | undefined;
  /** The private key that a cloud keeps for somebody who is no issuer, such as a service account. Made at its first use. */
  privateKey(name: string): KeyObject;
}

/** Deterministic characters from an alphabet, for ids that look real and can be reproduced. */
export function characters(digest: Buffer, alphabet: string, length: number): string {
  let value = BigInt(`0x${digest.toString("hex")}`);
  let text = "";
  const base = BigInt(alphabet.length);
  while (text.length < length) {
    text += alphabet[Number(value % base)];
    value /= base;
  }
  return text;
}

/** The content type with the charset that Google sends (wire.md 4.0). */
export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): FakeAnswer => ({
  status,
  headers: { "content-type": "application/json; charset=UTF-8", ...headers },
  body: JSON.stringify(body),
});
