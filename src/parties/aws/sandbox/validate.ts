import { AwsError, type Params } from "./query.ts";
import { type ServiceName, type Shape, serviceModels } from "./service-model.ts";

/**
 * Holds a call against its service's model: lengths, patterns, enums, bounds, sizes of lists and required members.
 * Every violation is told at once, as AWS does. Throws ValidationError; of an operation that the model does not have,
 * nothing is checked.
 */
export function validate(service: ServiceName, operation: string, params: Params): void {
  const { operations, shapes } = serviceModels[service];
  const input = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (!input) return;
  const found = structure(treeOf(params), shapes[input], { path: "", shapes });
  if (found.length === 0) return;
  const told = found.map(
    (one) => `${valueText[service](one)} at '${one.path}' failed to satisfy constraint: ${one.says}`,
  );
  const errors = found.length === 1 ? "1 validation error" : `${found.length} validation errors`;
  throw new AwsError("ValidationError", 400, `${errors} detected: ${told.join("; ")}`);
}

interface Violation {
  /** As AWS writes it: `tags.1.member.key`. */
  readonly path: string;
  readonly says: string;
  /** As it was sent; undefined for what is missing. */
  readonly value: string | undefined;
  /** A secret is never shown. */
  readonly sensitive?: boolean | undefined;
}

/** IAM leaves the value out (recorded 2026-02: localstack's snapshots of IAM); STS shows it (aws.md 5.2). */
const valueText: Readonly<Record<ServiceName, (one: Violation) => string>> = {
  iam: () => "Value",
  sts: ({ value, sensitive }) => (value === undefined ? "Value null" : sensitive ? "Value" : `Value '${value}'`),
};

/** Flat names as a tree: `Tags.member.1.Key` is three levels down. */
interface Node {
  value?: string;
  readonly inner: Map<string, Node>;
}

function treeOf(params: Params): Node {
  const root: Node = { inner: new Map() };
  for (const [name, value] of params) {
    let at = root;
    for (const part of name.split(".")) {
      const next = at.inner.get(part) ?? { inner: new Map() };
      at.inner.set(part, next);
      at = next;
    }
    at.value = value;
  }
  return root;
}

/** Where a check stands. */
interface Place {
  readonly path: string;
  readonly shapes: Readonly<Record<string, Shape>>;
}

const below = (place: Place, name: string): Place => ({
  ...place,
  path: `${place.path}${place.path ? "." : ""}${name.charAt(0).toLowerCase()}${name.slice(1)}`,
});

function structure(node: Node, shape: Shape | undefined, place: Place): readonly Violation[] {
  return Object.entries(shape?.members ?? {}).flatMap(([name, inner]) => {
    const found = node.inner.get(name);
    const at = below(place, name);
    if (found) return anything(found, place.shapes[inner], at);
    const missing = { path: at.path, value: undefined, says: "Member must not be null" };
    return shape?.required?.includes(name) ? [missing] : [];
  });
}

function anything(node: Node, shape: Shape | undefined, place: Place): readonly Violation[] {
  if (shape?.type === "structure") return structure(node, shape, place);
  if (shape?.type === "list") return list(node, shape, place);
  const { value = "" } = node;
  return broken(value, shape).map((says) => ({ path: place.path, value, says, sensitive: shape?.sensitive }));
}

/** Of a list of texts all constraints are told at once, at the list; of one of structures each at its own place (recorded). */
function list(node: Node, shape: Shape, place: Place): readonly Violation[] {
  const numbered = [...(node.inner.get("member")?.inner ?? [])].sort(([a], [b]) => Number(a) - Number(b));
  const items = numbered.map(([, item]) => item);
  const value = `[${items.map((item) => item.value ?? "").join(", ")}]`;
  const told = (says: string): Violation => ({ path: place.path, value, says });
  const size = lengths(items.length, shape).map(told);
  const inner = shape.member === undefined ? undefined : place.shapes[shape.member];
  if (inner?.type === "structure" || inner?.type === "list")
    return [...size, ...items.flatMap((item, at) => anything(item, inner, below(place, `${at + 1}.member`)))];
  if (!items.some((item) => broken(item.value ?? "", inner).length > 0)) return size;
  return [
    ...size,
    told(`Member must satisfy constraint: [${[...allOf(inner), "Member must not be null"].join(", ")}]`),
  ];
}

const atMost = (max: number) => `less than or equal to ${max}`;
const atLeast = (min: number) => `greater than or equal to ${min}`;

function lengths(length: number, { min, max }: Shape): readonly string[] {
  return [
    ...(max !== undefined && length > max ? [`Member must have length ${atMost(max)}`] : []),
    ...(min !== undefined && length < min ? [`Member must have length ${atLeast(min)}`] : []),
  ];
}

/** The constraints of one value that it breaks. */
function broken(value: string, shape: Shape | undefined): readonly string[] {
  if (!shape) return [];
  if (shape.type === "integer" || shape.type === "long") return number(value, shape);
  if (shape.type === "boolean" && !/^(?:true|false)$/.test(value)) throw malformed(value, "a boolean");
  if (shape.type !== "string") return [];
  const { enum: values, pattern } = shape;
  return [
    ...lengths(value.length, shape),
    ...(pattern !== undefined && !whole(pattern).test(value) ? [patternText(pattern)] : []),
    ...(values && !values.includes(value) ? [enumText(values)] : []),
  ];
}

function number(value: string, { min, max }: Shape): readonly string[] {
  if (!/^[+-]?\d{1,10}$/.test(value)) throw malformed(value, "an integer");
  const given = Number(value);
  return [
    ...(max !== undefined && given > max ? [`Member must have value ${atMost(max)}`] : []),
    ...(min !== undefined && given < min ? [`Member must have value ${atLeast(min)}`] : []),
  ];
}

/** What cannot be read as its type has no constraint to break; code and text are approximate. */
const malformed = (value: string, what: string): AwsError =>
  new AwsError("MalformedInput", 400, `'${value}' is not ${what}.`);

/** Every constraint of a value, whether it is broken or not. */
const allOf = ({ min, max, pattern, enum: values }: Shape = { type: "string" }): readonly string[] => [
  ...(max === undefined ? [] : [`Member must have length ${atMost(max)}`]),
  ...(min === undefined ? [] : [`Member must have length ${atLeast(min)}`]),
  ...(pattern === undefined ? [] : [patternText(pattern)]),
  ...(values ? [enumText(values)] : []),
];

const patternText = (pattern: string) => `Member must satisfy regular expression pattern: ${pattern}`;
const enumText = (values: readonly string[]) => `Member must satisfy enum value set: [${values.join(", ")}]`;

const compiled = new Map<string, RegExp>();

/** The model's patterns are Java's and hold for the whole value. */
function whole(pattern: string): RegExp {
  const known = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`, "u");
  compiled.set(pattern, known);
  return known;
}
