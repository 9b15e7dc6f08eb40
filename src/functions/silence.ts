import type { Finding, Memory, World } from "../model.ts";
import { recalled } from "../watch/memory.ts";
import { healthMissing } from "../watch/missing.ts";

export const memoryName = "health-memory";

/** What the memory says, and what is wrong with the last report: that it is the last for too long. */
export interface Silence {
  readonly memory: Memory | undefined;
  readonly stale: Finding | undefined;
}

/** Of a report that is about to be shown. A memory that is gone does not hide that nobody reports any more. */
export async function silenceOf(world: World, report: { readonly nextExpectedBy?: string }): Promise<Silence> {
  const now = world.clock.now();
  const memory = recalled(await world.store.read(memoryName));
  if (memory) return { memory, stale: healthMissing(memory, now) };
  const late = report.nextExpectedBy !== undefined && Date.parse(report.nextExpectedBy) < now;
  // Before three runs of one minute: whatever the schedule was, the promised time is over.
  const at = new Date(Date.parse(report.nextExpectedBy ?? "") - 3 * 60_000);
  const empty = { every: 1, links: {}, alerts: [], outbox: [] };
  return { memory, stale: late ? healthMissing({ ...empty, at: at.toISOString() }, now) : undefined };
}
