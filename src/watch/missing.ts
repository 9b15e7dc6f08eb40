import type { Finding, Memory } from "../model.ts";

/** Runs that may be missed before silence is news itself (reliability-and-security.md, 4.3, T12). */
const patience = 3;

/** ISO 8601: no report by then means that nobody is watching. */
export const nextExpectedBy = (at: string, every: number): string =>
  new Date(Date.parse(at) + patience * every * 60_000).toISOString();

/**
 * Silence, as a finding: no run for too long, or none that could tell anything about some link. An alert would say that a
 * link is broken; of this one nobody knows.
 */
export function healthMissing(memory: Memory, now: number): Finding | undefined {
  const late = (at: string): boolean => Date.parse(nextExpectedBy(at, memory.every)) < now;
  if (late(memory.at)) return stale(`the last run was at ${memory.at}, and one is due every ${memory.every} minutes`);
  const blind = Object.entries(memory.links).filter(([, { told }]) => late(told.at));
  if (blind.length === 0) return undefined;
  const links = blind.map(([name]) => name);
  const oldest = blind.map(([, { told }]) => told.at).sort()[0];
  return { ...stale(`of ${links.join(", ")} nothing could be told since ${oldest}`), links };
}

const stale = (says: string): Finding => ({
  ...{ code: "HEALTH-STALE", severity: "warning", at: {}, says, because: [] },
  fix: ["look whether the schedule runs and what the log of the function says", "crosstrust health"],
});
