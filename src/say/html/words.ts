import type { HealthDocument, Hop, Verdict } from "../../model.ts";

/** How a verdict looks and what it says: the sign and the word carry it, the tone only repeats them. */
export interface Look {
  readonly sign: string;
  readonly tone: "good" | "note" | "warn" | "bad";
  readonly says: string;
}

export const looks: Readonly<Record<Verdict, Look>> = {
  open: { sign: "!", tone: "bad", says: "somebody gets in whom the file does not name" },
  broken: { sign: "✕", tone: "bad", says: "a workload is refused that should be let in" },
  drifted: { sign: "~", tone: "warn", says: "every step works, and something is not as the file says" },
  unknown: { sign: "?", tone: "warn", says: "it could not be told whether every link works" },
  unproved: { sign: "◇", tone: "note", says: "nothing can mint for a link: its trust was judged, and never used" },
  works: { sign: "✓", tone: "good", says: "every link works, and turns others away" },
};

/** Worst first, as a report is read. */
export const order: readonly Verdict[] = ["open", "broken", "drifted", "unknown", "unproved", "works"];

export const worstFirst = (links: HealthDocument["links"]): HealthDocument["links"] =>
  [...links].sort((one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict));

/** `1 open, 2 works` */
export const tally = (verdicts: readonly Verdict[]): string =>
  order
    .map((verdict) => [verdicts.filter((each) => each === verdict).length, verdict] as const)
    .filter(([number]) => number > 0)
    .map(([number, verdict]) => `${number} ${verdict}`)
    .join(", ");

/** How a step went. For `refuse`, ok means that others were turned away (model: Hop). */
export interface StepLook {
  readonly sign: string;
  readonly tone: "good" | "note" | "warn" | "bad" | "none";
  readonly word: string;
}

export function stepLook(hop: Hop | undefined): StepLook {
  if (!hop || hop.result === "skipped") return { sign: "–", tone: "none", word: "skipped" };
  if (hop.result === "no") return { sign: "✕", tone: "bad", word: hop.step === "refuse" ? "let in" : "refused" };
  if (hop.result === "unknown") return { sign: "?", tone: "warn", word: "could not tell" };
  if (hop.how === "judged") return { sign: "◇", tone: "note", word: "judged" };
  return { sign: "✓", tone: "good", word: `${hop.ms} ms` };
}

/** What the terminal would say to type next. */
export function nextCommands({ links, verdict }: HealthDocument, again: string): readonly string[] {
  const worst = links.find((link) => link.verdict === verdict);
  if (verdict === "works" || !worst) return [`crosstrust health${again}`];
  const differs = links.some((link) => link.changes.length > 0 || link.verdict === "open");
  return [`crosstrust explain ${worst.link}${again}`, ...(differs ? [`crosstrust plan${again}`] : [])];
}
