import type { Change } from "./change.ts";
import type { Code } from "./codes.ts";
import type { Evidence, Finding, Unwatched } from "./finding.ts";

/**
 * A minted token. `text` is a secret: of all of `say` only the view of one token gets it, to print a hash.
 * Claims and header are decoded, not verified: whoever receives the token verifies it.
 */
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
  /** Who it speaks as, as far as its source tells; may be empty. */
  readonly principal: string;
  /** What is known about them and is no secret: where they came from, the quota project. */
  readonly about?: Readonly<Record<string, string>>;
  /** Epoch milliseconds; absent where the credentials do not expire. */
  readonly expiresAt?: number;
}

/** The judge's answer, and the comparisons of the statement that decided or came nearest. */
export interface Judgement {
  readonly allow: boolean | "unknown";
  readonly rows: readonly Evidence[];
  /** Why it is unknown, where it is. */
  readonly unknown?: readonly string[];
}

/**
 * Somebody whom a live trust lets in although the file does not; `claims` would be accepted. Found by trying
 * them on the judge, so it holds however the policy is written (reliability-and-security.md, 6.2).
 */
export interface Stranger {
  readonly who: string;
  readonly code: Code;
  /** It cannot be told whether anybody is let in: never taken for a proof that nobody is. */
  readonly unsure?: true;
  /** Absent where the stranger needs no token of this issuer, e.g. an AWS principal. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** Mind `refuse`: there `ok` means that others were turned away, and `no` that one was let in. */
export interface Hop {
  readonly step: "mint" | "exchange" | "whoami" | "refuse";
  /** `no` is a definite answer of the cloud; what could not be told, or was not allowed, is `unknown`. */
  readonly result: "ok" | "no" | "unknown" | "skipped";
  /** `judged`: decided over the live trust, with no token sent. Absent where a step was skipped or failed. */
  readonly how?: "proved" | "judged";
  /** Milliseconds, whole. */
  readonly ms: number;
  /** What came of it, in words that may be printed: a principal, whoever was turned away, the reason. */
  readonly saw: string;
  /** Code of the finding that explains a result other than ok. */
  readonly finding?: string;
}

/**
 * How a link fares, worst first: a stranger let in outranks a broken link.
 *
 * - `open`: somebody whom the file does not name was let in, or would be
 * - `broken`: a step got a definite no
 * - `drifted`: no step failed, and something differs from the file
 * - `unknown`: it could not be told; never counted as works (contract, section 4)
 * - `unproved`: nothing can mint for it, and the judge admits what the file declares
 * - `works`: minted, exchanged, recognised, and others turned away
 */
export type Verdict = "open" | "broken" | "drifted" | "unknown" | "unproved" | "works";

/** The proof of one link: its hops in the order mint, exchange, whoami, refuse. */
export interface Trace {
  readonly link: string;
  readonly hops: readonly Hop[];
  readonly findings: readonly Finding[];
}

/** One line of a health report. */
export interface LinkHealth {
  readonly link: string;
  readonly verdict: Verdict;
  readonly hops: readonly Hop[];
  /** What of this link differs from the file: `keep` is not among them. */
  readonly changes: readonly Change[];
  /** ISO 8601, out of the memory and for show alone: since when it fares like this, and when it last fared well. */
  readonly since?: string;
  readonly lastGood?: string;
}

/**
 * Everything a check found. Each verdict comes from what is live now, never from an earlier report: whoever
 * could edit stored state would else silence the check (reliability-and-security.md, 4.3, T13).
 */
export interface Health {
  /** ISO 8601. */
  readonly at: string;
  readonly verdict: Verdict;
  readonly ms: number;
  /** Of the plan that went with it: the same as last time means that nothing that was looked at has changed. */
  readonly fingerprint: string;
  readonly links: readonly LinkHealth[];
  readonly findings: readonly Finding[];
  /**
   * Who else may act as what the links rely on, as is usual: administrators, default accounts, service agents. It is
   * shown to whoever looks at a link or at the page, and changes no verdict, exit code or line of text.
   */
  readonly inventory?: readonly Finding[];
  /** What this check may not look at: `NOT-WATCHED` among the findings says it once. */
  readonly unwatched?: readonly Unwatched[];
}
