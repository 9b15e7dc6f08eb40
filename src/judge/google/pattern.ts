/**
 * Returns the size of an RE2 pattern: one for each character, class or assertion, with each counted repetition written
 * out, as RE2 does before it matches. At least the true size: what is no pattern may count as more than it is.
 */
export function sizeOfPattern(pattern: string): number {
  /** The sizes of the groups that are open, the whole pattern first. */
  const open = [0];
  let last = 0;
  const add = (size: number): void => {
    last = size;
    open.push((open.pop() ?? 0) + size);
  };
  for (const [token] of pattern.matchAll(tokens)) {
    if (token.startsWith("\\Q")) add(token.length);
    else if (/^\\p/i.test(token)) add(tableSize);
    else if (token[0] === "[" && token.length > 1) add(1 + token.length);
    else if (token === "(") open.push(1);
    else if (token === ")") {
      const group = open.pop() ?? 0;
      if (open.length === 0) open.push(0);
      add(group);
    } else if (/^\{\d/.test(token)) add(last * (mostOf(token) - 1));
    else add(1);
  }
  return open.reduce((sum, size) => sum + size, 0);
}

/** A table of Unicode, such as `\pL`, in the compiler: what it costs beside one character (measured). */
const tableSize = 8;

const mostOf = (repetition: string): number => Math.max(1, ...(repetition.match(/\d+/g) ?? []).map(Number));

/** Quoted text, tables, other escapes, classes, counted repetitions, and single characters. */
const tokens =
  /\\Q[\s\S]*?(?:\\E|$)|\\[pP](?:\{[^}]*\}|.)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]|\{\d+(?:,\d*)?\}|[\s\S]/g;
