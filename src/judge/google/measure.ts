import { deepestTree } from "./budget.ts";
import type { Cel } from "./library.ts";

/** A node of a parsed expression. */
export type Expr = ReturnType<Cel["parse"]>["expr"];
type Fold = Extract<Expr["exprKind"], { case: "comprehensionExpr" }>["value"];

/** The functions that `counting` puts into an expression. No expression can name them: `@` begins no name of CEL. */
export const stepFunction = "@crosstrust_step";
export const rangeFunction = "@crosstrust_range";

/** How deep brackets are nested in a text that is not parsed yet. What stands in quotes and comments is no bracket. */
export function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(tokens)) {
    if (token === "(" || token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    if (token === ")" || token === "]" || token === "}") depth--;
  }
  return deepest;
}

/** CEL's texts in their order of precedence, comments and brackets. In a raw text a backslash escapes nothing. */
const tokens =
  /[rR][bB]?(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n\r]*"|'[^'\n\r]*')|"""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|\/\/[^\n]*|[()[\]{}]/g;

/**
 * Puts the counting functions into a parsed expression, and returns the steps of what it evaluates outside of loops: one
 * for each node. Undefined: it is deeper than an evaluation may be. Each turn of a loop counts the nodes of its body.
 */
export function counting(root: Expr): number | undefined {
  const loops = new Map<Fold | undefined, number>();
  const open: { readonly node: Expr; readonly depth: number; readonly loop: Fold | undefined }[] = [];
  open.push({ node: root, depth: 1, loop: undefined });
  for (let next = open.pop(); next; next = open.pop()) {
    const { node, depth, loop } = next;
    if (depth > deepestTree) return undefined;
    loops.set(loop, (loops.get(loop) ?? 0) + stepsOf(node));
    const { exprKind } = node;
    const fold = exprKind.case === "comprehensionExpr" ? exprKind.value : undefined;
    for (const child of outsideOfLoop(node)) open.push({ node: child, depth: depth + 1, loop });
    for (const child of [fold?.loopCondition, fold?.loopStep])
      if (child) open.push({ node: child, depth: depth + 1, loop: fold });
  }
  for (const [fold, steps] of loops) if (fold) countTurns(fold, steps);
  return loops.get(undefined) ?? 0;
}

function countTurns(fold: Fold, steps: number): void {
  if (fold.loopCondition) fold.loopCondition = call(stepFunction, [fold.loopCondition, number(steps)]);
  if (fold.iterRange) fold.iterRange = call(rangeFunction, [fold.iterRange]);
}

const call = (name: string, args: Expr[]): Expr => ({
  $typeName: "cel.expr.Expr",
  id: 0n,
  exprKind: { case: "callExpr", value: { $typeName: "cel.expr.Expr.Call", function: name, args } },
});

const number = (value: number): Expr => ({
  $typeName: "cel.expr.Expr",
  id: 0n,
  exprKind: {
    case: "constExpr",
    value: { $typeName: "cel.expr.Constant", constantKind: { case: "int64Value", value: BigInt(value) } },
  },
});

/** The library looks for a chain `a.b.c` under each of its beginnings, so a long one costs its length squared. */
function stepsOf(node: Expr): number {
  let length = 0;
  for (let at: Expr | undefined = node; at?.exprKind.case === "selectExpr"; at = at.exprKind.value.operand) length++;
  return 1 + Math.floor(length / 4);
}

/** What a node evaluates once, each time it is evaluated itself. */
function outsideOfLoop({ exprKind }: Expr): readonly Expr[] {
  switch (exprKind.case) {
    case "selectExpr":
      return present([exprKind.value.operand]);
    case "callExpr":
      return present([exprKind.value.target, ...exprKind.value.args]);
    case "listExpr":
      return exprKind.value.elements;
    case "structExpr":
      return exprKind.value.entries.flatMap(({ keyKind, value }) =>
        present([keyKind.case === "mapKey" ? keyKind.value : undefined, value]),
      );
    case "comprehensionExpr":
      return present([exprKind.value.iterRange, exprKind.value.accuInit, exprKind.value.result]);
    default:
      return [];
  }
}

const present = (nodes: readonly (Expr | undefined)[]): readonly Expr[] => nodes.filter((node) => node !== undefined);

/** The claims that an expression reads, by name; undefined where it may read any, such as by a computed name. */
export function claimsRead(root: Expr): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  const open = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    const name = claimOf(node);
    if (name !== undefined) names.add(name);
    else if (isAssertion(node)) return undefined;
    else {
      const { exprKind } = node;
      open.push(...outsideOfLoop(node));
      if (exprKind.case === "comprehensionExpr")
        open.push(...present([exprKind.value.loopCondition, exprKind.value.loopStep]));
    }
  }
  return names;
}

const isAssertion = (node: Expr | undefined): boolean =>
  node?.exprKind.case === "identExpr" && /^\.?assertion$/.test(node.exprKind.value.name);

/** `assertion.NAME` and `assertion['NAME']`. */
function claimOf({ exprKind }: Expr): string | undefined {
  if (exprKind.case === "selectExpr" && isAssertion(exprKind.value.operand)) return exprKind.value.field;
  if (exprKind.case !== "callExpr" || exprKind.value.function !== "_[_]") return undefined;
  const [of, key] = exprKind.value.args;
  if (!isAssertion(of) || key?.exprKind.case !== "constExpr") return undefined;
  const { constantKind } = key.exprKind.value;
  return constantKind.case === "stringValue" ? constantKind.value : undefined;
}
