import { bool } from "../evaluate.ts";
import { fault, int64, isNumber, typeOf, type Value } from "../values.ts";
import { type Builtin, number, of, text } from "./signature.ts";

function toInt(value: Value | undefined): Value {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return int64(BigInt(Math.trunc(value)));
  if (!/^\s*[+-]?\d+\s*$/.test(text(value))) throw fault("ValueError", `not an integer: ${text(value)}`);
  return int64(BigInt(text(value).trim()));
}

function toDouble(value: Value | undefined): Value {
  if (typeof value === "bigint" || typeof value === "number") return Number(value);
  const found = text(value).trim() === "" ? Number.NaN : Number(value);
  if (Number.isNaN(found)) throw fault("ValueError", `not a number: ${text(value)}`);
  return found;
}

function toText(value: Value | undefined): Value {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || (value !== undefined && value !== null && isNumber(value))) return String(value);
  throw fault("TypeError", `${typeOf(value ?? null)} has no text`);
}

/** Seconds since 1970, whole or with a fraction, in UTC; that whole ones show no fraction is our reading. */
function format(seconds: Value | undefined, zone: Value | undefined): Value {
  if (zone !== undefined && !["UTC", "Etc/UTC", "GMT"].includes(text(zone)))
    throw fault("ValueError", `the time zone ${text(zone)} is not played`);
  const at = new Date(Number(number(seconds)) * 1000);
  if (Number.isNaN(at.getTime())) throw fault("ValueError", "not a time");
  return at.toISOString().replace(".000Z", "Z");
}

function parse(value: Value | undefined): Value {
  const at = /^\d{4}-\d\d-\d\dT/.test(text(value)) ? Date.parse(text(value)) : Number.NaN;
  if (Number.isNaN(at)) throw fault("ValueError", `not a time: ${text(value)}`);
  return at % 1000 === 0 ? BigInt(at / 1000) : at / 1000;
}

const floor = (value: bigint | number): Value => (typeof value === "bigint" ? value : BigInt(Math.floor(value)));
const abs = (value: bigint | number): Value =>
  value < 0 ? (typeof value === "bigint" ? int64(-value) : -value) : value;
/** A default is for a name that is not set: without one that is an error. */
const variable = (found: string | undefined, name: string, otherwise: Value | undefined): Value => {
  if (found !== undefined) return found;
  if (otherwise === undefined) throw fault("KeyError", `environment variable not found: ${name}`);
  return otherwise;
};

/** The functions without a module, `math.*`, `time.*`, and those of `sys` and `uuid` that do not block. */
export const generalFunctions: Readonly<Record<string, Builtin>> = {
  default: of("value default", ([value, otherwise]) => value ?? otherwise ?? null),
  // Evaluated where it stands, one side of it: `run` serves the form `call: if`.
  if: of("condition if_true if_false", ([condition, yes, no]) => (bool(condition ?? null, "if") ? yes : no) ?? null),
  int: of("value", ([value]) => toInt(value)),
  double: of("value", ([value]) => toDouble(value)),
  string: of("value", ([value]) => toText(value)),
  get_type: of("value", ([value]) => typeOf(value ?? null)),
  "math.abs": of("num", ([value]) => abs(number(value))),
  "math.floor": of("num", ([value]) => floor(number(value))),
  "math.max": of("a b", ([a, b]) => (number(a) >= number(b) ? number(a) : number(b))),
  "math.min": of("a b", ([a, b]) => (number(a) <= number(b) ? number(a) : number(b))),
  "time.format": of("seconds timezone?", ([seconds, zone]) => format(seconds, zone)),
  "time.parse": of("value", ([value]) => parse(value)),
  "uuid.generate": of("", (_, { uuid }) => uuid()),
  "sys.now": of("", (_, { now }) => now() / 1000),
  "sys.get_env": of("name default?", ([name, otherwise], { env }) =>
    variable(env.get(text(name)), text(name), otherwise),
  ),
};
