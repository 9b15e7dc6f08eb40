import type { Address, Json } from "./basics.ts";
import type { Finding } from "./finding.ts";
import type { Access, Live, Resource } from "./resource.ts";

/**
 * One member in which a thing is not as the file says: `path` is dotted, into the spec or as the kind calls
 * it (`trust.<condition key>`, `may.<policy>`), and a side that lacks the member is undefined.
 */
export interface Difference {
  readonly path: string;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  /**
   * What the live side does that the desired side does not: `opens` lets somebody in, `loosens` lets the
   * right one in for more, `grants` allows more, `narrows` shuts somebody out.
   */
  readonly weight?: "opens" | "loosens" | "grants" | "narrows";
}

/**
 * What is to be done about one thing: a closed sum, so that whoever handles changes handles all of them.
 *
 * - `keep`: as it should be; apply at most refreshes a stale mark, and the plan does not show it
 * - `create`, `update`, `delete`: what they say, and only to what is ours
 * - `restore`: it was deleted and can come back, with the identity that others still trust
 * - `replace`: it differs in something that cannot change while it lives: deleted and made anew
 * - `adopt`: it exists without our mark; taking it over needs `--adopt`
 * - `release`: it was adopted and is no longer wanted: given back as it is
 */
export type Verb = "keep" | "create" | "restore" | "update" | "replace" | "delete" | "adopt" | "release";
/**
 * Why a thing of ours differs (the table is in `plan/compare.ts`): the file changed (`edited`), the cloud did
 * (`drifted`), `both` did, something it refers to did (`moved`), or a run was cut off (`unfinished`).
 */
export type Cause = "edited" | "moved" | "drifted" | "both" | "unfinished";

/** One thing of the plan, `keep` included: a plan says of everything it looked at what becomes of it. */
export interface Change {
  readonly address: Address;
  readonly verb: Verb;
  /** On `update` and `replace` alone. */
  readonly cause?: Cause;
  /** All links of the file that need it; empty for a leftover that none names any more. */
  readonly links: readonly string[];
  readonly differences: readonly Difference[];
  /** Absent for `delete` and `release`. */
  readonly desired?: Resource;
  /** As it was read for this plan: part of the fingerprint, so the plan goes stale with it. */
  readonly live: Live;
  /** For leftovers, which have no desired resource that would say how to reach them. */
  readonly access?: Access;
}

/**
 * A list holds link names, so that what was meant for one link cannot let another through (`replace` holds addresses,
 * because a thing may belong to several links); `--yes` stands in for none of them, and a plan's fingerprint covers them
 * all (contract, section 2).
 */
export interface Consents {
  /** Take over what exists and is not ours, or write into what is only used. */
  readonly adopt: readonly string[];
  /** Take something over although a part of what it was cannot be kept, and will not come back. */
  readonly adoptForget: readonly string[];
  /** Addresses of things that may be deleted and made anew. */
  readonly replace: readonly Address[];
  /** How many things that no link names may be deleted: exactly as many as the plan shows, or none are. */
  readonly prune?: number;
  /** Let the trust of something that exists admit somebody new. */
  readonly allowWiden: readonly string[];
  readonly allowBroadSubject: readonly string[];
  readonly allowPrivileged: readonly string[];
  /** Bring soft-deleted pools back; their old tokens work again (reliability-and-security.md, 2.3). */
  readonly undelete: boolean;
  /** Let the operator mint for the time of the proof (contract, section 7). */
  readonly grantMe: boolean;
}

/**
 * Something that the file makes a run do on the machine that it runs on, and for whom: start a program, open a file, read a
 * variable, use a profile, send what came of it. In the sandbox none of it is done.
 */
export interface LocalEffect {
  /** The link it is done for; absent where it is done for the whole file. */
  readonly link?: string;
  readonly verb: "execute" | "open" | "read" | "use" | "send";
  /** A command line, a path, the name of a variable or of a profile: never a secret. */
  readonly what: string;
  /** Who is given what comes of it. */
  readonly to: string;
}

/** What would change, as pure data: it can be shown, hashed, and asked for again by its fingerprint. */
export interface Plan {
  readonly deployment: string;
  /** SHA-256, 64 hex, over changes (desired symbolic, and live), consents, named links and tool version. */
  readonly fingerprint: string;
  readonly changes: readonly Change[];
  /** In the order they are made; those of one wave do not depend on each other. Deletions come after them. */
  readonly waves: readonly (readonly Address[])[];
  /** What carries things that are yet to be made: its mark says unfinished until they are. */
  readonly open: readonly Address[];
  /** Whether things that no link names are deleted: their number was agreed to. Else they stay. */
  readonly prunes: boolean;
  /** Things that may be deleted and made anew: those that were agreed to. */
  readonly replaces: readonly Address[];
  /** Whatever a former file left was looked for, so that it need not be remembered any longer. */
  readonly swept: boolean;
  /** What proving the links does on the machine that does it; part of the fingerprint. */
  readonly effects: readonly LocalEffect[];
  /** What could not be read, of the named links where some are named: nothing is known about it. */
  readonly unread: readonly Pick<Resource, "address" | "links">[];
  readonly findings: readonly Finding[];
}
