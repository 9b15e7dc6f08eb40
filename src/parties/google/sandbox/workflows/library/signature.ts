import { fault, isList, isMap, isNumber, typeOf, type Value } from "../values.ts";

/** What library functions get besides their arguments. */
export interface Surroundings {
  /** Epoch milliseconds of the execution's clock. */
  readonly now: () => number;
  readonly env: ReadonlyMap<string, string>;
  readonly uuid: () => string;
}

/**
 * A function that can stand in an expression. The names of parameters are for `call` with `args`; those beyond
 * `required` may be left out and are then undefined.
 */
export interface Builtin {
  readonly params: readonly string[];
  readonly required: number;
  readonly run: (args: readonly Value[], around: Surroundings) => Value;
}

/** `of("source separator?", run)` */
export function of(params: string, run: Builtin["run"]): Builtin {
  const names = params.split(" ").filter(Boolean);
  const required = names.filter((name) => !name.endsWith("?")).length;
  return { params: names.map((name) => name.replace("?", "")), required, run };
}

const wrong = (value: Value | undefined, wants: string): Error =>
  fault("TypeError", `a ${wants} is wanted, not ${typeOf(value ?? null)}`);

export function text(value: Value | undefined): string {
  if (typeof value !== "string") throw wrong(value, "string");
  return value;
}
export function int(value: Value | undefined): number {
  if (typeof value !== "bigint") throw wrong(value, "integer");
  return Number(value);
}
export function number(value: Value | undefined): bigint | number {
  if (value === undefined || !isNumber(value)) throw wrong(value, "number");
  return value;
}
export function list(value: Value | undefined): readonly Value[] {
  if (value === undefined || !isList(value)) throw wrong(value, "list");
  return value;
}
export function map(value: Value | undefined): ReadonlyMap<string, Value> {
  if (value === undefined || !isMap(value)) throw wrong(value, "map");
  return value;
}
export function bytes(value: Value | undefined): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(value, "bytes");
  return value;
}
