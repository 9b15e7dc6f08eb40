/** When a job of Cloud Scheduler is due: unix-cron, and the part of App Engine's own words that is played here. */
export interface Schedule {
  /** Local times of a day that it strikes at; undefined: in an interval. */
  readonly cron?: Cron;
  /** Milliseconds between two runs, counted from the last change of the job. */
  readonly every?: number;
}

interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Where both are narrowed, a day that fits either is taken (crontab(5)). */
  readonly either: boolean;
}

const minute = 60_000;
const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** Lowest and highest number of each field, and the names that stand for numbers in it. */
const fields = [
  { from: 0, to: 59, names: [] },
  { from: 0, to: 23, names: [] },
  { from: 1, to: 31, names: [] },
  { from: 1, to: 12, names: ["", ...monthNames] },
  { from: 0, to: 7, names: dayNames },
] as const;

/** Undefined for what is no schedule, and for words of App Engine that are not played here. */
export function scheduleOf(text: string): Schedule | undefined {
  const words = text.trim().toLowerCase().split(/\s+/);
  if (words[0] === "every") return everyOf(words.slice(1));
  if (words.length !== 5) return undefined;
  const sets = words.map((word, at) => numbersIn(word, fields[at] ?? fields[0]));
  const [minutes, hours, days, months, weekdays] = sets;
  if (!minutes || !hours || !days || !months || !weekdays) return undefined;
  // Sunday has two numbers.
  const sundays = weekdays.has(7) ? new Set([...weekdays, 0]) : weekdays;
  const narrowed = (at: number): boolean => !(words[at] ?? "").startsWith("*");
  return { cron: { minutes, hours, days, months, weekdays: sundays, either: narrowed(2) && narrowed(4) } };
}

/** `5 minutes`, `2 hours`, `day 09:00`, `mon,wed 09:00`. */
function everyOf([first = "", second = "", ...more]: readonly string[]): Schedule | undefined {
  if (more.length > 0) return undefined;
  const count = /^[1-9]\d{0,3}$/.test(first) ? Number(first) : undefined;
  if (count !== undefined && /^min(ute)?s?$/.test(second)) return { every: count * minute };
  if (count !== undefined && /^hours?$/.test(second)) return { every: count * 60 * minute };
  const [, hour = "", past = ""] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(second) ?? [];
  const days = first === "day" ? "*" : first.replace(/(sun|mon|tue|wed|thu|fri|sat)[a-z]*/g, "$1");
  return hour === "" ? undefined : scheduleOf(`${Number(past)} ${Number(hour)} * * ${days}`);
}

/** `*`, numbers, names, ranges, steps, and lists of those. */
function numbersIn(
  text: string,
  { from, to, names }: { readonly from: number; readonly to: number; readonly names: readonly string[] },
): ReadonlySet<number> | undefined {
  const numberOf = (word: string): number => (/^\d+$/.test(word) ? Number(word) : names.indexOf(word));
  const found = new Set<number>();
  for (const part of text.split(",")) {
    const [, range = "", step] = /^([^/]+)(?:\/([1-9]\d*))?$/.exec(part) ?? [];
    const [low = "", high] = range.split("-");
    const first = range === "*" ? from : numberOf(low);
    // A single number with a step goes on to the end; without one it is itself.
    const last = range === "*" || (high === undefined && step) ? to : numberOf(high ?? low);
    if (range === "" || first < from || last > to || first > last) return undefined;
    for (let at = first; at <= last; at += Number(step ?? 1)) found.add(at);
  }
  return found;
}

interface Local {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws a `RangeError` for a time zone that is none. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const numeric = { month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("en-US", { timeZone, weekday: "short", hourCycle: "h23", ...numeric });
  formats.set(timeZone, format);
  return format;
}

export function isTimeZone(timeZone: string): boolean {
  try {
    return formatOf(timeZone) !== undefined;
  } catch {
    return false;
  }
}

function localOf(at: number, timeZone: string): Local {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const weekday = dayNames.indexOf((parts.weekday ?? "").toLowerCase());
  const [month, day, hour, past] = [parts.month, parts.day, parts.hour, parts.minute].map(Number);
  return { month: month ?? 0, day: day ?? 0, weekday, hour: hour ?? 0, minute: past ?? 0 };
}

/** What a schedule is read with: its zone, and since when an interval counts, in epoch milliseconds. */
export interface Reading {
  readonly timeZone: string;
  readonly since: number;
}

/** The first time after `after` and not after `until` that it strikes, epoch milliseconds; undefined: none. */
export function nextRun(
  schedule: Schedule,
  { timeZone, since }: Reading,
  { after, until }: { readonly after: number; readonly until: number },
): number | undefined {
  if (schedule.every !== undefined) {
    const times = Math.max(1, Math.floor((after - since) / schedule.every) + 1);
    const next = since + times * schedule.every;
    return next <= until ? next : undefined;
  }
  const { cron } = schedule;
  if (!cron) return undefined;
  for (let at = (Math.floor(after / minute) + 1) * minute; at <= until; ) {
    const local = localOf(at, timeZone);
    if (!onDay(cron, local) || !cron.hours.has(local.hour)) at += (60 - local.minute) * minute;
    else if (!cron.minutes.has(local.minute)) at += minute;
    else return at;
  }
  return undefined;
}

function onDay({ days, months, weekdays, either }: Cron, { month, day, weekday }: Local): boolean {
  const [byDay, byWeekday] = [days.has(day), weekdays.has(weekday)];
  return months.has(month) && (either ? byDay || byWeekday : byDay && byWeekday);
}
