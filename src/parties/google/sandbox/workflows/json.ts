import { fault, isList, isMap, type Value } from "./values.ts";

/** What a reviver is told since Node 21: the number as it was written. */
type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

/** A number without a fraction is an int (serverless.md 6.4). Throws SyntaxError. */
export function fromJson(text: string): Value {
  const revive: Reviver = (_, value, context) => {
    if (typeof value === "number") return numberOf(context?.source ?? String(value));
    return value;
  };
  return asValue(JSON.parse(text, revive));
}

/** Of a plain JavaScript value, such as an argument that a test gives: whole numbers become ints. */
export function asValue(plain: unknown): Value {
  if (plain === null || plain === undefined) return null;
  if (typeof plain === "number") return Number.isInteger(plain) ? BigInt(plain) : plain;
  if (plain instanceof Double) return plain.value;
  if (Array.isArray(plain)) return plain.map(asValue);
  if (typeof plain === "object") return new Map(Object.entries(plain).map(([key, item]) => [key, asValue(item)]));
  return plain as Value;
}

/** `1.0` is a double though it is whole. */
class Double {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

function numberOf(source: string): unknown {
  if (!/^-?\d+$/.test(source)) return new Double(Number(source));
  const whole = BigInt(source);
  return BigInt.asIntN(64, whole) === whole ? whole : new Double(Number(source));
}

/** Bytes have no JSON: TypeError. Ints keep all their digits, and a whole double its point. */
export function toJson(value: Value): string {
  if (value instanceof Uint8Array) throw fault("TypeError", "bytes cannot be encoded as JSON");
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return numberText(value);
  if (isList(value)) return `[${value.map(toJson).join(",")}]`;
  if (isMap(value)) return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${toJson(item)}`).join(",")}}`;
  return JSON.stringify(value);
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) throw fault("ValueError", "not a number that JSON knows");
  return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1) : String(value);
}
