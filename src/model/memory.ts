import type { Verdict } from "./proof.ts";

/** Why a link fares badly, without what differs from run to run: one cause, one alert, however many links it hits. */
export interface Ailment {
  /** Code of the finding that explains it; where none does the verdict, and of a difference how grave it is. */
  readonly what: string;
  /** The account, project or issuer where it is, such as `aws 111122223333`: what links have in common. */
  readonly where: string;
}

/** One incident: from the run that confirmed it to the run that found all its links mended. */
export interface Alert {
  /** 12 hex, another one for each incident. */
  readonly id: string;
  readonly cause: Ailment;
  /** `security` where a stranger gets in: it waits for no second run. */
  readonly severity: "error" | "security";
  /** Those it hits now. */
  readonly links: readonly string[];
  /** ISO 8601: when it was first seen, which is a run before it was confirmed. */
  readonly since: string;
  /** What was changed, where the cause is a difference: the first few, in names that nobody could choose. */
  readonly shows?: readonly string[];
  /** Hashes of what it is about, where it is about findings and not about how its links fare. */
  readonly of?: readonly string[];
}

/** What is said to people: an alert opens, takes in more links, closes; each is said once. */
export interface Notice {
  readonly state: "opened" | "grew" | "closed";
  readonly alert: Alert;
  /** ISO 8601 */
  readonly at: string;
}

/** A notice that not everybody has been told of yet. */
export interface Undelivered extends Notice {
  readonly to: readonly ("log" | "webhook")[];
}

/** What is remembered of one link. Times are ISO 8601. */
export interface LinkMemory {
  /** The confirmed one, and since when. */
  readonly verdict: Verdict;
  readonly since: string;
  /** The last run that could tell, confirmed or not. */
  readonly told: { readonly at: string; readonly verdict: Verdict; readonly causes: readonly Ailment[] };
  readonly good?: { readonly at: string; readonly fingerprint: string };
  /** Of the last runs, the newest last, those that could not tell included. */
  readonly history: readonly Verdict[];
}

/**
 * What outlives a run: for `since`, for damping and for alerts. No verdict is ever made of it, so whoever edits it
 * hides nothing (reliability-and-security.md, 4.3, T13).
 */
export interface Memory {
  /** ISO 8601 of the last run that was remembered. */
  readonly at: string;
  /** Minutes from run to run. */
  readonly every: number;
  readonly links: Readonly<Record<string, LinkMemory>>;
  readonly alerts: readonly Alert[];
  /** By the place of a finding, hashes of whom and what was seen there: what is not among them is new. */
  readonly noted?: Readonly<Record<string, readonly string[]>>;
  readonly outbox: readonly Undelivered[];
}
