import type { Change } from "./change.ts";
import type { Evidence, Finding } from "./finding.ts";

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
  /** It cannot be told whether anybody is let in: never taken for a proof that nobody is. */
  readonly unsure?: true;
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
