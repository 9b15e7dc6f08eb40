import { keepOutbox, rememberRun } from "../crosstrust/memory.ts";
import type { Federation, Health, World } from "../model.ts";
import { type Leased, leased } from "../run/lease.ts";
import { dated } from "../watch/memory.ts";
import { nextExpectedBy } from "../watch/missing.ts";
import { deliver, line } from "./alerts.ts";
import { memoryName } from "./silence.ts";

/** Longer than a function may run as it is deployed. */
const lease = { name: "health-lease", ms: 10 * 60_000 };

/** A report with what the memory adds to it. */
export interface Watched {
  readonly health: Health;
  /** ISO 8601: no report by then is news (reliability-and-security.md, 4.3, T12). */
  readonly nextExpectedBy: string;
  /** False where this run could not be remembered: the report holds all the same. */
  readonly stateSaved: boolean;
}

type Where = { readonly world: World; readonly federation: Federation };

/** Minutes from run to run: as the file says it, else CROSSTRUST_EVERY, else five. */
const everyOf = ({ schedule }: Federation): number => {
  const given = schedule ?? Number(process.env.CROSSTRUST_EVERY);
  return Number.isFinite(given) && given >= 1 ? given : 5;
};

/** Out of the variable that the file names, else CROSSTRUST_WEBHOOK. */
const webhookOf = ({ webhook }: Federation): string | undefined =>
  process.env[webhook ?? "CROSSTRUST_WEBHOOK"] || undefined;

/**
 * A check of all links as the schedule runs it: alone, remembered, and what is new is said. Neither the memory nor a
 * webhook can fail it, or change a verdict.
 */
export function watchRun({ world, federation }: Where, check: () => Promise<Health>): Promise<Leased<Watched>> {
  return leased(world, lease, async () => {
    const health = await check();
    const every = everyOf(federation);
    const next = nextExpectedBy(health.at, every);
    const webhook = webhookOf(federation);
    const run = { health, links: federation.links, every };
    const told = { deployment: federation.name, webhook };
    try {
      const to = webhook ? (["log", "webhook"] as const) : (["log"] as const);
      const memory = await rememberRun(world, run, { name: memoryName, to });
      if (memory.outbox.length > 0) await keepOutbox(world, memoryName, await deliver(memory, told, world));
      return { health: dated(health, memory), nextExpectedBy: next, stateSaved: true };
    } catch {
      line({ severity: "WARNING", message: "this run is not remembered: the store does not answer" });
      return { health, nextExpectedBy: next, stateSaved: false };
    }
  });
}

/** One line a run, whatever came of it: its absence is what a policy waits for (docs/alerts.md). */
export const heartbeat = (deployment: string, { health, ...rest }: Watched): void =>
  line({
    ...{ severity: "INFO", message: `health ${health.verdict}`, event: "crosstrust.watch" },
    ...{ deployment, verdict: health.verdict, ...rest },
  });
