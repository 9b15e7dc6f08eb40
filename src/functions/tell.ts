import type { Conclusion, LinkHealth, Plan } from "../model.ts";
import { ratings } from "../verdict/table.ts";
import { log } from "./log.ts";

export const countsOf = <T extends string>(all: readonly T[]): Partial<Record<T, number>> =>
  all.reduce<Partial<Record<T, number>>>((counts, one) => Object.assign(counts, { [one]: (counts[one] ?? 0) + 1 }), {});

/** A run, for those who read logs: what it was, how it came out, how long it took. */
export interface Told extends Pick<Conclusion, "verdict" | "log" | "undecided"> {
  readonly event: "crosstrust.health" | "crosstrust.apply";
  readonly deployment: string;
  readonly links: readonly LinkHealth[];
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
    log(ratings[verdict].log, `link ${link} ${verdict}`, { event: "crosstrust.link", ...about });
  }
}

export function tellRun({ event, deployment, links, verdict, undecided, ms, log: severity }: Told): void {
  const counts = countsOf(links.map((link) => link.verdict));
  const about = { deployment, verdict, links: links.length, counts, undecided, ms: Math.round(ms) };
  log(severity, `${event.replace("crosstrust.", "")} of ${deployment}: ${verdict}`, { event, ...about });
}

/** What was planned or is about to be applied, by verb. */
export function tellPlan(says: string, { deployment, changes, fingerprint }: Plan): void {
  const counts = countsOf(changes.map(({ verb }) => verb));
  log("INFO", says, { event: "crosstrust.plan", deployment, counts, plan: fingerprint.slice(0, 16) });
}
