import { BlockList, isIP } from "node:net";
import type { Known } from "../../model.ts";
import type { Reading } from "./claims.ts";
import { isText, operatorOf } from "./policy.ts";

/** Three-valued: what cannot be decided from a token must neither let in nor be called a refusal. */
export type Truth = boolean | "unknown";

/** All must hold: one false decides, else one unknown does. */
export const every = (truths: readonly Truth[]): Truth =>
  truths.includes(false) ? false : truths.includes("unknown") ? "unknown" : true;

/** One must hold: one true decides, else one unknown does. */
export const some = (truths: readonly Truth[]): Truth =>
  truths.includes(true) ? true : truths.includes("unknown") ? "unknown" : false;

const not = (truth: Truth): Truth => (truth === "unknown" ? "unknown" : !truth);

/** One operator, one key, and what the key holds for the token at hand. */
export interface Condition {
  /** As the policy spells it, `ForAnyValue:` and `IfExists` included. */
  readonly operator: string;
  /** Alternatives: one of them is enough. */
  readonly values: readonly Known<string>[];
  readonly reading: Reading;
  /** Policy variables such as `${aws:username}` are read only in version 2012-10-17. */
  readonly variables: boolean;
}

/**
 * One condition against what its key holds, by AWS's rules: a missing key fails a plain operator, passes a
 * negated one, `...IfExists` and `ForAllValues` (aws.md 2.3, 13.2 T06). What cannot be decided is unknown,
 * never true.
 */
export function holds({ operator, values, reading, variables }: Condition): Truth {
  const { set, base, ifExists } = operatorOf(operator);
  if (!base || reading.state === "unknown") return "unknown";
  const wanted = values.map((value) => (isText(value) ? withoutVariables(value, variables) : undefined));
  if (base === "Null") return nullHolds(reading.state === "absent", wanted);
  if (reading.state === "absent") return absentHolds(set, base, ifExists);
  const matches = (value: string): Truth =>
    some(wanted.map((want) => (want === undefined ? "unknown" : match(base, value, want))));
  const one = (value: string): Truth => (isNegated(base) ? not(matches(value)) : matches(value));
  if (set === "ForAllValues") return every(reading.values.map(one));
  if (set === "ForAnyValue") return some(reading.values.map(one));
  // AWS documents no outcome for a plain operator on a key with several values.
  return reading.values.length === 1 ? one(reading.values[0] ?? "") : "unknown";
}

/** A key that the request does not have. */
function absentHolds(set: string | undefined, base: string, ifExists: boolean): Truth {
  if (set === "ForAllValues") return true;
  if (set === "ForAnyValue") return ifExists;
  return ifExists || isNegated(base);
}

const isNegated = (base: string): boolean => /Not/.test(base);

/** `Null` asks whether the key is absent: "true" wants it absent, "false" wants it there. */
function nullHolds(absent: boolean, wanted: readonly (string | undefined)[]): Truth {
  return some(wanted.map((want) => (want === "true" ? absent : want === "false" ? !absent : "unknown")));
}

/** `${*}`, `${?}` and `${$}` stand for the character; any other variable cannot be told from here. */
function withoutVariables(value: string, variables: boolean): string | undefined {
  if (!variables || !value.includes("${")) return value;
  const plain = value.replace(/\$\{([*?$])\}/g, (_, character: string) => literal[character] ?? character);
  return plain.includes("${") ? undefined : plain;
}

/** Characters of Unicode's private use area stand for escaped wildcards until the pattern is compared. */
const literal: Readonly<Record<string, string>> = { "*": "\ue000", "?": "\ue001", $: "$" };
const plainText = (text: string): string => text.replace(/\ue000/g, "*").replace(/\ue001/g, "?");

