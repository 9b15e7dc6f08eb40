import { type Expression, parseExpression, within } from "./expression.ts";
import type { Node } from "./read.ts";
import type { Value } from "./values.ts";

/** A value as the file has it: plain, or with expressions in it. */
export type Template =
  | { readonly is: "plain"; readonly value: Value }
  | { readonly is: "expression"; readonly of: Expression }
  | { readonly is: "list"; readonly items: readonly Template[] }
  | { readonly is: "map"; readonly entries: readonly (readonly [Template, Template])[] };

const whole = /^\$\{([\s\S]*)\}$/;

/** `undefined` where the text is no expression at all. Throws `SyntaxProblem`, and for a text that mixes both. */
export function scalarOf(text: string): Template {
  const inner = whole.exec(text.trim())?.[1];
  // `${a} and ${b}` begins and ends like one expression: what stands inside is then no expression, and is refused.
  if (inner !== undefined) return { is: "expression", of: parseExpression(inner) };
  if (text.includes("${")) throw new MixedProblem(text);
  return { is: "plain", value: text };
}

/** What the real service makes of such a scalar is unverified (serverless.md 6.3): it is refused. */
export class MixedProblem extends Error {
  constructor(text: string) {
    super(`text and \${} are mixed in ${JSON.stringify(text)}: one expression is the whole scalar`);
  }
}

/** The template of a node; problems go to `say` with their line, and leave null behind. */
export function templateOf(node: Node, say: (line: number, says: string) => void): Template {
  if (node.is === "list") return { is: "list", items: node.items.map((item) => templateOf(item, say)) };
  if (node.is === "map") {
    const entries = node.entries.map(
      ([key, item]) => [scalar(key.text, key.line, say), templateOf(item, say)] as const,
    );
    return { is: "map", entries };
  }
  return typeof node.value === "string" ? scalar(node.value, node.line, say) : { is: "plain", value: node.value };
}

function scalar(text: string, line: number, say: (line: number, says: string) => void): Template {
  try {
    return scalarOf(text);
  } catch (error) {
    say(line, (error as Error).message);
    return { is: "plain", value: null };
  }
}

/** Every expression in it, those inside others among them. */
export function* expressionsIn(template: Template): Generator<Expression> {
  if (template.is === "expression") yield* within(template.of);
  if (template.is === "list") for (const item of template.items) yield* expressionsIn(item);
  if (template.is === "map") for (const entry of template.entries.flat()) yield* expressionsIn(entry);
}
