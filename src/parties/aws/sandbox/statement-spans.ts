/** A place in a text, both from 1. */
export interface Position {
  readonly Line: number;
  readonly Column: number;
}

/** Where a statement begins and ends. */
export interface Span {
  readonly StartPosition: Position;
  readonly EndPosition: Position;
}

/** Where the statements of a policy document stand, in their order. The text is JSON. */
export function statementSpans(text: string): readonly Span[] {
  const value = memberAt(text, "Statement");
  if (value === undefined) return [];
  const spans: Span[] = [];
  let depth = 0;
  let start = value;
  for (const { at, character } of structure(text, value)) {
    if (character === "{" && ++depth === 1) start = at;
    else if (character === "}" && --depth === 0)
      spans.push({ StartPosition: positionOf(text, start), EndPosition: positionOf(text, at) });
    // The end of a list of statements, or of one that stands alone.
    if (depth === 0 && (character === "]" || (text[value] === "{" && character === "}"))) break;
  }
  return spans;
}

/** Where the value of a member of the outermost object begins. */
function memberAt(text: string, name: string): number | undefined {
  let depth = 0;
  for (const { at, character } of structure(text, 0)) {
    if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (depth === 1 && new RegExp(`"${name}"\\s*$`).test(text.slice(Math.max(0, at - 64), at)))
      return at + 1 + (/^\s*/.exec(text.slice(at + 1))?.[0].length ?? 0);
  }
  return undefined;
}

/** Brackets and colons of a JSON text that do not stand in a string. */
function* structure(text: string, from: number): Generator<{ readonly at: number; readonly character: string }> {
  for (const match of text.slice(from).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g))
    if (!match[0].startsWith('"')) yield { at: from + match.index, character: match[0] };
}

function positionOf(text: string, at: number): Position {
  const lines = text.slice(0, at).split("\n");
  return { Line: lines.length, Column: (lines.at(-1) ?? "").length + 1 };
}
