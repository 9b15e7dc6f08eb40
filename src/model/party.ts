import type { Address, Json, Ref, Spec } from "./basics.ts";
import type { Change, Difference, LocalEffect } from "./change.ts";
import type { Code } from "./codes.ts";
import type { Control, Link } from "./file.ts";
import type { Finding, Remark, Unwatched } from "./finding.ts";
import type { KnownMessage } from "./message.ts";
import type { Judgement, Session, Stranger, Token } from "./proof.ts";
import type { Access, Identity, Live, LivePresent, Mark, Resource } from "./resource.ts";
import type { World } from "./world.ts";

/** Whose token, and for whom. */
export interface MintAsk {
  readonly link: Link;
  /** Not always the link's own: a refusal asks for a wrong one, or for another link's. */
  readonly audience: string;
  /** Unique ids and the like of the resources as they are live now. */
  readonly lookup: Lookup;
}
/** What a reference resolves to in what was read or made; undefined while the thing is not there. */
export type Lookup = (ref: Ref) => string | undefined;

/** Whose session, and what for. */
export interface ExchangeAsk {
  readonly link: Link;
  /**
   * `prove` and `refuse` ask for a session that can do nothing (reliability-and-security.md, 4.3, T16); `use`
   * for the real one.
   */
  readonly purpose: "prove" | "refuse" | "use";
  /** Seconds, for `use` alone; where it is left out the relying party has its default. */
  readonly duration?: number;
  /** The name of the session, where the relying party takes one and the caller wants a certain one. */
  readonly sessionName?: string | undefined;
  /** The trust as it was read, and what the token says: a session of somebody else is no proof. */
  readonly proof?: { readonly view: TrustView; readonly claims: Readonly<Record<string, unknown>> };
  /** What was read or made; whoever has read nothing leaves it out, and the relying party asks its cloud. */
  readonly lookup?: Lookup;
}

/** Takes back what `grantMint` gave; where a run is killed before, `recallGrant` of the next one does. */
export type Undo = () => Promise<void>;

/**
 * The side of a cloud that says who a workload is. It never hears of the relying party: the two meet in
 * `Identity` alone, so N issuers and M relying parties give N x M kinds of link (house.md).
 */
export interface Issuer {
  /** Pure, and asked before anything exists: what only the cloud knows stands there as a `Ref`. */
  identify(link: Link): { readonly identity: Identity; readonly resources: readonly Resource[] };
  /** A real token, asked for like the workload would. Throws a `CloudError` (contract, section 7). */
  mint(ask: MintAsk, world: World): Promise<Token>;
  /** Why a mint failed; undefined where nothing more is known than the kind of error. */
  explainMint(ask: MintAsk, error: unknown): Finding | undefined;
  /** Gives the operator the right to mint, for the time of the proof; undefined where it was there already. */
  grantMint(ask: MintAsk, world: World): Promise<Undo | undefined>;
  /** Takes back a grant that a run left behind because it was killed. Returns what it was told to take back and did not. */
  recallGrant(link: Link, world: World): Promise<readonly Finding[]>;
  /**
   * In the sandbox a proof of somebody else, for the refusals. Left out where its tokens are JWTs, which the sandbox
   * mints for whomever it is told.
   */
  readonly mintAs?: (claims: Readonly<Record<string, unknown>>, ask: MintAsk, world: World) => Promise<Token>;
}

/** The live trust as its relying party understands it: the live spec of the resource that holds it. */
export interface TrustView {
  readonly link: Link;
  readonly live: Live;
  readonly lookup: Lookup;
  /** Whom the link is for; whoever asks about the trust alone leaves it out. */
  readonly identity?: Identity;
  /** The claims of a real token of the workload, where one was minted: they hold more than the file declares. */
  readonly base?: Readonly<Record<string, unknown>> | undefined;
  /** Epoch milliseconds: conditions on the time are judged by it. */
  readonly now?: number | undefined;
  /** Everything that was read, for what stands in other resources than the trust: bindings, other pool providers. */
  readonly all?: ReadonlyMap<Address, Live> | undefined;
  /** What the file wants at an address, references resolved; undefined where it names no such thing. */
  readonly desired?: ((address: Address) => Resource | undefined) | undefined;
  /** The claims to judge are those that the file declares: what is not among them is not known to be missing. */
  readonly declared?: true;
}

