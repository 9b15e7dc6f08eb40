import type { Address } from "./basics.ts";
import type { Change } from "./change.ts";
import type { Code } from "./codes.ts";
import type { Asks, Evidence, Finding, Unwatched } from "./finding.ts";

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
 * Somebody whom a live trust lets in although the file does not mean it; `claims` would be accepted. Found by trying
 * them on the judge, so it holds however the policy is written (reliability-and-security.md, 6.2).
 */
export interface Stranger {
  readonly who: string;
  readonly code: Code;
  /** It cannot be told whether anybody is let in: never taken for a proof that nobody is. */
  readonly unsure?: true;
  /** The stranger gets a token of the pool, and nothing is granted to it there: breadth, and no witness. */
  readonly enters?: true;
  /** Nothing that the trust names tells it apart from anybody else: no owner of a shared thing can have meant it. */
  readonly unnamed?: boolean;
  /** Absent where the stranger needs no token of this issuer, e.g. an AWS principal. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `who` is one of many who get in the same way. */
  readonly example?: true;
  /** The value that lets it in, as it is shown: what an `accept` is pinned to. */
  readonly of?: string;
  /** How it gets from its token to what the link grants, step by step; left out, the token is enough. */
  readonly path?: readonly string[];
  /** The workload of the file itself in another situation, such as another branch: beyond the file, and no outsider. */
  readonly within?: true;
  /** What helps; left out, `apply` repairs it, because the file does not let the stranger in. */
  readonly fix?: readonly string[];
  /** The name that it gives its session, where the trust asks for one. */
  readonly sessionName?: string;
  /** Another resource than the link's trust that believes it, such as another pool provider. */
  readonly at?: Address;
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
 * How a link fares, worst first (contract, section 4): an outsider let in outranks a broken link.
 *
 * - `open`: a witness shows that somebody whom the file does not name gets in
 * - `broken`: a step got a definite no
 * - `drifted`: no step was refused, and something differs from the file
 * - `absent`: the link is not made, or not made whole, and nothing else is wrong with it
 * - `unknown`: a premise of `works` is missing; never counted as works
 * - `unproved`: nothing can mint for it, and the judge admits what the file declares
 * - `works`: minted, exchanged, recognised, and others turned away
 */
export const verdicts = ["open", "broken", "drifted", "absent", "unknown", "unproved", "works"] as const;
export type Verdict = (typeof verdicts)[number];

/**
 * A premise of `works` that does not hold, or is not known to hold.
 *
 * - `closed`: no outsider gets in
 * - `faultless`: no finding says that the link cannot work
 * - `read`: everything the link needs was read
 * - `unchanged`: nothing differs from the file
 * - `mint`, `exchange`, `whoami`, `refuse`: the step of that name went well
 */
export interface MissingPremise {
  readonly premise: "closed" | "faultless" | "read" | "unchanged" | Hop["step"];
  /** What is there in its place. */
  readonly says: string;
  /** Code of the finding that tells more. */
  readonly finding?: string;
  /** The exit code that it asks for where the verdict alone does not say. */
  readonly asks?: Asks;
}

/** What a run comes to: everything that says how it went is taken from here (`verdict/run.ts`). */
export interface Conclusion {
  readonly verdict: Verdict;
  readonly exit: number;
  /** Every link works or is unproved: the answer to `?strict`. */
  readonly healthy: boolean;
  /** Severity of the run's log line. */
  readonly log: "INFO" | "NOTICE" | "WARNING" | "ERROR";
  /** Security findings without a witness that the file does not accept: they change no verdict, and are always said. */
  readonly undecided: number;
  /** One sentence without its full stop. */
  readonly says: string;
}

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
  /** Empty for `works` and `unproved`. */
  readonly missing: readonly MissingPremise[];
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
export interface Health extends Conclusion {
  /** ISO 8601. */
  readonly at: string;
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
