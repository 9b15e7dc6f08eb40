/** A value of a JSON text with its first character and the one behind its last, in UTF-16 units from the start of the text. */
export type Node = { readonly at: number; readonly end: number } & Value;

type Value =
  | { readonly kind: "object"; readonly members: readonly Member[] }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "number" | "boolean" | "null" };

/** A member of an object. `at` is where its name begins. */
export interface Member {
  readonly name: string;
  readonly at: number;
  readonly value: Node;
}

/** The text is no JSON; `at` is where reading stopped. */
export class JsonFault extends Error {
  readonly at: number;

  constructor(at: number, says: string) {
    super(says);
    this.at = at;
  }
}

/** No policy nests deeper than this, and a text that does must not exhaust the stack. */
const deepest = 64;

const blank = /[\t\n\r ]*/y;
const text = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const plain = /(?<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<boolean>true|false)|(?<null>null)/y;

/**
 * Reads a JSON text and keeps the place of each value. `JSON.parse` loses the places, and lets a name that comes twice
 * in an object pass: there the last one counts, and the reader of the policy sees both. Throws a `JsonFault`.
 */
export function readJson(source: string): Node {
  const node = valueAt(source, after(source, 0), 0);
  const rest = after(source, node.end);
  if (rest < source.length) throw new JsonFault(rest, "something follows the end of the document");
  return node;
}

function valueAt(source: string, at: number, depth: number): Node {
  if (depth > deepest) throw new JsonFault(at, `values are nested more than ${deepest} deep`);
  if (source[at] === "{") return objectAt(source, at, depth);
  if (source[at] === "[") return listAt(source, at, depth);
  if (source[at] === '"') {
    const { value, end } = textAt(source, at);
    return { kind: "text", at, value, end };
  }
  plain.lastIndex = at;
  const match = plain.exec(source);
  if (!match) throw new JsonFault(at, at < source.length ? "a value is expected here" : "the document ends too early");
  const kind = match.groups?.number !== undefined ? "number" : match.groups?.boolean !== undefined ? "boolean" : "null";
  return { kind, at, end: plain.lastIndex };
}

function textAt(source: string, at: number): { readonly value: string; readonly end: number } {
  text.lastIndex = at;
  const match = text.exec(source);
  if (!match) throw new JsonFault(at, "a text in double quotes is expected here");
  const value: unknown = JSON.parse(match[0]);
  return { value: String(value), end: text.lastIndex };
}

function listAt(source: string, at: number, depth: number): Node {
  const items: Node[] = [];
  let here = after(source, at + 1);
  while (source[here] !== "]") {
    if (items.length > 0) here = passed(source, here, ",");
    const node = valueAt(source, here, depth + 1);
    items.push(node);
    here = after(source, node.end);
  }
  return { kind: "list", at, items, end: here + 1 };
}

function objectAt(source: string, at: number, depth: number): Node {
  const members: Member[] = [];
  let here = after(source, at + 1);
  while (source[here] !== "}") {
    if (members.length > 0) here = passed(source, here, ",");
    const name = textAt(source, here);
    const value = valueAt(source, passed(source, after(source, name.end), ":"), depth + 1);
    members.push({ name: name.value, at: here, value });
    here = after(source, value.end);
  }
  return { kind: "object", at, members, end: here + 1 };
}

/** Behind one sign and the blanks that follow it. */
function passed(source: string, at: number, sign: string): number {
  if (source[at] !== sign) throw new JsonFault(at, `${sign} is expected here`);
  return after(source, at + 1);
}

/** The first character at or behind `at` that is no blank. */
function after(source: string, at: number): number {
  blank.lastIndex = at;
  blank.exec(source);
  return blank.lastIndex;
}

/** The member of an object by its name; undefined where there is none. */
export const memberOf = (node: Node, name: string): Member | undefined =>
  node.kind === "object" ? node.members.find((member) => member.name === name) : undefined;

/** A single value counts as a list of one, as everywhere in a policy. */
export const itemsOf = (node: Node): readonly Node[] => (node.kind === "list" ? node.items : [node]);
