import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Code, Finding, Place } from "../model.ts";

/**
 * A YAML value without YAML: text, lists and null-prototype maps, and where each of them stands. There are no
 * numbers, no booleans and no null: YAML would turn 012345678901 into another account
 * (reliability-and-security.md, 1.1, 9).
 */
export type Tree = string | readonly Tree[] | { readonly [key: string]: Tree };

/** With findings the tree may have holes, and is only good for finding more errors. */
export interface Parsed {
  /** Undefined where the file is empty or could not be parsed. */
  readonly tree: Tree | undefined;
  /** Places by dotted path (`links.a.to.aws.role`); a map member's place is that of its value. */
  readonly places: ReadonlyMap<string, Place>;
  /** Places of the keys themselves, by the same paths. */
  readonly keys: ReadonlyMap<string, Place>;
  readonly findings: readonly Finding[];
}

// Caps before parsing and while walking (reliability-and-security.md, 3a, cases 9 and 10).
const maxBytes = 1024 * 1024;
const maxDepth = 20;
/** They mean something to JavaScript objects (case 20). */
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads bytes as the strict YAML of federation files: one document, every scalar a string, no anchors,
 * aliases, merge keys, tags or duplicate keys (reliability-and-security.md, 3a). Lists every error at once,
 * and throws none.
 */
export function parseTree(file: string, bytes: Uint8Array): Parsed {
  const walk = new Walk(file);
  const text = walk.decode(bytes);
  if (text === undefined) return walk.result(undefined);
  const document = walk.parse(text);
  return walk.result(document?.contents ? walk.visit(document.contents, [], 0) : undefined);
}

/** One reading of one file. Errors do not end it: a file is mended once, and not once for each error. */
class Walk {
  readonly findings: Finding[] = [];
  readonly places = new Map<string, Place>();
  readonly keys = new Map<string, Place>();
  private readonly lines = new LineCounter();
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  result(tree: Tree | undefined): Parsed {
    return { tree, places: this.places, keys: this.keys, findings: this.findings };
  }

  /** Strict UTF-8 (case 17); a BOM at the start is dropped (case 16). */
  decode(bytes: Uint8Array): string | undefined {
    const start = { file: this.file, line: 1, column: 1 };
    if (bytes.length > maxBytes) {
      this.error("FILE-TOO-LARGE", start, [`the file has ${bytes.length} bytes; at most ${maxBytes} are read`]);
      return undefined;
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      this.error("FILE-ENCODING", start, ["the file is not UTF-8", "save it as UTF-8"]);
      return undefined;
    }
  }

  /**
   * The failsafe schema keeps every scalar as the text it is. Duplicate keys are left to the walk, which can
   * name the first one's line. A second document is an error, and the first is still read.
   */
  parse(text: string): Document.Parsed | undefined {
    let document: Document.Parsed;
    try {
      document = parseDocument(text, {
        schema: "failsafe",
        uniqueKeys: false,
        strict: true,
        stringKeys: true,
        prettyErrors: false,
        lineCounter: this.lines,
      });
    } catch (error) {
      // 20,000 nested brackets overflow the parser's stack: it is the depth that is wrong, not the tool.
      if (!(error instanceof RangeError)) throw error;
      this.error("YAML-TOO-DEEP", { file: this.file, line: 1, column: 1 }, [`nested deeper than ${maxDepth} levels`]);
      return undefined;
    }
    const warned = document.warnings.filter(({ code }) => code !== "TAG_RESOLVE_FAILED");
    for (const problem of [...document.errors, ...warned].sort((a, b) => a.pos[0] - b.pos[0])) {
      const message = problem.message.split("\n")[0] ?? "";
      this.error(yamlCode(problem.code, message), this.placeOf(problem.pos[0]), [yamlSays(problem.code, message)]);
    }
    // The parser only warns of a tag it does not know and keeps the text: the walk below refuses every tag.
    return document.errors.some((problem) => problem.code !== "MULTIPLE_DOCS") ? undefined : document;
  }

