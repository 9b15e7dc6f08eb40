/**
 * A value of the language (serverless.md 6.4): an int is a `bigint` of 64 bits, a double is a `number`, bytes are a
 * `Uint8Array`. Values are never changed in place, so that a name that was assigned from another has its own.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** The tags of errors that the language itself raises (serverless.md 5.3). */
export type Tag =
  | "AuthError"
  | "ConnectionError"
  | "ConnectionFailedError"
  | "HttpError"
  | "IndexError"
  | "KeyError"
  | "ParallelNestingError"
  | "RecursionError"
  | "ResourceLimitError"
  | "SystemError"
  | "TimeoutError"
  | "TypeError"
  | "UnhandledBranchError"
  | "ValueError"
  | "ZeroDivisionError";

/** Where something was raised: the innermost step first. */
export interface At {
  readonly routine: string;
  readonly step: string;
  /** From 1. */
  readonly line: number;
  /** How many calls deep: of each call only the innermost step is told. */
  readonly depth: number;
}

/** What `raise` throws and `except` catches. */
export class Raised extends Error {
  readonly value: Value;
  readonly trail: At[] = [];

  constructor(value: Value) {
    super("raised");
    this.value = value;
  }
}

/** An error of the language's own: `{tags, message}`, and what else belongs to it, such as `code`. */
export const fault = (tag: Tag, message: string, more: Readonly<Record<string, Value>> = {}): Raised =>
  new Raised(new Map<string, Value>([["message", message], ["tags", [tag]], ...Object.entries(more)]));

export const isMap = (value: Value): value is ReadonlyMap<string, Value> => value instanceof Map;
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isNumber = (value: Value): value is bigint | number =>
  typeof value === "bigint" || typeof value === "number";

/** As `get_type` names them; that an int is `integer` is our reading (serverless.md 6.4, `*`). */
export function typeOf(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return "double";
  if (isList(value)) return "list";
  if (isMap(value)) return "map";
  return value instanceof Uint8Array ? "bytes" : typeof value;
}

/** An int of 64 bits, or ValueError. */
export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw fault("ValueError", "integer overflow");
  return value;
}

/** Deep, and by value: 1 equals 1.0. */
export function equal(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return !(a < b) && !(a > b);
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, at) => equal(item, b[at] ?? null));
  if (isMap(a) && isMap(b))
    return a.size === b.size && [...a].every(([key, item]) => b.has(key) && equal(item, b.get(key) ?? null));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}

/** About what it takes as JSON: by this the limit of 512 KB for variables is held (serverless.md 6.4). */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return value.length + 2;
  if (value instanceof Uint8Array) return value.length;
  if (isList(value)) return value.reduce((sum: number, item) => sum + sizeOf(item) + 1, 2);
  if (isMap(value)) return [...value].reduce((sum, [key, item]) => sum + key.length + sizeOf(item) + 4, 2);
  return 8;
}
