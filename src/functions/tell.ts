import type { LinkHealth, Plan, Verdict } from "../model.ts";
import { log, type Severity } from "./log.ts";

/** Drift is not an outage, and what could not be told may be well: the alerting decides after several runs. */
const severities: Readonly<Record<Verdict, Severity>> = {
  works: "INFO",
  unproved: "INFO",
  drifted: "WARNING",
  unknown: "WARNING",
  broken: "ERROR",
  open: "ERROR",
};

export const countsOf = <T extends string>(all: readonly T[]): Partial<Record<T, number>> =>
  all.reduce<Partial<Record<T, number>>>((counts, one) => Object.assign(counts, { [one]: (counts[one] ?? 0) + 1 }), {});

/** A run, for those who read logs: what it was, how it came out, how long it took. */
export interface Told {
  readonly event: "crosstrust.health" | "crosstrust.apply";
  readonly deployment: string;
  readonly links: readonly LinkHealth[];
  readonly verdict: Verdict;
  readonly ms: number;
}

/** One line for each link, and one for the run. */
export function tellLinks(told: Told): void {
  tellEach(told);
  tellRun(told);
}

/** A line for each link, which a log-based metric can count by link and verdict. */
export function tellEach({ deployment, links }: Pick<Told, "deployment" | "links">): void {
  for (const { link, verdict, hops, changes } of links) {
    const took = hops.reduce((sum, hop) => sum + hop.ms, 0);
    const about = { deployment, link, verdict, ms: Math.round(took), changes: changes.length };
    log(severities[verdict], `link ${link} ${verdict}`, { event: "crosstrust.link", ...about });
  }
}

export function tellRun({ event, deployment, links, verdict, ms }: Told): void {
  const counts = countsOf(links.map((link) => link.verdict));
  const about = { deployment, verdict, links: links.length, counts, ms: Math.round(ms) };
  log(severities[verdict], `${event.replace("crosstrust.", "")} of ${deployment}: ${verdict}`, { event, ...about });
}

/** What was planned or is about to be applied, by verb. */
export function tellPlan(says: string, { deployment, changes, fingerprint }: Plan): void {
  const counts = countsOf(changes.map(({ verb }) => verb));
  log("INFO", says, { event: "crosstrust.plan", deployment, counts, plan: fingerprint.slice(0, 16) });
}
