import type { Address, Json } from "./basics.ts";
import type { Finding } from "./finding.ts";
import type { Access, Live, Resource } from "./resource.ts";

export interface Difference {
  readonly path: string;
  readonly desired: Json | undefined;
  readonly live: Json | undefined;
  /**
   * What the live side does that the desired side does not: `opens` lets somebody in, `loosens` lets the right one in
   * for more, `grants` allows more, `narrows` shuts somebody out.
   */
  readonly weight?: "opens" | "loosens" | "grants" | "narrows";
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