/** The side of a cloud that believes an identity and gives access for it. */
export interface RelyingParty {
  /** What must exist so that the identity is believed; the first resource is the one that holds the trust. */
  trust(link: Link, identity: Identity): readonly Resource[];
  /**
   * Whether a token with these claims would be let in. Pure, and the one such function of its party: proof,
   * explanation and the sandbox's own STS ask the same code, so they cannot disagree (house.md, "one judge").
   */
  judge(claims: Readonly<Record<string, unknown>>, view: TrustView): Judgement;
  /** Whomever the live trust admits beyond what the resolved desired resource does. */
  strangers(view: TrustView, desired: Resource): readonly Stranger[];
  /**
   * The claims of an outsider who must be turned away: a whole token in which nothing is the workload's but what all
   * tokens of its issuer have. Undefined where nothing is known of the issuer yet.
   */
  outsider(view: TrustView): Readonly<Record<string, unknown>> | undefined;
  /** Throws a `CloudError`; `denied` and `refused` are a definite no, any other class leaves it open. */
  exchange(ask: ExchangeAsk, token: Token, world: World): Promise<Session>;
  /** Throws where the cloud takes the session for somebody else: that is no proof (failures.md F21). */
  whoami(session: Session, ask: ExchangeAsk, world: World): Promise<string>;
  /** The code of a trust that cannot be judged from here. */
  readonly undecided: Code;
  /** Why an exchange was refused, condition by condition; undefined where only the kind of error is known. */
  explain(failed: Failed): Finding | undefined;
  /** What a proof must be made for where that is not the link's audience; undefined while it is not known. */
  readonly audience?: (link: Link, lookup: Lookup) => string | undefined;
  /** Milliseconds until a write must have become visible; left out, AWS's two minutes. */
  readonly visibleAfter?: number;
}

