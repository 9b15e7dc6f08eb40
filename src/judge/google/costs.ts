import type { CelList, CelValue } from "@bufbuild/cel";
import { longestPattern, longestValue, longPattern, type Meter, tooLarge } from "./budget.ts";
import type { Cel } from "./library.ts";
import { sizeOfPattern } from "./pattern.ts";

/** Characters that count as one step: where they are compared, and where they are read or made one by one. */
const compared = 64;
const read = 8;
/** Elements of a list that count as one step where the list is copied. */
const copied = 16;
/** The engine of the language shifts a text by at most as many characters as this when it looks for it in another. */
const shifted = 250;

/** One call of a function as the library makes it. */
export interface Call {
  readonly name: string;
  /** The target of a method first. */
  readonly values: readonly CelValue[];
}

/** What costs of a library's values are counted with. */
type Tests = Pick<Cel, "isCelList" | "isCelMap">;

/** Spends the steps of a call before it is made: at least as many as the call reads and makes of its values. */
export function spendCall({ name, values }: Call, meter: Meter, tests: Tests): void {
  meter.spend(1);
  const [text, sought, other] = values;
  const texts = typeof text === "string" && typeof sought === "string";
  if (shallow.has(name)) meter.spend(typeof text === "string" ? text.length / read : 0);
  else if (texts && name === "matches") spendMatch(text, sought, meter);
  else if (texts && name === "replace" && typeof other === "string") spendReplace({ text, sought, other }, meter);
  else if (texts && searches.has(name)) spendSearch(text, sought, meter);
  else {
    const unit = comparisons.has(name) ? compared : read;
    for (const value of values) spendValue(value, { meter, tests, unit });
  }
}

/** What a list or a map is needs no look into it. */
const shallow = new Set(["size", "dyn", "type"]);
const searches = new Set(["contains", "indexOf", "lastIndexOf", "split", "extract"]);
const comparisons = new Set(["_==_", "_!=_", "@in"]);

/** A text in a text, at worst. */
function spendSearch(text: string, sought: string, meter: Meter): void {
  meter.spend((text.length + sought.length) / read);
  meter.spend((text.length * Math.min(sought.length, shifted)) / shifted);
}

/** The library makes the whole text anew for each place. */
function spendReplace(call: { readonly text: string; readonly sought: string; readonly other: string }, meter: Meter) {
  const { text, sought, other } = call;
  spendSearch(text, sought, meter);
  const places = sought === "" ? text.length + 1 : text.split(sought).length - 1;
  const longest = text.length + places * other.length;
  if (longest > longestValue) meter.end(tooLarge);
  meter.spend((places * longest) / read);
}

/** RE2 takes time in the size of the pattern, its repetitions written out, times the length of the text. */
function spendMatch(text: string, pattern: string, meter: Meter): void {
  if (pattern.length > longestPattern) meter.end(longPattern);
  const size = sizeOfPattern(pattern);
  meter.spend(4 * size + (size * text.length) / read);
}

interface Weighing {
  readonly meter: Meter;
  readonly tests: Tests;
  /** Characters for a step. */
  readonly unit: number;
}

/** A value with all that is in it; what is in it twice is counted twice, because a comparison goes there twice. */
function spendValue(value: CelValue, weighing: Weighing): void {
  const { meter, tests, unit } = weighing;
  meter.spend(1);
  if (typeof value === "string" || value instanceof Uint8Array) meter.spend(value.length / unit);
  else if (tests.isCelList(value)) for (const one of value) spendValue(one, weighing);
  else if (tests.isCelMap(value)) {
    for (const [key, one] of value) {
      if (typeof key === "string") meter.spend(key.length / unit);
      spendValue(one, weighing);
    }
  }
}

/** Spends what a loop copies of the list or map that it goes through. */
export function spendRange(range: CelValue, meter: Meter, { isCelList, isCelMap }: Tests): void {
  if (isCelList(range) || isCelMap(range)) meter.spend(range.size / copied);
}

/** Spends what a list costs that is made of two. */
export const spendList = (one: CelList, other: CelList, meter: Meter): void =>
  meter.spend((one.size + other.size) / copied);

/** Ends the evaluation where a function made too large a value. */
export function checkResult(result: unknown, meter: Meter): void {
  const large = typeof result === "string" || result instanceof Uint8Array;
  if (large && result.length > longestValue) meter.end(tooLarge);
}
