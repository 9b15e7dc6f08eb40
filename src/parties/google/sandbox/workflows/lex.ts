/** A word of an expression; `text` of a string is what it stands for. */
export interface Token {
  readonly type: "number" | "string" | "id" | "sign" | "end";
  readonly text: string;
  /** From 0, in the expression. */
  readonly at: number;
}

/** Says what is wrong with an expression, before anything runs. */
export class SyntaxProblem extends Error {}

const number = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const id = /[A-Za-z_][A-Za-z0-9_]*/y;
const string = /"(?:[^"\\]|\\[\s\S])*"/y;
const sign = /\/\/|==|!=|<=|>=|[-+*/%()[\]{}.,:<>]/y;
const space = /\s+/y;

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\", "/": "/" };

/** Throws `SyntaxProblem` at what the grammar does not have, single quotes among it (serverless.md 6.4). */
export function tokensOf(text: string): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const blank = take(space);
    const [type, word] = blank === undefined ? wordAt(take) : (["sign", blank] as const);
    if (word === undefined) throw new SyntaxProblem(unexpected(text, at));
    if (blank === undefined) found.push({ type, text: type === "string" ? unescaped(word) : word, at });
    at += word.length;
  }
  return [...found, { type: "end", text: "", at }];
}

function wordAt(take: (pattern: RegExp) => string | undefined): readonly [Token["type"], string | undefined] {
  const kinds = [
    ["number", number],
    ["id", id],
    ["string", string],
    ["sign", sign],
  ] as const;
  for (const [type, pattern] of kinds) {
    const word = take(pattern);
    if (word !== undefined) return [type, word];
  }
  return ["end", undefined];
}

function unescaped(word: string): string {
  return word.slice(1, -1).replace(/\\([\s\S])/g, (_, mark: string) => {
    const stands = escapes[mark];
    if (stands === undefined) throw new SyntaxProblem(`the escape \\${mark} is not known`);
    return stands;
  });
}

function unexpected(text: string, at: number): string {
  if (text[at] === "'") return "strings stand in double quotes, not in single ones";
  if (text[at] === '"') return "a string is not closed";
  return `${JSON.stringify(text[at])} is not expected at ${at + 1}`;
}
