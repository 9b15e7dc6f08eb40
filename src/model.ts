/**
 * The words of crosstrust: types only, importing nothing, imported by everyone.
 *
 * A link joins two parties. The issuer gives an identity, the relying party turns it into resources;
 * resources held against live give a plan; applying it and proving the link gives a trace; whatever is
 * wrong anywhere is a finding. `World` carries all I/O.
 */

/** A place in a text file; line and column count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `party:kind/scope/name`, built from the text of the file alone, e.g. `aws:role/111122223333/reports-reader`. */
export type Address = `${string}:${string}/${string}`;

/** A value that another resource has once it exists. Order, "known after create" and hashing follow from it. */
export interface Ref {
  readonly $ref: Address;
  readonly field: string;
}
export type Known<T> = T | Ref;

/** JSON values. Every array in a spec is a set: its order and its duplicates carry no meaning. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Spec = { readonly [key: string]: Json };

// ---------------------------------------------------------------- the file

/** One side of a link: which party, and what the file says about it (checked by that party's shape). */
export interface Side {
  readonly party: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What a link may do: a policy by name, or actions on resources; its form is the relying party's. */
export type Permission = string | Readonly<Record<string, unknown>>;

export interface Link {
  readonly name: string;
  /** The deployment this link belongs to: part of every mark. */
  readonly deployment: string;
  readonly from: Side;
  readonly to: Side;
  /** The audience that tokens for this link are asked for. */
  readonly audience: string;
  readonly may: readonly Permission[];
  /** `judge`: nothing can mint for this link, so its trust is judged and never proved (contract, section 7). */
  readonly prove: "exchange" | "judge";
  readonly place: Place;
  /** The place of a field of this link, by path such as `to.aws.role`; the nearest parent's where it is absent. */
  readonly at: (path: string) => Place;
}

export interface Federation {
  readonly file: string;
  readonly name: string;
  readonly links: readonly Link[];
}

// ---------------------------------------------------------------- identities and resources

/** What will be proved, known before anyone mints it. */
export type Identity =
  | {
      readonly proof: "oidc";
      readonly issuer: Known<string>;
      readonly claims: Readonly<Record<string, Known<string> | readonly Known<string>[]>>;
    }
  | { readonly proof: "aws4_request"; readonly account: string; readonly arn: string };

/** How to reach the account or project of a resource, where the file says so; not part of what is desired. */
export type Access = Readonly<Record<string, string>>;

/** What must exist. `own`: made, changed and removed by us. `use`: must exist, is read and watched, never written. */
export interface Resource<S extends Spec = Spec> {
  readonly address: Address;
  readonly links: readonly string[];
  readonly hold: "own" | "use";
  readonly spec: S;
  readonly access?: Access;
}

/** Who owns a thing, and two fingerprints: what the file wanted, and what was last written (contract, section 8). */
export interface Mark {
  readonly owner: string;
  readonly want: string;
  /** Fingerprint of the spec as last written, or `-` from the create call until the last part is written. */
  readonly put: string;
  readonly adopted?: boolean;
  /** Unique ids of the subjects this thing trusts: the only way back to a deleted service account. */
  readonly subjects?: string;
}

export type Live<S extends Spec = Spec> =
  | { readonly state: "absent" }
  /** Gone, but can come back with its identity; `id` is what the undelete call needs. */
  | { readonly state: "deleted"; readonly id: string }
  | LivePresent<S>;

export interface LivePresent<S extends Spec = Spec> {
  readonly state: "present";
  readonly owner: "ours" | "adopted" | "foreign";
  readonly spec: S;
  /** What others refer to: `arn`, `uniqueId`, `email` ... */
  readonly outputs: Readonly<Record<string, string>>;
  readonly mark?: Mark;
  /** What was seen beside the spec and deserves a word: others who may mint, dangling members ... */
  readonly notes?: readonly Finding[];
}

// ---------------------------------------------------------------- changes

export interface Difference {
  readonly path: string;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  /** What the live side does that the desired side does not: lets somebody in, allows more, shuts somebody out. */
  readonly weight?: "opens" | "grants" | "narrows";
}

export type Verb = "keep" | "create" | "restore" | "update" | "replace" | "delete" | "adopt" | "release";
export type Cause = "edited" | "moved" | "drifted" | "both" | "unfinished";

export interface Change {
  readonly address: Address;
  readonly verb: Verb;
  readonly cause?: Cause;
  readonly links: readonly string[];
  readonly differences: readonly Difference[];
  /** Absent for `delete` and `release`. */
  readonly desired?: Resource;
  readonly live: Live;
  readonly access?: Access;
}

export interface Consents {
  readonly adopt: readonly string[];
  readonly allowWiden: readonly string[];
  readonly allowBroadSubject: readonly string[];
  readonly allowPrivileged: readonly string[];
  readonly undelete: boolean;
  readonly grantMe: boolean;
}

export interface Plan {
  readonly deployment: string;
  /** SHA-256, 64 hex, over desired, live, consents and tool version. */
  readonly fingerprint: string;
  readonly changes: readonly Change[];
  /** Addresses in the order they are made; those of one wave do not depend on each other. */
  readonly waves: readonly (readonly Address[])[];
  readonly findings: readonly Finding[];
}

// ---------------------------------------------------------------- findings

export interface Evidence {
  readonly key: string;
  readonly wants: string;
  readonly says: string;
  readonly readFrom: string;
  readonly ok: boolean | "unknown";
}

export type Severity = "error" | "security" | "warning" | "hint";

/** Which exit code a finding asks for where its severity alone does not say (contract, section 2). */
export type Asks = "broken" | "denied" | "conflict" | "untold" | "usage";

export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly at: { readonly address?: Address; readonly place?: Place };
  readonly says: string;
  readonly because: readonly Evidence[];
  readonly fix: readonly string[];
  readonly asks?: Asks;
  readonly links?: readonly string[];
}