  /**
   * One node as plain data, its place noted under its path. Aliases are refused before they are followed, so
   * that neither an alias bomb nor a cycle is ever unfolded (cases 7 and 8).
   */
  visit(node: Node, path: readonly string[], depth: number): Tree {
    const place = this.placeOf(node.range?.[0] ?? 0);
    this.places.set(path.join("."), place);
    if (depth > maxDepth) {
      this.error("YAML-TOO-DEEP", place, [`nested deeper than ${maxDepth} levels`]);
      return "";
    }
    if (isAlias(node) || ("anchor" in node && node.anchor)) {
      this.error("YAML-ALIAS-NOT-ALLOWED", place, ["anchors and aliases are not allowed", "write the value out"]);
      return "";
    }
    if ("tag" in node && node.tag && !/^tag:yaml.org,2002:(map|seq|str)$/.test(node.tag)) {
      this.error("YAML-TAG-NOT-ALLOWED", place, [`the tag ${printable(node.tag)} is not allowed`, "write plain text"]);
      return "";
    }
    if (isMap(node)) return this.map(node.items as readonly { key: unknown; value: unknown }[], path, depth);
    if (isSeq(node)) return node.items.map((item, at) => this.visit(item as Node, [...path, String(at)], depth + 1));
    return isScalar(node) ? this.text(String(node.value ?? ""), place) : "";
  }

  private map(items: readonly { key: unknown; value: unknown }[], path: readonly string[], depth: number): Tree {
    // A null prototype: a key named __proto__ can then set nothing but itself, and it is refused anyway.
    const result: Record<string, Tree> = Object.create(null);
    for (const { key, value } of items) {
      const node = key as Node;
      const place = this.placeOf(node.range?.[0] ?? 0);
      const name = isScalar(node) ? this.text(String(node.value ?? ""), place) : "";
      const inner = [...path, name];
      const first = this.keys.get(inner.join("."));
      if (first) {
        this.error("YAML-DUPLICATE-KEY", place, [
          `the key ${name} stands twice in one map, first in line ${first.line}`,
        ]);
        continue;
      }
      this.keys.set(inner.join("."), place);
      if (forbiddenKeys.has(name)) this.error("FILE-FORBIDDEN-KEY", place, [`the key ${name} is not allowed`]);
      else if (name === "<<")
        this.error("YAML-ALIAS-NOT-ALLOWED", place, ["merge keys are not allowed", "write the keys out"]);
      else if (value === null) {
        this.places.set(inner.join("."), place);
        result[name] = "";
      } else result[name] = this.visit(value as Node, inner, depth + 1);
    }
    return result;
  }

  /**
   * Only printable ASCII: look-alike letters, bidi overrides and control characters hide what is trusted
   * (case 33); they are told by code point and never echoed. A `${` would be taken for interpolation (case
   * 43).
   */
  private text(value: string, place: Place): string {
    const odd = /[^\x20-\x7e]/u.exec(value)?.[0];
    if (odd === undefined) {
      if (value.includes("${")) {
        this.error("FILE-NO-INTERPOLATION", place, ["`${` is not replaced in this file", "write the value itself"]);
      }
      return value;
    }
    const point = `U+${(odd.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
    const control = /[\x00-\x1f\x7f-\x9f]/.test(odd);
    // What looks like a well-known name is not, and its other form shows it (case 63).
    const host = /^https?:/.test(value) ? URL.parse(value)?.hostname : undefined;
    const shown = host?.includes("xn--") ? `; this host is ${host}` : "";
    this.error(control ? "STRING-CONTROL-CHAR" : "CONFUSABLE", place, [
      control ? `a control character (${point}) stands in this value` : `${point} is not an ASCII character${shown}`,
      control
        ? "take it out; a text in several lines ends without one after >- in place of >"
        : "type the name again in plain ASCII; a host name in its xn-- form",
    ]);
    return "";
  }

  /** From an offset. Nodes that stand nowhere in the text count as its first place. */
  private placeOf(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** One error a line and code: a parser that lost its way repeats itself, and depth is said once. */
  private error(code: Code, place: Place, [says, ...fix]: readonly [string, ...string[]]): void {
    const said = this.findings.some(
      (other) => other.code === code && (code === "YAML-TOO-DEEP" || other.at.place?.line === place.line),
    );
    if (said) return;
    this.findings.push({ code, severity: "error", at: { place }, says, because: [], fix });
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 60);

/** Our code for a parser's: users look it up, and the parser's may change with its version. */
function yamlCode(code: string, message: string): Code {
  if (code === "MULTIPLE_DOCS") return "YAML-SECOND-DOCUMENT";
  return /call stack|too deep/i.test(message) ? "YAML-TOO-DEEP" : "YAML-SYNTAX";
}

/** The parser's message in our style: lower case, no full stop, nothing that could move a cursor. */
function yamlSays(code: string, message: string): string {
  if (yamlCode(code, message) === "YAML-TOO-DEEP") return `nested deeper than ${maxDepth} levels`;
  if (code === "MULTIPLE_DOCS") return "a federation file is one document; a second one starts here";
  return printable(message.charAt(0).toLowerCase() + message.slice(1)).replace(/[.:]$/, "");
}
