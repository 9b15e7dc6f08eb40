import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { type Node, parse } from "acorn";

/** A sentence that stands in the source of a fake. Each `${...}` of a template is given as `X`. */
export interface SandboxText {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * Returns every literal of the given files that reads like a sentence: two words or more, which is what no code, name or
 * address of the fakes has. It follows no call, so a text is found wherever it is written, and none can be missed.
 */
export function sentencesIn(pattern: string): readonly SandboxText[] {
  return globSync(pattern)
    .sort()
    .flatMap((file) => {
      const code = stripTypeScriptTypes(readFileSync(file, "utf8"), { mode: "strip" });
      const found: SandboxText[] = [];
      visit(parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true }), (text, line) => {
        if (isSentence(text)) found.push({ file, line, text });
      });
      return found;
    });
}

const isSentence = (text: string): boolean => /[a-z]{2,}[ ,.:'"]+ ?[a-zX]{2,}/i.test(text) && / /.test(text.trim());

/** What acorn's tree is read for, of all that a node may have. */
interface Read {
  readonly type?: string;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly cooked?: string } }[];
  readonly loc?: { readonly start: { readonly line: number } };
}

function visit(node: unknown, found: (text: string, line: number) => void): void {
  if (node === null || typeof node !== "object") return;
  const { type, value, quasis, loc } = node as Read & Partial<Node>;
  const line = loc?.start.line ?? 0;
  if (type === "Literal" && typeof value === "string") found(value, line);
  if (type === "TemplateLiteral") found((quasis ?? []).map((part) => part.value.cooked ?? "").join("X"), line);
  for (const inner of Object.values(node)) visit(inner, found);
}
