import { createHash } from "node:crypto";
import type { Ailment, Alert, Notice } from "../model.ts";
import { ailmentsOf, isSick, keyOf, type Sighting } from "./causes.ts";
import { changesShown } from "./drift.ts";

/**
 * The alerts after a run, and what there is to say of it. One cause has one open alert; a link joins it when it fares
 * badly for the second time in a row (at once where it is open) and leaves it when two runs in a row that could tell
 * did not see the cause any more. A run that could not tell moves nothing.
 */
export function alertsAfter(open: readonly Alert[], sightings: readonly Sighting[], at: string) {
  const notices: Notice[] = [];
  const alerts: Alert[] = [];
  for (const alert of open) {
    const still = alert.links.filter((link) => stays(alert, link, sightings));
    if (still.length > 0) alerts.push({ ...alert, links: still });
    else notices.push({ state: "closed", alert, at });
  }
  for (const [key, hit] of confirmedBy(sightings)) {
    const known = alerts.find(({ cause }) => keyOf(cause) === key);
    const alert = known ? joined(known, hit) : opened(hit, at);
    if (known) alerts.splice(alerts.indexOf(known), 1, alert);
    else alerts.push(alert);
    const worse = alert.links.length > (known?.links.length ?? 0) || alert.severity !== known?.severity;
    if (worse) notices.push({ state: known ? "grew" : "opened", alert, at });
  }
  return { alerts, notices };
}

/** A link that the file does not name any more needs no mending. */
function stays(alert: Alert, link: string, sightings: readonly Sighting[]): boolean {
  const seen = sightings.find((one) => one.link === link);
  if (!seen) return false;
  if (seen.line.verdict === "unknown") return true;
  return has(seen.causes.all, alert.cause) || has(seen.held?.told.causes ?? [], alert.cause);
}

const has = (causes: readonly Ailment[], { what, where }: Ailment): boolean =>
  causes.some((cause) => cause.what === what && cause.where === where);

interface Hit {
  readonly cause: Ailment;
  readonly sightings: readonly Sighting[];
}

function confirmedBy(sightings: readonly Sighting[]): ReadonlyMap<string, Hit> {
  const hits = new Map<string, Hit>();
  for (const sighting of sightings.filter(isConfirmed)) {
    for (const cause of sighting.causes.lead) {
      const key = keyOf(cause);
      hits.set(key, { cause, sightings: [...(hits.get(key)?.sightings ?? []), sighting] });
    }
  }
  return hits;
}

/** For whatever reason it fared badly last time: a cause that changes its face from run to run is no flapping. */
const isConfirmed = ({ line, held }: Sighting): boolean =>
  line.verdict === "open" || (isSick(line.verdict) && held !== undefined && isSick(held.told.verdict));

const severity = (sightings: readonly Sighting[]): Alert["severity"] =>
  sightings.some(({ line }) => line.verdict === "open") ? "security" : "error";

/** Seen first when the earliest of its links was. */
function opened({ cause, sightings }: Hit, at: string): Alert {
  const since = sightings.map(({ held }) => (held && isSick(held.told.verdict) ? held.told.at : at)).sort()[0] ?? at;
  const links = sightings.map(({ link }) => link);
  return { id: idOf(cause, at), cause, severity: severity(sightings), links, since, ...shownBy(cause, sightings) };
}

/** What was changed, where the cause is a difference: a message must name it. */
function shownBy(cause: Ailment, sightings: readonly Sighting[]): Pick<Alert, "shows"> {
  const changes = sightings.flatMap(({ line }) =>
    line.changes.filter((change) => has(ailmentsOf(change, line.verdict), cause)),
  );
  const shows = changesShown(changes);
  return shows.length > 0 ? { shows } : {};
}

/** Another one for each incident. */
export const idOf = (cause: Ailment, at: string): string => short(`${keyOf(cause)} ${at}`);

/** 12 hex of a text. */
export const short = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);

function joined(alert: Alert, { sightings }: Hit): Alert {
  const links = [...new Set([...alert.links, ...sightings.map(({ link }) => link)])];
  const worse = alert.severity === "security" ? alert.severity : severity(sightings);
  return { ...alert, links, severity: worse, ...shownBy(alert.cause, sightings) };
}
