import type { Ailment, Health, Link, LinkHealth, LinkMemory, Memory, Notice } from "../model.ts";
import { alertsAfter } from "./alerts.ts";
import { causesOf, isSick, type Sighting } from "./causes.ts";
import { newsAfter } from "./news.ts";

/** As many verdicts as are kept of a link. */
const kept = 48;

/** One run of all links, and the file that says what they are. */
export interface Run {
  readonly health: Health;
  readonly links: readonly Link[];
  /** Minutes until the next. */
  readonly every: number;
}

/** What is remembered after a run, and what there is to say. */
export interface Remembered {
  readonly memory: Memory;
  readonly notices: readonly Notice[];
}

/**
 * One step of the memory, pure:
 *
 * - a verdict is confirmed when two runs in a row that could tell agree that the link fares well, or badly; only `open`
 *   is believed at once, because a stranger who gets in does not wait (docs/decisions/007-memory.md)
 * - `unknown` counts for nothing: it neither raises, nor clears, nor is it a last good
 * - a run older than the one remembered, of somebody whose lease ran out, changes nothing
 */
export function remember(before: Memory | undefined, { health, links: files, every }: Run): Remembered {
  if (before && Date.parse(before.at) > Date.parse(health.at)) return { memory: before, notices: [] };
  const links: Record<string, LinkMemory> = {};
  const sightings: Sighting[] = [];
  for (const line of health.links) {
    const file = files.find(({ name }) => name === line.link);
    if (!file) continue;
    const held = before?.links[line.link];
    const causes = causesOf(line, file, health);
    links[line.link] = linkAfter(held, { line, causes: causes.all, health });
    sightings.push({ link: line.link, held, line, causes });
  }
  const ofLinks = (before?.alerts ?? []).filter(({ of }) => of === undefined);
  const { alerts, notices } = alertsAfter(ofLinks, sightings, health.at);
  const news = newsAfter(before, health);
  const memory = {
    at: health.at,
    every,
    links,
    alerts: [...alerts, ...news.alerts],
    noted: news.noted,
    outbox: before?.outbox ?? [],
  };
  return { memory, notices: [...notices, ...news.notices] };
}

interface Step {
  readonly line: LinkHealth;
  readonly causes: readonly Ailment[];
  readonly health: Health;
}

function linkAfter(held: LinkMemory | undefined, { line, causes, health }: Step): LinkMemory {
  const { verdict } = line;
  const { at, fingerprint } = health;
  const history = [...(held?.history ?? []), verdict].slice(-kept);
  if (!held) return { ...fresh(line, causes, at), ...goodOf(line, health), history };
  if (verdict === "unknown") return { ...held, history };
  const told = { at, verdict, causes };
  const good = isSick(verdict) ? held.good : { at, fingerprint };
  const { told: last } = held;
  // After nothing but unknowns there is nothing to hold against it: the first answer is taken.
  const first = held.verdict === "unknown";
  const confirmed = first || verdict === "open" || isSick(verdict) === isSick(last.verdict);
  const news =
    confirmed && verdict !== held.verdict ? { verdict, since: last.verdict === verdict ? last.at : at } : held;
  return { verdict: news.verdict, since: news.since, told, ...(good ? { good } : {}), history };
}

const fresh = ({ verdict }: LinkHealth, causes: readonly Ailment[], at: string) => ({
  ...{ verdict, since: at, told: { at, verdict, causes } },
});

const goodOf = ({ verdict }: LinkHealth, { at, fingerprint }: Health) =>
  isSick(verdict) || verdict === "unknown" ? {} : { good: { at, fingerprint } };
