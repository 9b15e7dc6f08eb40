/**
 * An attribute condition as a set of alternatives: each link that shares a pool provider adds one, and takes its own
 * away again. A single one is written as it is, several as `(a) || (b)`, in an order that does not depend on the file's.
 */
export function renderCondition(alternatives: readonly string[]): string {
  const all = [...new Set(alternatives)].sort();
  return all.length > 1 ? all.map((one) => `(${one})`).join(" || ") : (all[0] ?? "");
}

/**
 * The other way round. Only what has exactly the form above is taken apart: any other text is one alternative, which is
 * then told as a whole. An empty text holds none, and lets every valid token in (google.md 6.1).
 */
export function parseCondition(text: string): readonly string[] {
  const plain = text.trim();
  if (plain === "") return [];
  const parts = groupsOf(plain);
  return parts && parts.length > 1 && renderCondition(parts) === plain ? parts : [plain];
}

/** The insides of `(a) || (b) || ...`; undefined where the text is anything else. */
function groupsOf(text: string): readonly string[] | undefined {
  const found: string[] = [];
  for (let at = 0; ; ) {
    const end = text[at] === "(" ? closing(text, at) : undefined;
    if (end === undefined) return undefined;
    found.push(text.slice(at + 1, end));
    if (end === text.length - 1) return found;
    if (!text.startsWith(" || ", end + 1)) return undefined;
    at = end + 1 + " || ".length;
  }
}

/** Where the bracket at `from` closes. What stands in quotes is text, brackets and all. */
function closing(text: string, from: number): number | undefined {
  let depth = 0;
  // Quoted texts are stepped over whole; whatever else stands here is one character.
  for (const found of text.slice(from).matchAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[()]/g)) {
    if (found[0] === "(") depth++;
    if (found[0] === ")" && --depth === 0) return from + found.index;
  }
  return undefined;
}
