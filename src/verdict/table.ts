import { type Verdict, verdicts } from "../model.ts";
import { codes } from "./exit.ts";

/** Everything that follows from one verdict. Nothing else in crosstrust lists verdicts with what they mean. */
export interface Rating {
  /** The exit code, where nothing that comes earlier in the contract's order applies (contract, section 2). */
  readonly exit: number;
  /** The severity of the log line. Drift is no outage, and a check that could not tell says nothing about the link. */
  readonly log: "INFO" | "WARNING" | "ERROR";
  /** `well` answers `?strict` with 200. `sick` is worth an alert. A check that could not tell is neither. */
  readonly standing: "well" | "sick" | "unclear";
  /** How a terminal and the page show it: the sign and the word carry the meaning, the tone only repeats it. */
  readonly tone: "good" | "note" | "warn" | "bad";
  readonly sign: string;
  /** What it means for a whole run, as a sentence without its full stop. */
  readonly says: string;
  /** The same for one link. */
  readonly link: string;
}

export const ratings: Readonly<Record<Verdict, Rating>> = {
  open: {
    exit: codes.broken,
    log: "ERROR",
    standing: "sick",
    tone: "bad",
    sign: "!",
    says: "somebody gets in whom the file does not name",
    link: "this link admits somebody whom the file does not name",
  },
  broken: {
    exit: codes.broken,
    log: "ERROR",
    standing: "sick",
    tone: "bad",
    sign: "✕",
    says: "a workload is refused that should be let in",
    link: "this link is refused",
  },
  drifted: {
    exit: codes.differs,
    log: "WARNING",
    standing: "sick",
    tone: "warn",
    sign: "~",
    says: "no step was refused, and something is not as the file says",
    link: "something differs from the file",
  },
  absent: {
    exit: codes.differs,
    log: "WARNING",
    standing: "sick",
    tone: "warn",
    sign: "+",
    says: "a link of the file is not made, or not made whole",
    link: "this link is not made, or not made whole",
  },
  unknown: {
    exit: codes.untold,
    log: "WARNING",
    standing: "unclear",
    tone: "warn",
    sign: "?",
    says: "it could not be told whether every link works",
    link: "whether it works could not be told in full; try again",
  },
  unproved: {
    exit: codes.fine,
    log: "INFO",
    standing: "well",
    tone: "note",
    sign: "◇",
    says: "nothing can mint for a link: its trust was judged, and never used",
    link: "nothing can mint for this link: its trust was judged, and never used (prove: judge)",
  },
  works: {
    exit: codes.fine,
    log: "INFO",
    standing: "well",
    tone: "good",
    sign: "✓",
    says: "every link works, and turns others away",
    link: "this link works, and turns others away",
  },
};

/** Returns the worst of the given verdicts. Without any there is nothing to conclude from, so the answer is `unknown`. */
export const worst = (all: readonly Verdict[]): Verdict =>
  verdicts.find((verdict) => all.includes(verdict)) ?? "unknown";

/** Compares two verdicts for a sort that puts the worst first. */
export const byVerdict = (one: Verdict, other: Verdict): number => verdicts.indexOf(one) - verdicts.indexOf(other);

/** Returns how many there are of each verdict, the worst first, without those that do not occur: `1 open`, `2 works`. */
export const tallyOf = (all: readonly Verdict[]): readonly string[] =>
  verdicts
    .map((verdict) => [all.filter((one) => one === verdict).length, verdict] as const)
    .filter(([count]) => count > 0)
    .map(([count, verdict]) => `${count} ${verdict}`);