/** One value against one alternative; `Not` is the caller's. An operator that is not here is unknown. */
function match(base: string, value: string, want: string): Truth {
  const positive = base.replace("Not", "");
  switch (positive) {
    case "StringEquals":
      return value === plainText(want);
    case "StringEqualsIgnoreCase":
    case "Bool":
      return value.toLowerCase() === plainText(want).toLowerCase();
    case "StringLike":
      return like(want, value);
    case "ArnEquals":
    case "ArnLike":
      return arnLike(want, value);
    case "IpAddress":
      return inRange(want, value);
    case "NumericEquals":
    case "DateEquals":
      return compare(positive, value, want, (a, b) => a === b);
    case "NumericLessThan":
    case "DateLessThan":
      return compare(positive, value, want, (a, b) => a < b);
    case "NumericLessThanEquals":
    case "DateLessThanEquals":
      return compare(positive, value, want, (a, b) => a <= b);
    case "NumericGreaterThan":
    case "DateGreaterThan":
      return compare(positive, value, want, (a, b) => a > b);
    case "NumericGreaterThanEquals":
    case "DateGreaterThanEquals":
      return compare(positive, value, want, (a, b) => a >= b);
    default:
      return "unknown";
  }
}

function compare(base: string, value: string, want: string, test: (a: number, b: number) => boolean): Truth {
  const number = base.startsWith("Date") ? dateOf : Number;
  const [a, b] = [number(value), number(want)];
  return Number.isFinite(a) && Number.isFinite(b) ? test(a, b) : "unknown";
}

/** Whether an address lies in a range in CIDR notation, or is the address; unknown where the range is none. */
function inRange(range: string, address: string): Truth {
  const [network = "", bits] = range.split("/");
  const family = isIP(network);
  if (family === 0) return "unknown";
  if (isIP(address) !== family) return false;
  const whole = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? whole : Number(bits);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > whole) return "unknown";
  const list = new BlockList();
  list.addSubnet(network, prefix, family === 4 ? "ipv4" : "ipv6");
  return list.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** A policy may say a date as ISO 8601 or as epoch seconds. */
const dateOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));

/**
 * Whether a value is what a pattern says: `*` is any run of characters, `?` one. Each piece between two `*` is taken
 * where it is found first. Takes time in the length of the value, and not in that of the pattern times the value.
 */
export function like(pattern: string, value: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return first.length === value.length && startsAt(first, value, 0);
  const end = value.length - last.length;
  if (end < first.length || !startsAt(first, value, 0) || !startsAt(last, value, end)) return false;
  const middle = value.slice(0, end);
  let at = first.length;
  for (const piece of rest) {
    const found = find(piece, middle, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}

const startsAt = (piece: string, value: string, at: number): boolean =>
  [...piece.split("").entries()].every(([offset, one]) => one === "?" || plainText(one) === value[at + offset]);

/** Where a piece without `*` first stands in a value, at `from` or behind it; -1 where it does not. */
function find(piece: string, value: string, from: number): number {
  if (!piece.includes("?")) return value.indexOf(plainText(piece), from);
  // One bit for each beginning of the piece that ends at the current character, all of them moved on at once.
  const { bits, anyOne } = bitsOf(piece);
  const whole = 1n << BigInt(piece.length - 1);
  let begun = 0n;
  for (let at = from; at < value.length; at++) {
    begun = ((begun << 1n) | 1n) & ((bits.get(value[at] ?? "") ?? 0n) | anyOne);
    if (begun & whole) return at - piece.length + 1;
  }
  return -1;
}

/** The places of each character in a piece, as bits; those of `?` for every character. */
function bitsOf(piece: string) {
  const bits = new Map<string, bigint>();
  let anyOne = 0n;
  for (const [at, one] of piece.split("").entries()) {
    const bit = 1n << BigInt(at);
    if (one === "?") anyOne |= bit;
    else bits.set(plainText(one), (bits.get(plainText(one)) ?? 0n) | bit);
  }
  return { bits, anyOne };
}

/** Each of the six parts of an ARN is matched for itself. */
function arnLike(want: string, value: string): boolean {
  const parts = (arn: string) => /^([^:]*):([^:]*):([^:]*):([^:]*):([^:]*):(.*)$/s.exec(arn)?.slice(1);
  const [patterns, values] = [parts(want), parts(value)];
  if (!patterns || !values) return false;
  return patterns.every((pattern, at) => like(pattern, values[at] ?? ""));
}
