import type { Bench } from "../support/bench.ts";

/** A documented set-up that must stay quiet, or the half of one that lets somebody in. */
export interface SetUp {
  /** What tells this set-up from others of its row. */
  readonly title: string;
  /** The links of the federation file, indented as in the file. */
  readonly links: string;
  /** What others have in the accounts and projects before the links are made. */
  readonly before?: (b: Bench) => Promise<void>;
  /** Links that adopt a part of it. */
  readonly adopts?: readonly string[];
}

/** Claims of a token as its issuer writes them; those that every token has (times, ids of the run) are added. */
export type Claims = Readonly<Record<string, unknown>>;

/** The half that must stay quiet. */
export interface Right extends SetUp {
  /** What lint says above a hint: `warning AWS-MUTABLE-NAME`. Each security finding is accepted once. */
  readonly lint: readonly string[];
  /** Codes of hints that the row names. */
  readonly hints?: readonly string[];
  readonly verdict: "works" | "unproved";
  /** Real-shaped tokens that the first link admits, and others that get nothing by it. */
  readonly admits?: readonly Claims[];
  readonly refuses?: readonly Claims[];
}

/** The half that lets somebody in. */
export interface Open extends SetUp {
  /** Links that lint stops as an error with this code, so that only a live edit makes the half. */
  readonly stopped?: { readonly by: string; readonly links: string };
  /** What somebody does to what was made. */
  readonly edit?: (b: Bench) => Promise<void>;
  /** The code by which health tells of the outsider. */
  readonly told: string;
}

/** What cannot be tested yet, and the issue that builds it. */
export interface Pending {
  readonly issue: string;
  readonly what: string;
}

export interface Row {
  /** The number of the table. */
  readonly row: number;
  readonly title: string;
  readonly right: readonly Right[];
  readonly open: readonly Open[];
  /** Set-ups that lint stops with an error of this code. */
  readonly stopped?: readonly (SetUp & { readonly by: string })[];
  readonly pending?: readonly Pending[];
}
