/** Years that Java's milliseconds can hold: IAM takes these and no others (moto's table of refusals). */
const [firstYear, lastYear] = [-292_275_054, 292_278_993];
const latest = 9_223_372_036_854_775_807n;

const zone = "(?:z|[+-](?<zoneHours>\\d\\d)(?::(?<zoneMinutes>\\d\\d))?)?";
const seconds = "(?::(?<seconds>\\d{1,2})(?:\\.(?<fraction>\\d{1,9}))?)?";
const time = `(?:(?<hours>\\d{1,2})(?::(?<minutes>\\d{1,2})${seconds})?)?${zone}`;
const form = new RegExp(`^(?<year>-?\\d+)(?:-(?<month>\\d{1,2})(?:-(?<day>\\d{1,2}))?)?(?:t${time})?$`);

/** The most and the least that each part of a date may be. */
const ranges: Readonly<Record<string, readonly [number, number]>> = {
  year: [firstYear, lastYear],
  month: [1, 12],
  day: [1, 31],
  hours: [0, 23],
  minutes: [0, 59],
  seconds: [0, 59],
  zoneHours: [0, 23],
  zoneMinutes: [0, 59],
};

/**
 * Whether IAM takes a text as the value of a date operator: an ISO 8601 date, whole or cut off behind any part, or a
 * number of seconds since 1970. IAM knows a date by its `t` or its hyphen.
 */
export function isDate(text: string): boolean {
  const lower = text.toLowerCase();
  if (/^\d+$/.test(lower)) return BigInt(lower) <= latest;
  const groups = form.exec(lower)?.groups;
  if (!groups) return false;
  return Object.entries(ranges).every(([part, [least, most]]) => {
    const value = groups[part];
    return value === undefined || (Number(value) >= least && Number(value) <= most);
  });
}
