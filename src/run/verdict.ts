import type { Change, Trace, Verdict } from "../model.ts";

/** Worst first (contract, section 4). */
export const verdicts: readonly Verdict[] = ["open", "broken", "drifted", "unknown", "unproved", "works"];

/**
 * `changes`: what differs from the file; `unread`: something that the link needs could not be read. Worst
 * first: what could not be told never counts as works (contract, section 4).
 */
export function verdictOf(trace: Trace, changes: readonly Change[], unread: boolean): Verdict {
  const results = new Map(trace.hops.map((hop) => [hop.step, hop]));
  if (results.get("refuse")?.result === "no") return "open";
  if (trace.hops.some(({ result }) => result === "no")) return "broken";
  if (changes.length > 0) return "drifted";
  if (unread || trace.hops.some(({ result }) => result === "unknown")) return "unknown";
  const exchange = results.get("exchange");
  if (exchange?.how === "judged") return "unproved";
  return exchange?.result === "ok" && results.get("whoami")?.result === "ok" ? "works" : "unknown";
}

/** The verdict of several links together; `works` where there are none. */
export const worst = (all: readonly Verdict[]): Verdict => verdicts.find((verdict) => all.includes(verdict)) ?? "works";
