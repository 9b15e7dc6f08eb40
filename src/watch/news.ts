import type { Ailment, Alert, Finding, Health, Memory, Notice } from "../model.ts";
import { idOf, short } from "./alerts.ts";
import { isBeside, keyOf, scopeOf } from "./causes.ts";

/** What the memory keeps of findings: what was seen at each place, and what alerts are open about it. */
export interface News {
  readonly noted: NonNullable<Memory["noted"]>;
  readonly alerts: readonly Alert[];
  readonly notices: readonly Notice[];
}

/** Members and keys are told apart by place and value; what has no value is nothing that could be new. */
type Seen = Finding & { readonly of: string };

const isSeen = (finding: Finding): finding is Seen => finding.of !== undefined;

/** One who has a witness makes links `open`, and those have an alert already; what the file accepts is no news. */
const isGrave = (one: Finding): boolean => one.severity === "security" && isBeside(one) && one.accepted === undefined;

const placeOf = ({ at }: Finding): string => at.address ?? "everywhere";
const hashOf = ({ code, of }: Seen): string => short(`${code} ${of}`);

/**
 * What is new since the last run, among findings that are to be decided and among what is usual:
 *
 * - what is to be decided opens an alert at first sight, which stays open until it is gone or accepted
 * - what is usual is said once, where its place was looked at before: a new account brings its administrators along
 * - what this run could not look at is neither new nor gone
 */
export function newsAfter(before: Memory | undefined, health: Health): News {
  const grave = health.findings.filter(isSeen).filter(isGrave);
  const usual = (health.inventory ?? []).filter(isSeen);
  const known = before?.noted ?? {};
  const hidden = hiddenAfter(before?.noted, health);
  const untold = health.findings.filter(({ asks }) => asks === "untold");
  const open = (before?.alerts ?? []).filter(({ of }) => of !== undefined);
  const held = open.flatMap((alert) => {
    const blind = hidden.more || untold.some(({ links }) => !links || links.some((link) => alert.links.includes(link)));
    return stillOpen(alert, grave, blind);
  });
  const closed = open
    .filter((alert) => !held.some(({ id }) => id === alert.id))
    .map((alert): Notice => ({ state: "closed", alert, at: health.at }));
  const told = new Set(held.flatMap(({ of = [] }) => of));
  const fresh = grouped(grave.filter((one) => !told.has(hashOf(one)))).map((group) =>
    graveAlert(held, group, health.at),
  );
  const added = usual.filter(
    (one) => before?.noted !== undefined && known[placeOf(one)]?.includes(hashOf(one)) === false,
  );
  const said = grouped(added).map(
    ([cause, found]): Notice => ({
      state: "opened",
      alert: alertOf(cause, found, health.at),
      at: health.at,
    }),
  );
  const replaced = new Set(fresh.map(({ alert }) => alert.id));
  return {
    noted: { ...notedAfter(known, usual, hidden.more || untold.length > 0), [unseen]: hidden.hashes },
    alerts: [...held.filter(({ id }) => !replaced.has(id)), ...fresh.map(({ alert }) => alert)],
    notices: [...closed, ...fresh, ...said],
  };
}

/** The key under which `noted` keeps what could not be looked at from the beginning. */
const unseen = "";

/**
 * What may not be looked at hides nothing that was seen before, where it could not be looked at from the beginning.
 * `more`: something could be looked at once and cannot now.
 */
function hiddenAfter(before: Memory["noted"], { unwatched = [] }: Health) {
  const now = [...new Set(unwatched.map(({ what }) => short(what)))];
  const first = before?.[unseen];
  if (first === undefined) return { more: false, hashes: now };
  return { more: now.some((one) => !first.includes(one)), hashes: first.filter((one) => now.includes(one)) };
}

/** The alert with what of it is still there; all of it where this run could not look everywhere. */
function stillOpen(alert: Alert, grave: readonly Seen[], blind: boolean): readonly Alert[] {
  if (blind) return [alert];
  const there = new Set(grave.map(hashOf));
  const of = (alert.of ?? []).filter((one) => there.has(one));
  return of.length > 0 ? [{ ...alert, of }] : [];
}

type Group = readonly [cause: Ailment, found: readonly Seen[]];

/** One incident at one place is one alert, however many members it is about. */
function grouped(all: readonly Seen[]): readonly Group[] {
  const causeOf = (one: Seen): Ailment => ({ what: one.code, where: one.at.address ? scopeOf(one.at.address) : "" });
  const groups = Map.groupBy(all, (one) => keyOf(causeOf(one)));
  return [...groups.values()].flatMap((found) => (found[0] ? [[causeOf(found[0]), found] as const] : []));
}

function graveAlert(held: readonly Alert[], [cause, found]: Group, at: string): Notice {
  const before = held.find((alert) => keyOf(alert.cause) === keyOf(cause));
  const alert = alertOf(cause, found, at);
  if (!before) return { state: "opened", alert, at };
  const links = [...new Set([...before.links, ...alert.links])];
  return { state: "grew", alert: { ...before, links, of: [...(before.of ?? []), ...(alert.of ?? [])] }, at };
}

/** Nobody is known to have got in: that is `error`, and `security` is for who has. */
const alertOf = (cause: Ailment, found: readonly Seen[], at: string): Alert => ({
  id: idOf(cause, at),
  cause,
  severity: "error",
  links: [...new Set(found.flatMap(({ links = [] }) => links))],
  since: at,
  of: found.map(hashOf),
});

/** A place that could be looked at before and not now keeps what was seen there. */
function notedAfter(known: News["noted"], usual: readonly Seen[], blind: boolean): News["noted"] {
  const now = Object.fromEntries(
    [...Map.groupBy(usual, placeOf)].map(([place, found]) => [place, [...new Set(found.map(hashOf))]]),
  );
  if (!blind) return now;
  const both = Object.entries(known).map(([place, before]) => [
    place,
    [...new Set([...before, ...(now[place] ?? [])])],
  ]);
  return { ...now, ...Object.fromEntries(both) };
}
