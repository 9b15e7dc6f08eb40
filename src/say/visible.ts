import { visible, withoutHidden } from "../model.ts";

/** Blanks in a row from which on a terminal could wrap, and make a value look like a line of its own. */
const many = / {16,}/g;

/** Returns one foreign value as it may stand in a line of text. */
export const shownValue = (text: string): string =>
  visible(text).replace(many, (blanks) => `[${blanks.length} blanks]`);

/**
 * Returns a view with every text in it made visible (`shownValue`), keys included. Each text rendering calls it first:
 * what clouds, tokens, issuers and files say can then neither begin a line nor change one.
 */
export function displayed<T>(view: T): T;
export function displayed(view: unknown): unknown {
  if (typeof view === "string") return shownValue(view);
  if (Array.isArray(view)) return view.map((one) => displayed<unknown>(one));
  if (view === null || typeof view !== "object" || !isPlain(view)) return view;
  const keys = new Set<string>();
  // Two keys that look alike stay two: else one of them would be lost.
  const entries = Object.entries(view).map(([key, value]) => {
    let name = shownValue(key);
    while (keys.has(name)) name += "'";
    keys.add(name);
    return [name, displayed<unknown>(value)] as const;
  });
  return Object.fromEntries(entries);
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** The colours of `ink`, and nothing else of what a terminal obeys. */
const colour = /\x1b\[(?:1|2|22|3[1236]|39)m/g;

/**
 * Returns a whole text as it may leave for a terminal: its line ends and the colours of `ink` stay, and whatever else is
 * hidden becomes visible. The last door, for what no rendering has passed through `displayed`.
 */
export function printable(text: string): string {
  const line = (part: string): string =>
    withoutHidden(part, (character) => (character === "\n" ? "\n" : visible(character)));
  const colours = text.match(colour) ?? [];
  return text
    .split(colour)
    .map((part, at) => line(part) + (colours[at] ?? ""))
    .join("");
}