// ---------------------------------------------------------------- proof

/** A minted token. `text` is a secret and never reaches `say`. */
export interface Token {
  readonly text: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly header: Readonly<Record<string, unknown>>;
  /** Which way of minting gave it, e.g. `iamcredentials`, `metadata`. */
  readonly mintedBy: string;
}

/** Credentials that came out of an exchange or that an operator holds. `secrets` never reach `say`. */
export interface Session {
  readonly secrets: Readonly<Record<string, string>>;
  readonly principal: string;
  /** What is known about them and is no secret: where they came from, the quota project. */
  readonly about?: Readonly<Record<string, string>>;
  /** Epoch milliseconds; absent where the credentials do not expire. */
  readonly expiresAt?: number;
}

export interface Judgement {
  readonly allow: boolean | "unknown";
  readonly rows: readonly Evidence[];
  /** Why it is unknown, where it is. */
  readonly unknown?: readonly string[];
}

/** Somebody whom a live trust lets in although the file does not; `claims` would be accepted. */
export interface Stranger {
  readonly who: string;
  readonly code: string;
  /** Absent where the stranger needs no token of this issuer, e.g. an AWS principal. */
  readonly claims?: Readonly<Record<string, string>>;
}

export interface Hop {
  readonly step: "mint" | "exchange" | "whoami" | "refuse";
  readonly result: "ok" | "no" | "unknown" | "skipped";
  readonly how?: "proved" | "judged";
  /** Milliseconds, whole. */
  readonly ms: number;
  readonly saw: string;
  /** Code of the finding that explains a result other than ok. */
  readonly finding?: string;
}

/** Worst first: a stranger let in outranks a broken link. */
export type Verdict = "open" | "broken" | "drifted" | "unknown" | "unproved" | "works";

export interface Trace {
  readonly link: string;
  readonly hops: readonly Hop[];
  readonly findings: readonly Finding[];
}

export interface LinkHealth {
  readonly link: string;
  readonly verdict: Verdict;
  readonly hops: readonly Hop[];
  /** What of this link differs from the file: `keep` is not among them. */
  readonly changes: readonly Change[];
}

export interface Health {
  /** ISO 8601. */
  readonly at: string;
  readonly verdict: Verdict;
  readonly ms: number;
  readonly links: readonly LinkHealth[];
  readonly findings: readonly Finding[];
}

// ---------------------------------------------------------------- parties

export interface MintAsk {
  readonly link: Link;
  readonly audience: string;
  /** Unique ids and the like of the resources as they are live now. */
  readonly lookup: Lookup;
}
export type Lookup = (ref: Ref) => string | undefined;

export interface ExchangeAsk {
  readonly link: Link;
  /** `prove` and `refuse` ask for a session that can do nothing; `use` for the real one. */
  readonly purpose: "prove" | "refuse" | "use";
  /** Seconds. */
  readonly duration?: number;
}

