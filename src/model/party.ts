import type { Address, Ref, Spec } from "./basics.ts";
import type { Difference } from "./change.ts";
import type { Link } from "./file.ts";
import type { Finding } from "./finding.ts";
import type { Judgement, Session, Stranger, Token } from "./proof.ts";
import type { Access, Identity, Live, LivePresent, Mark, Resource } from "./resource.ts";
import type { World } from "./world.ts";

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

export type Undo = () => Promise<void>;

export interface Issuer {
  identify(link: Link): { readonly identity: Identity; readonly resources: readonly Resource[] };
  mint(ask: MintAsk, world: World): Promise<Token>;
  /** Why a mint failed; undefined where nothing more is known than the kind of error. */
  explainMint(ask: MintAsk, error: unknown): Finding | undefined;
  /** Gives the operator the right to mint, for the time of the proof; undefined where it was there already. */
  grantMint(ask: MintAsk, world: World): Promise<Undo | undefined>;
  /** Takes back a grant that a run left behind because it was killed. */
  recallGrant(link: Link, world: World): Promise<void>;
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
  /** What people call it: `aws role`. */
  readonly label: string;
  /** Paths that cannot change while the thing lives: a difference there is a `replace`. */
  readonly immutable?: readonly string[];
  /** A thing too small to carry a mark, such as one statement or one member: an equal one is kept, never foreign. */
  readonly unmarked?: true;
  /** It is written into something that is only used, so making one needs consent by name. */
  readonly onUsed?: true;
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

/** One line of the preflight: what was looked at, what was seen, and the command that mends it. */
export interface Preflight {
  readonly topic: string;
  readonly ok: boolean | "unknown";
  readonly says: string;
  readonly fix: readonly string[];
  /** Without it nothing further makes sense. */
  readonly stops?: boolean;
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
  /** What must be in place before anything is made: asked with the credentials at hand, changing nothing. */
  readonly preflight: (resources: readonly Resource[], world: World) => Promise<readonly Preflight[]>;
  /** What remains to be done by people for a link to be used. */
  readonly nextSteps: (link: Link) => readonly string[];
  /** Whether the credentials at hand belong to the accounts and projects of these resources. */
  readonly reach: (resources: readonly Resource[], world: World) => Promise<readonly Finding[]>;
}
