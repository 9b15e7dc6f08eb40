import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from "yaml";
import type { Value } from "./values.ts";

/** YAML with its lines. */
export type Node =
  | { readonly is: "scalar"; readonly value: Value; readonly line: number }
  | { readonly is: "list"; readonly items: readonly Node[]; readonly line: number }
  | { readonly is: "map"; readonly entries: readonly (readonly [Key, Node])[]; readonly line: number };

export interface Key {
  readonly text: string;
  readonly line: number;
  /** Not in quotes: what YAML 1.1 takes for a boolean then is one there (serverless.md 5.1). */
  readonly plain: boolean;
}

/** A source that is no YAML as we take it. */
export class SourceProblem extends Error {}

/** YAML or JSON, one document. Throws `SourceProblem`; aliases and tags are refused, as their meaning there is unknown. */
export function readSource(text: string): Node {
  const counter = new LineCounter();
  const document = parseDocument(text, { intAsBigInt: true, lineCounter: counter, version: "1.2" });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw new SourceProblem(problem.message.split("\n")[0]);
  if (!document.contents) throw new SourceProblem("the source is empty");
  return nodeOf(document.contents, (offset) => counter.linePos(offset).line);
}

function nodeOf(node: ParsedNode, lineAt: (offset: number) => number): Node {
  const line = lineAt(node.range[0]);
  if (isAlias(node) || node.anchor) throw new SourceProblem(`line ${line}: anchors and aliases are not taken`);
  if (isSeq(node)) return { is: "list", items: node.items.map((item) => nodeOf(item as ParsedNode, lineAt)), line };
  if (isMap(node)) {
    const entries = node.items.map(({ key, value }) => {
      const at = lineAt((key as ParsedNode).range[0]);
      if (!isScalar(key)) throw new SourceProblem(`line ${at}: a key is a text`);
      const plain = key.type === "PLAIN";
      const item: Node = value ? nodeOf(value as ParsedNode, lineAt) : { is: "scalar", value: null, line: at };
      return [{ text: String(key.source ?? key.value), line: at, plain }, item] as const;
    });
    return { is: "map", entries, line };
  }
  return { is: "scalar", value: (node.value ?? null) as Value, line };
}
