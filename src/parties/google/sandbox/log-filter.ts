import { GoogleError } from "./rest.ts";

/** In rising order. */
export const severities = [
  ...["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"],
] as readonly string[];

/** Whether an entry, as the API shows it, is meant. */
export type Filter = (entry: unknown) => boolean;

const tokens =
  /\s*(?:(AND|OR|NOT)\b|([()])|([\w.]+|"[^"]*"(?:\.[\w.]+)*)\s*(>=|<=|!=|=~|=|>|<|:)\s*("(?:[^"\\]|\\.)*"|[\w./:+-]+))/y;

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  "=": (order) => order === 0,
  "!=": (order) => order !== 0,
  ">=": (order) => order >= 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  "<": (order) => order < 0,
};

/**
 * Comparisons of a field with a value, all of which must hold: side by side or with `AND`, NOT before one. Throws
 * for everything else of the language, because an answer by half a filter would look like an answer.
 */
export function parseFilter(text: string): Filter {
  const all: Filter[] = [];
  let not = false;
  tokens.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ""; at = tokens.lastIndex) {
    tokens.lastIndex = at;
    const [, word, bracket, field, operator, value] = tokens.exec(text) ?? refuse(text.slice(at));
    if (bracket || word === "OR") refuse(text.slice(at));
    if (word === "NOT") not = true;
    if (field === undefined || operator === undefined || value === undefined) continue;
    const one = comparison(field, operator, value);
    const turned = not;
    all.push((entry) => one(entry) !== turned);
    not = false;
  }
  return (entry) => all.every((one) => one(entry));
}

const refuse = (rest: string): never => {
  throw new GoogleError([400, "INVALID_ARGUMENT"], `Unparseable filter here: ${rest.trim().slice(0, 80)}`);
};

function comparison(field: string, operator: string, quoted: string): Filter {
  const value = quoted.startsWith('"') ? quoted.slice(1, -1).replace(/\\(.)/g, "$1") : quoted;
  const path = field.split(".");
  const holds = comparisons[operator] ?? refuse(`${field}${operator}`);
  if (field === "severity" && !severities.includes(value.toUpperCase())) refuse(`${field}${operator}${quoted}`);
  return (entry) => {
    const found = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], entry);
    // A field that is missing is equal to nothing and unequal to nothing (Logging query language).
    if (found === undefined || found === null) return false;
    return holds(order(field, found, value));
  };
}

function order(field: string, found: unknown, value: string): number {
  if (field === "severity") return severities.indexOf(String(found)) - severities.indexOf(value.toUpperCase());
  if (field === "timestamp") return Date.parse(String(found)) - Date.parse(value);
  if (typeof found === "number") return found - Number(value);
  return String(found) === value ? 0 : String(found) < value ? -1 : 1;
}