export interface Issuer {
  identify(link: Link): { readonly identity: Identity; readonly resources: readonly Resource[] };
  mint(ask: MintAsk, world: World): Promise<Token>;
  /** Why a mint failed; undefined where nothing more is known than the kind of error. */
  explainMint(ask: MintAsk, error: unknown): Finding | undefined;
  /** Asks whoever may for the right to mint, and gives back how to undo it; undefined where nothing was needed. */
  grantMint?(ask: MintAsk, world: World): Promise<(() => Promise<void>) | undefined>;
}

/** The live trust as its relying party understands it: the live spec of the resource that holds it. */
export interface TrustView {
  readonly link: Link;
  readonly live: Live;
  readonly lookup: Lookup;
}

export interface RelyingParty {
  /** What must exist so that the identity is believed; the first resource is the one that holds the trust. */
  trust(link: Link, identity: Identity): readonly Resource[];
  judge(claims: Readonly<Record<string, unknown>>, view: TrustView): Judgement;
  /** Whomever the live trust admits beyond what the resolved desired resource does. */
  strangers(view: TrustView, desired: Resource): readonly Stranger[];
  exchange(ask: ExchangeAsk, token: Token, world: World): Promise<Session>;
  whoami(session: Session, ask: ExchangeAsk, world: World): Promise<string>;
  /** Why an exchange was refused, condition by condition; undefined where only the kind of error is known. */
  explain(failed: Failed): Finding | undefined;
}

export interface Failed {
  readonly view: TrustView;
  readonly error: unknown;
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface PutJob<S extends Spec = Spec> {
  readonly desired: Resource<S>;
  readonly live: Live<S>;
  /** The mark to leave behind when the last part is written; absent for what is only used. */
  readonly mark: Mark;
}

/** A kind of resource: the only code that writes. `put` is one flow: observe, ensure, sync, return. */
export interface Kind<S extends Spec = Spec> {
  /** `party:kind`, the head of its addresses. */
  readonly name: string;
  /** Paths that cannot change while the thing lives: a difference there is a `replace`. */
  readonly immutable?: readonly string[];
  /** A thing too small to carry a mark, such as one statement or one member: an equal one is kept, never foreign. */
  readonly unmarked?: true;
  /** It can be switched off instead of deleted, and keeps its identity then. */
  readonly disables?: true;
  read(desired: Resource<S>, hints: readonly string[], world: World): Promise<Live<S>>;
  /** Things that carry `owner`'s mark in the scopes of `named` and are not among them. */
  list(named: readonly Resource<S>[], owner: string, world: World): Promise<Leftovers>;
  put(job: PutJob<S>, world: World): Promise<LivePresent<S>>;
  remove(target: Removal<S>, world: World): Promise<void>;
  /** `equal` is the plan's: members in any order, lists as sets. */
  differ?(desired: S, live: S, equal: Equal): readonly Difference[];
  combine?(a: S, b: S): S | Conflict;
}

export type Equal = (a: unknown, b: unknown) => boolean;

export interface Leftovers {
  readonly found: readonly { readonly address: Address; readonly live: LivePresent; readonly access?: Access }[];
  /** Where was looked, in words: `aws 111122223333 /crosstrust/`. */
  readonly scopes: readonly string[];
  readonly findings: readonly Finding[];
}

export interface Removal<S extends Spec = Spec> {
  readonly address: Address;
  readonly live: LivePresent<S>;
  /** `release` gives an adopted thing back; `disable` keeps it, switched off. */
  readonly how: "delete" | "release" | "disable";
  readonly access?: Access;
}

export interface Conflict {
  readonly conflict: string;
  readonly path: string;
}

/** A party: what it may be in a link, the kinds it owns, and the shape of its part of the file. */
export interface Party {
  readonly name: string;
  readonly issuer?: Issuer;
  readonly relying?: RelyingParty;
  readonly kinds: readonly Kind[];
  /** How people call its side of a link: `reports@acme-prod`, `role reports-reader`. */
  readonly title: (link: Link, side: "from" | "to") => string;
  readonly lint: (link: Link) => readonly Finding[];
  /** Whether the credentials at hand belong to the accounts and projects of these resources. */
  readonly reach: (resources: readonly Resource[], world: World) => Promise<readonly Finding[]>;
}

// ---------------------------------------------------------------- the world

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