/** A refused exchange: the trust as read, and what the token claimed. */
export interface Failed {
  readonly view: TrustView;
  readonly error: unknown;
  readonly claims: Readonly<Record<string, unknown>>;
  /** The token's header, such as its `kid` and `alg`; left out where only claims are known. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** One thing to be written. */
export interface PutJob<S extends Spec = Spec> {
  /** Its references resolved. */
  readonly desired: Resource<S>;
  /** As the plan read it; `absent` where the old one was just deleted to be replaced. */
  readonly live: Live<S>;
  /** The mark to leave behind when the last part is written; until then its `put` is `-`. */
  readonly mark: Mark;
}

/** How things of a kind are read: one, many, and those that nobody names any more. Nothing here writes. */
export interface Reader<S extends Spec = Spec> {
  /**
   * The thing as it is. `hints` are ids that the marks of its dependants remember, for what can no longer be
   * found by name. Throws where it cannot tell: only a definite "not found" is absent.
   */
  read(desired: Resource<S>, hints: readonly string[], world: World): Promise<Live<S>>;
  /**
   * Many at once, in a few calls. What is not in the answer is read one by one, so only what is there for certain
   * belongs into it. Throws like `read`.
   */
  readMany?(desired: readonly Resource<S>[], world: World): Promise<ReadonlyMap<Address, Live<S>>>;
  /** Things that carry `owner`'s mark in the scopes of the file and are not named by it. */
  list(seek: Seek<S>, world: World): Promise<Leftovers>;
}

/** What to look for that no link names any more, and what is known of it. */
export interface Seek<S extends Spec = Spec> {
  readonly owner: string;
  /** What the file names of this kind. */
  readonly named: readonly Resource<S>[];
  /** What it names of the whole party: in the same accounts and projects things of this kind may be left, too. */
  readonly beside: readonly Resource[];
  /** Whether some mark remembers a thing at this address that the file no longer names; `unnamed`: how many such. */
  readonly remembered: { readonly unnamed: number; readonly has: (address: Address) => boolean };
}

/**
 * A kind of resource: the only code that writes. `put` is one flow: observe, ensure, sync, return. Another
 * run may be at the same thing, so "already exists" and "not found" are races, not failures (house.md).
 */
export interface Kind<S extends Spec = Spec> extends Reader<S> {
  /** `party:kind`, the head of its addresses. */
  readonly name: string;
  /** What people call it: `aws role`. */
  readonly label: string;
  /** Paths that cannot change while the thing lives: a difference there is a `replace`. */
  readonly immutable?: readonly string[];
  /**
   * A thing too small to carry a mark, such as one statement or one member: an equal one is kept, never
   * foreign. Whether the file or the cloud changed cannot be told of it, so every difference counts as drift.
   */
  readonly unmarked?: true;
  /** It is written into something that is only used, so making one needs consent by name. */
  readonly onUsed?: true;
  /** It can be switched off instead of deleted, and keeps its identity then. */
  readonly disables?: true;
  /**
   * What is left of a thing when a removal has taken all parts off it that go before it; left out where one call removes
   * it. The mark holds a fingerprint of it from before the first part goes, so that a run that is cut off can go on.
   */
  leaving?(spec: S): Json;
  /** Brought back, it lets in whoever it let in before: that takes consent, and what names it goes first. */
  readonly wakes?: true;
  /** Gives back what is there then, outputs included: what refers to it is written next. */
  put(job: PutJob<S>, world: World): Promise<LivePresent<S>>;
  /**
   * By the id that was read, so that a namesake made meanwhile stays; what is gone already is done. Findings say what
   * had to stay, and why.
   */
  remove(target: Removal<S>, world: World): Promise<readonly Finding[]>;
  /** Left out, member by member. `equal` is the plan's: members in any order, lists as sets. */
  differ?(desired: S, live: S, equal: Equal): readonly Difference[];
  /**
   * The breadth and the privilege that a live thing has, each as the `of` of a `Decision`: what is live is not asked for
   * again.
   */
  holds?(spec: S): readonly string[];
  /**
   * Whether a change lets somebody in who does not get in now. Undefined where a change of this kind never does, or where
   * another consent is about just that. Pure.
   */
  widens?(change: Change, around: Around): Widening | undefined;
  /** Commutative, associative, idempotent: the order of links means nothing. Left out: a conflict. */
  combine?(a: S, b: S): S | Conflict;
}

/** What a change does to who gets in, found by outsiders before and after it. */
export interface Widening {
  readonly direction: "widens" | "narrows" | "neutral" | "undecided";
  /** Somebody who gets in after it and not before, as an example. */
  readonly who?: string;
  /** What could not be decided. */
  readonly why?: string;
}

/** What is changed beside a change, or stays. */
export interface Around {
  readonly changes: readonly Change[];
  /** A copy with every known reference replaced. */
  readonly resolve: <T>(value: T) => T;
}

/** Handed in, because kinds may not import the plan. */
export type Equal = (a: unknown, b: unknown) => boolean;

/** What is ours and named by no link any more. */
export interface Leftovers {
  readonly found: readonly { readonly address: Address; readonly live: LivePresent; readonly access?: Access }[];
  /** Where was looked, in words: `aws 111122223333 /crosstrust/`. What lies elsewhere is not seen. */
  readonly scopes: readonly string[];
  readonly findings: readonly Finding[];
}

/** One thing to be taken away, as it was read for the plan. */
export interface Removal<S extends Spec = Spec> {
  readonly address: Address;
  readonly live: LivePresent<S>;
  /** `release` gives an adopted thing back; `disable` keeps it, switched off. */
  readonly how: "delete" | "release" | "disable";
  /** What the mark says while the thing is taken apart, where its kind has `leaving`. */
  readonly leaving?: string;
  readonly access?: Access;
}

/** Why two specs cannot be one: the member, and what each wants of it. */
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

/** Whose functions they are, and what they will have to do with (reliability-and-security.md, 4.4 and 4.5). */
export interface ControlAsk {
  readonly deployment: string;
  readonly control: Control;
  /** Whom each function speaks as, and for which audience. */
  readonly identities: { readonly checker: Identity; readonly provisioner: Identity };
  readonly audience: string;
  /** Everything the file wants. */
  readonly resources: readonly Resource[];
  /** Links that nobody mints for. */
  readonly judged: readonly string[];
  /** What `readControl` of the same party gave; empty where nothing was read. */
  readonly documents: ReadonlyMap<string, string | undefined>;
}

/** The things that the functions of a deployment need, and what is to be said of them. */
export interface ControlWanted {
  readonly resources: readonly Resource[];
  readonly findings: readonly Finding[];
}

/** What was read for a plan, and what the file says of those who may act in place of its links. */
export interface AuditAsk {
  /** Every link of the file. */
  readonly links: readonly Link[];
  /** Those that are looked at; empty means all. */
  readonly only: readonly string[];
  /** What those need. */
  readonly resources: readonly Resource[];
  /** Everything the file wants, its references symbolic. */
  readonly desired: readonly Resource[];
  readonly live: ReadonlyMap<Address, Live>;
  readonly control?: Control | undefined;
  /** Members that the file lists; undefined where it has no such list. */
  readonly speakers?: readonly string[] | undefined;
  /** What a link grants, in words that may be printed: `role reports-reader (AmazonS3ReadOnlyAccess)`. */
  readonly grants: (link: Link) => string;
}

/** Who else may act as what a file relies on, in the accounts and projects themselves. Nothing of it is ever changed. */
export interface Audit {
  /** What is to be decided. */
  readonly findings: readonly Finding[];
  /** What is usual, and shown to whoever looks: named administrators and the like, a hint each with its `of`. */
  readonly inventory: readonly Finding[];
  /** What may not be looked at. */
  readonly unwatched: readonly Unwatched[];
  /** Readings that failed for the moment: of these links it cannot be told who may act as them. */
  readonly failed: readonly {
    readonly address: Address;
    readonly links: readonly string[];
    readonly error: unknown;
  }[];
}

/**
 * A party: what it may be in a link, the kinds it owns, and the words for its side. The rooms receive a list
 * of these; a new cloud is one folder and one line in that list (house.md).
 */
export interface Party {
  readonly name: string;
  /** The texts that people meet of it and of its clients, for whoever has nothing else in hand. */
  readonly messages?: readonly KnownMessage[];
  readonly issuer?: Issuer;
  readonly relying?: RelyingParty;
  /** A kind comes after those its specs refer to: deletions run through the list backwards. */
  readonly kinds: readonly Kind[];
  /** How people call its side of a link: `reports@acme-prod`, `role reports-reader`. */
  readonly title: (link: Link, side: "from" | "to") => string;
  /** The identity that a side is, spelled alike at either end of a link; undefined where no other could begin with it. */
  readonly identityName?: (link: Link, side: "from" | "to") => string | undefined;
  /** Rules that need no cloud; an error ends the command before it contacts anything. */
  readonly lint: (link: Link, identity: Identity) => readonly Finding[];
  /** The same over all links of a file, for what only several of them together say. */
  readonly lintAll?: (links: readonly Link[], identityOf: (link: Link) => Identity) => readonly Finding[];
  /**
   * What is wrong with one of its things by itself, as the file wants it or, with `live`, as it is. Pure. A rule here
   * speaks of what a link becomes, where `lint` speaks of what the file says.
   */
  readonly review?: (resource: Resource, live?: LivePresent, absent?: readonly Address[]) => readonly Remark[];
  /** What must be in place before anything is made: asked with the credentials at hand, changing nothing. */
  readonly preflight: (resources: readonly Resource[], world: World) => Promise<readonly Preflight[]>;
  /** What the functions need in its accounts and projects, and no more: their roles, their grants. Pure. */
  readonly control?: (ask: ControlAsk) => ControlWanted;
  /** Reads what `control` depends on and the file does not say, such as the documents of managed policies. */
  readonly readControl?: (resources: readonly Resource[], world: World) => Promise<ControlAsk["documents"]>;
  /** What must exist before these changes can be made, and does not, and is made by another command. Left out: nothing. */
  readonly lacks?: (changes: readonly Change[], world: World) => Promise<readonly Finding[]>;
  /** What a side of a link makes a run do on the machine that it runs on. Left out: nothing. Pure. */
  readonly effects?: (link: Link, side: "from" | "to") => readonly Omit<LocalEffect, "link">[];
  /** What remains to be done by people for a link to be used. */
  readonly nextSteps: (link: Link) => readonly string[];
  /** What became of things outside since the last health check; it may remember in `world.store`, and nowhere else. */
  readonly watch?: (live: ReadonlyMap<Address, Live>, world: World) => Promise<readonly Finding[]>;
  /** Who may act as what the file relies on, beside the file. Reads once per account, project and pool, never per link. */
  readonly audit?: (ask: AuditAsk, world: World) => Promise<Audit>;
  /**
   * Whether the credentials at hand belong to the accounts and projects of these resources. An error here
   * stops everything: in a wrong account each thing would read as absent, and be made there.
   */
  readonly reach: (resources: readonly Resource[], world: World) => Promise<readonly Finding[]>;
}
