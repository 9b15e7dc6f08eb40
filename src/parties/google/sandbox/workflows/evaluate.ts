import type { Expression } from "./expression.ts";
import type { Scope } from "./scope.ts";
import type { Template } from "./template.ts";
import { equal, fault, int64, isList, isMap, isNumber, typeOf, type Value } from "./values.ts";

/** What an expression can reach: names, and functions by their dotted name. */
export interface Reach {
  readonly scope: Scope;
  readonly call: (name: string, args: readonly Value[]) => Promise<Value>;
}

/** A whole value of the file: expressions in it evaluated, map keys too. */
export async function fill(template: Template, reach: Reach): Promise<Value> {
  if (template.is === "plain") return template.value;
  if (template.is === "expression") return evaluate(template.of, reach);
  if (template.is === "list") {
    const items: Value[] = [];
    for (const item of template.items) items.push(await fill(item, reach));
    return items;
  }
  const entries = new Map<string, Value>();
  for (const [key, item] of template.entries) entries.set(keyOf(await fill(key, reach)), await fill(item, reach));
  return entries;
}

/** One expression; throws `Raised` with the tags of serverless.md 6.4. */
export async function evaluate(of: Expression, reach: Reach): Promise<Value> {
  switch (of.is) {
    case "literal":
      return of.value;
    case "name":
      return reach.scope.get(of.name);
    case "member":
      return memberOf(await evaluate(of.of, reach), await evaluate(of.key, reach));
    case "list":
      return each(of.items, reach);
    case "map": {
      const flat = await each(of.entries.flat(), reach);
      return new Map(of.entries.map((_, at) => [keyOf(flat[2 * at] ?? null), flat[2 * at + 1] ?? null]));
    }
    case "call":
      return calledWith(of, reach);
    case "unary":
      return unary(of.sign, await evaluate(of.of, reach));
    case "binary":
      return binary(of, reach);
  }
}

async function each(items: readonly Expression[], reach: Reach): Promise<Value[]> {
  const found: Value[] = [];
  for (const item of items) found.push(await evaluate(item, reach));
  return found;
}

/** Of `if` only the side that is chosen is evaluated; that the real one does so too is our reading. */
async function calledWith(of: Expression & { is: "call" }, reach: Reach): Promise<Value> {
  if (of.name !== "if") return reach.call(of.name, await each(of.args, reach));
  const [condition, yes, no] = of.args as [Expression, Expression, Expression];
  return evaluate(bool(await evaluate(condition, reach), "if") ? yes : no, reach);
}

const keyOf = (value: Value): string => {
  if (typeof value === "string") return value;
  throw fault("TypeError", `a map key is a string, not ${typeOf(value)}`);
};

/** A missing key is a KeyError, an index outside an IndexError; a negative one too (our reading). */
export function memberOf(of: Value, key: Value): Value {
  if (isMap(of)) {
    const found = of.get(keyOf(key));
    if (found === undefined) throw fault("KeyError", `key not found: ${keyOf(key)}`);
    return found;
  }
  if (!isList(of)) throw fault("TypeError", `${typeOf(of)} has no members`);
  return of[indexIn(of, key)] ?? null;
}

export function indexIn(list: readonly Value[], key: Value): number {
  if (typeof key !== "bigint") throw fault("TypeError", `an index is an integer, not ${typeOf(key)}`);
  if (key < 0n || key >= BigInt(list.length)) throw fault("IndexError", `index out of range: ${key}`);
  return Number(key);
}

export function bool(value: Value, where: string): boolean {
  if (typeof value === "boolean") return value;
  throw fault("TypeError", `${where} wants a boolean, not ${typeOf(value)}`);
}

function unary(sign: "-" | "not", value: Value): Value {
  if (sign === "not") return !bool(value, "not");
  if (!isNumber(value)) throw fault("TypeError", `- wants a number, not ${typeOf(value)}`);
  return typeof value === "bigint" ? int64(-value) : -value;
}

async function binary(of: Expression & { is: "binary" }, reach: Reach): Promise<Value> {
  const left = await evaluate(of.left, reach);
  if (of.sign === "and" && !bool(left, "and")) return false;
  if (of.sign === "or" && bool(left, "or")) return true;
  const right = await evaluate(of.right, reach);
  if (of.sign === "and" || of.sign === "or") return bool(right, of.sign);
  if (of.sign === "==") return equal(left, right);
  if (of.sign === "!=") return !equal(left, right);
  if (of.sign === "in") return contains(left, right);
  if (["<", "<=", ">", ">="].includes(of.sign)) return ordered(of.sign, left, right);
  if (of.sign === "+" && typeof left === "string" && typeof right === "string") return left + right;
  return arithmetic(of.sign, left, right);
}

function contains(item: Value, of: Value): boolean {
  if (isMap(of)) return of.has(keyOf(item));
  if (isList(of)) return of.some((one) => equal(one, item));
  throw fault("TypeError", `in wants a map or a list, not ${typeOf(of)}`);
}

/** Numbers with numbers and strings with strings, nothing else. */
function ordered(sign: string, left: Value, right: Value): boolean {
  const comparable = (isNumber(left) && isNumber(right)) || (typeof left === "string" && typeof right === "string");
  if (!comparable) throw fault("TypeError", `${typeOf(left)} ${sign} ${typeOf(right)} has no order`);
  const [less, more] = [left < right, left > right];
  return sign === "<" ? less : sign === ">" ? more : sign === "<=" ? !more : !less;
}

/** `/` gives a double, `//` floors, and an int beside a double becomes one (serverless.md 6.4). */
function arithmetic(sign: string, left: Value, right: Value): Value {
  if (!isNumber(left) || !isNumber(right))
    throw fault("TypeError", `unsupported operand types for ${sign}: ${typeOf(left)} and ${typeOf(right)}`);
  if (["/", "//", "%"].includes(sign) && Number(right) === 0) throw fault("ZeroDivisionError", "division by zero");
  if (sign === "/" || typeof left !== "bigint" || typeof right !== "bigint")
    return doubles(sign, Number(left), Number(right));
  return int64(ints(sign, left, right));
}

function ints(sign: string, left: bigint, right: bigint): bigint {
  if (sign === "+") return left + right;
  if (sign === "-") return left - right;
  if (sign === "*") return left * right;
  const rest = left % right;
  const uneven = rest !== 0n && rest < 0n !== right < 0n;
  if (sign === "//") return left / right - (uneven ? 1n : 0n);
  // The sign of the divisor, so that it fits a floored quotient; for unlike signs that is our reading.
  return uneven ? rest + right : rest;
}

function doubles(sign: string, left: number, right: number): number {
  if (sign === "+") return left + right;
  if (sign === "-") return left - right;
  if (sign === "*") return left * right;
  if (sign === "/") return left / right;
  const floored = Math.floor(left / right);
  return sign === "//" ? floored : left - right * floored;
}
