import { SyntaxProblem, type Token, tokensOf } from "./lex.ts";
import type { Value } from "./values.ts";

/** What stands between `${` and `}`, parsed. */
export type Expression =
  | { readonly is: "literal"; readonly value: Value }
  | { readonly is: "name"; readonly name: string }
  | { readonly is: "member"; readonly of: Expression; readonly key: Expression }
  /** A library function or a subworkflow, by its dotted name. */
  | { readonly is: "call"; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: "unary"; readonly sign: "-" | "not"; readonly of: Expression }
  | { readonly is: "binary"; readonly sign: string; readonly left: Expression; readonly right: Expression }
  | { readonly is: "list"; readonly items: readonly Expression[] }
  | { readonly is: "map"; readonly entries: readonly (readonly [Expression, Expression])[] };

/** serverless.md 5.4, secondary; counted without `${` and `}`. */
const longest = 400;

/** The text without `${}`. Throws `SyntaxProblem`. */
export function parseExpression(text: string): Expression {
  if (text.length > longest) throw new SyntaxProblem(`an expression has at most ${longest} characters`);
  const parser = new Parser(tokensOf(text));
  const found = parser.or();
  parser.end();
  return found;
}

const words: ReadonlyMap<string, Value> = new Map([
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
  ...["null", "Null", "NULL"].map((word) => [word, null] as const),
]);
const comparisons = ["==", "!=", "<", "<=", ">", ">=", "in"];

/**
 * The grammar of serverless.md 6.4, one method a line of it. `not` binds tighter than minus and comparison: `not "x" in
 * m` is `(not "x") in m` (trap 14), and `not in` is no operator.
 */
class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  or(): Expression {
    return this.chain(["or"], () => this.chain(["and"], () => this.chain(comparisons, () => this.sum())));
  }

  end(): void {
    if (this.token.type !== "end") throw this.unexpected();
  }

  private sum(): Expression {
    return this.chain(["+", "-"], () => this.chain(["*", "/", "//", "%"], () => this.negation()));
  }

  private chain(signs: readonly string[], next: () => Expression): Expression {
    let left = next();
    for (;;) {
      if (signs === comparisons && this.word() === "not")
        throw new SyntaxProblem("write not(a in b): `not in` is none");
      const sign = this.word();
      if (sign === undefined || !signs.includes(sign)) return left;
      this.at += 1;
      left = { is: "binary", sign, left, right: next() };
    }
  }

  private negation(): Expression {
    if (this.word() !== "-") return this.not();
    this.at += 1;
    return { is: "unary", sign: "-", of: this.negation() };
  }

  private not(): Expression {
    if (this.word() !== "not") return this.post();
    this.at += 1;
    return { is: "unary", sign: "not", of: this.not() };
  }

  private post(): Expression {
    let found = this.primary();
    for (;;) {
      if (this.accept(".")) {
        const key = this.token;
        if (key.type !== "id") throw this.unexpected();
        this.at += 1;
        found = { is: "member", of: found, key: { is: "literal", value: key.text } };
      } else if (this.accept("[")) {
        found = { is: "member", of: found, key: this.or() };
        this.expect("]");
      } else if (this.accept("(")) {
        const name = dotted(found);
        if (name === undefined) throw new SyntaxProblem("only a function can be called");
        found = { is: "call", name, args: this.items(")", () => this.or()) };
      } else return found;
    }
  }

  private primary(): Expression {
    const { type, text } = this.token;
    const literal = this.literal();
    if (literal !== undefined) {
      this.at += 1;
      return { is: "literal", value: literal };
    }
    if (type === "id" && !["and", "or", "not", "in"].includes(this.word() ?? "")) {
      this.at += 1;
      return { is: "name", name: text };
    }
    if (this.accept("(")) {
      const inner = this.or();
      this.expect(")");
      return inner;
    }
    if (this.accept("[")) return { is: "list", items: this.items("]", () => this.or()) };
    if (this.accept("{")) return { is: "map", entries: this.items("}", () => this.entry()) };
    throw this.unexpected();
  }

  private literal(): Value | undefined {
    const { type, text } = this.token;
    if (type === "string") return text;
    if (type === "id") return words.get(text);
    if (type === "number") return /^\d+$/.test(text) ? BigInt(text) : Number(text);
    return undefined;
  }

  private entry(): readonly [Expression, Expression] {
    const key = this.or();
    this.expect(":");
    return [key, this.or()];
  }

  private items<T>(close: string, next: () => T): readonly T[] {
    const found: T[] = [];
    if (this.accept(close)) return found;
    do found.push(next());
    while (this.accept(","));
    this.expect(close);
    return found;
  }

  private get token(): Token {
    return this.tokens[this.at] as Token;
  }

  /** A sign, or a word that may be one: `and`, `or`, `not` in lower or upper case. */
  private word(): string | undefined {
    const { type, text } = this.token;
    if (type === "sign") return text;
    if (type !== "id") return undefined;
    return ["AND", "OR", "NOT", "IN"].includes(text) ? text.toLowerCase() : text;
  }

  private accept(sign: string): boolean {
    const found = this.token.type === "sign" && this.token.text === sign;
    if (found) this.at += 1;
    return found;
  }

  private expect(sign: string): void {
    if (!this.accept(sign)) throw this.unexpected();
  }

  private unexpected(): SyntaxProblem {
    const { type, text, at } = this.token;
    return new SyntaxProblem(type === "end" ? "the expression is cut off" : `"${text}" is not expected at ${at + 1}`);
  }
}

/** `text.split` of the expression that reads so; undefined for any other. */
export function dotted(of: Expression): string | undefined {
  if (of.is === "name") return of.name;
  if (of.is !== "member" || of.key.is !== "literal" || typeof of.key.value !== "string") return undefined;
  const front = dotted(of.of);
  return front === undefined ? undefined : `${front}.${of.key.value}`;
}

/** Every expression inside one, itself among them. */
export function* within(root: Expression): Generator<Expression> {
  yield root;
  for (const inner of partsOf(root)) yield* within(inner);
}

function partsOf(of: Expression): readonly Expression[] {
  if (of.is === "member") return [of.of, of.key];
  if (of.is === "call") return of.args;
  if (of.is === "unary") return [of.of];
  if (of.is === "binary") return [of.left, of.right];
  if (of.is === "list") return of.items;
  return of.is === "map" ? of.entries.flat() : [];
}
