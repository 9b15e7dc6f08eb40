import type { Token } from "./issuers.ts";

// A small part of Google's expression language as trees: the generator builds them, the text goes to the cloud, and the
// truth is had from the tree. Nothing of the product is imported here.

/** What a comparison speaks of. `extract` is Google's own `text.extract("prefix{name}suffix")`. */
export type Term =
  | { readonly is: "claim"; readonly claim: string }
  | { readonly is: "attribute"; readonly name: string }
  | { readonly is: "extract"; readonly claim: string; readonly prefix: string; readonly suffix: string };

/** `anchored`: the pattern has to fit the whole text; else it is found anywhere in it. */
export type Condition =
  | { readonly is: "equals" | "startsWith" | "endsWith" | "contains"; readonly term: Term; readonly value: string }
  | { readonly is: "in"; readonly term: Term; readonly values: readonly string[] }
  | { readonly is: "matches"; readonly term: Term; readonly text: string; readonly anchored: boolean }
  | { readonly is: "has"; readonly claim: string }
  | { readonly is: "not"; readonly part: Condition }
  | { readonly is: "and" | "or"; readonly parts: readonly Condition[] };

/** The right side of a mapping's entry. `list` gives one group, taken from a claim. */
export type Mapped =
  | Term
  | { readonly is: "constant"; readonly value: string }
  | { readonly is: "list"; readonly claim: string };

/** By `google.subject`, `google.groups` or `attribute.NAME`. */
export type Mapping = Readonly<Record<string, Mapped>>;

export const claim = (name: string): Term => ({ is: "claim", claim: name });
export const attribute = (name: string): Term => ({ is: "attribute", name });
export const equals = (term: Term, value: string): Condition => ({ is: "equals", term, value });
export const and = (...parts: readonly Condition[]): Condition => ({ is: "and", parts });
export const or = (...parts: readonly Condition[]): Condition => ({ is: "or", parts });

// ---- As text

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

const termText = (term: Term): string => {
  if (term.is === "attribute") return term.name === "subject" ? "google.subject" : `attribute.${term.name}`;
  if (term.is === "claim") return `assertion.${term.claim}`;
  return `assertion.${term.claim}.extract(${quoted(`${term.prefix}{part}${term.suffix}`)})`;
};

/** Characters that a regular expression reads for itself. */
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export function conditionText(condition: Condition): string {
  switch (condition.is) {
    case "equals":
      return `${termText(condition.term)} == ${quoted(condition.value)}`;
    case "in":
      return `${termText(condition.term)} in [${condition.values.map(quoted).join(", ")}]`;
    case "matches": {
      const pattern = escaped(condition.text);
      return `${termText(condition.term)}.matches(${quoted(condition.anchored ? `^${pattern}$` : pattern)})`;
    }
    case "has":
      return `has(assertion.${condition.claim})`;
    case "not":
      return `!(${conditionText(condition.part)})`;
    case "and":
      return condition.parts.map((part) => inBrackets(part)).join(" && ");
    case "or":
      return condition.parts.map((part) => inBrackets(part)).join(" || ");
    default:
      return `${termText(condition.term)}.${condition.is}(${quoted(condition.value)})`;
  }
}

const inBrackets = (part: Condition): string =>
  part.is === "and" || part.is === "or" ? `(${conditionText(part)})` : conditionText(part);

export const mappedText = (mapped: Mapped): string => {
  if (mapped.is === "constant") return quoted(mapped.value);
  if (mapped.is === "list") return `[assertion.${mapped.claim}]`;
  return termText(mapped);
};

// ---- As truth

/** What a pool provider makes of a token. */
export interface Identity {
  readonly subject: string;
  readonly groups: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** Undefined where the expression cannot be evaluated: a claim is missing. */
function readTerm(term: Term, token: Token, identity?: Identity): string | undefined {
  if (term.is === "attribute") return term.name === "subject" ? identity?.subject : identity?.attributes[term.name];
  const text = token[term.claim];
  if (term.is === "claim" || text === undefined) return text;
  const from = text.indexOf(term.prefix);
  if (from < 0) return "";
  const rest = text.slice(from + term.prefix.length);
  if (term.suffix === "") return rest;
  const end = rest.indexOf(term.suffix);
  return end < 0 ? "" : rest.slice(0, end);
}

/** Undefined where the exchange is refused: a claim that the mapping reads is missing, or the subject is empty. */
export function identityOf(mapping: Mapping, token: Token): Identity | undefined {
  const attributes: Record<string, string> = {};
  let groups: readonly string[] = [];
  for (const [key, mapped] of Object.entries(mapping)) {
    if (mapped.is === "list") {
      const group = token[mapped.claim];
      if (group === undefined) return undefined;
      groups = [group];
      continue;
    }
    const value = mapped.is === "constant" ? mapped.value : readTerm(mapped, token);
    if (value === undefined) return undefined;
    attributes[key.replace(/^(google|attribute)\./, "")] = value;
  }
  const { subject = "" } = attributes;
  return subject === "" || Buffer.byteLength(subject) > 127 ? undefined : { subject, groups, attributes };
}

/** A false part decides an `and` and a true one an `or`, whatever error another part ends in, as in CEL. */
export function holds(condition: Condition, token: Token, identity: Identity): boolean | "error" {
  switch (condition.is) {
    case "has":
      return token[condition.claim] !== undefined;
    case "not": {
      const part = holds(condition.part, token, identity);
      return part === "error" ? "error" : !part;
    }
    case "and":
    case "or": {
      const decides = condition.is === "or";
      const parts = condition.parts.map((part) => holds(part, token, identity));
      return parts.includes(decides) ? decides : parts.includes("error") ? "error" : !decides;
    }
    default: {
      const value = readTerm(condition.term, token, identity);
      return value === undefined ? "error" : compares(condition, value);
    }
  }
}

function compares(condition: Exclude<Condition, { is: "has" | "not" | "and" | "or" }>, value: string): boolean {
  switch (condition.is) {
    case "equals":
      return value === condition.value;
    case "startsWith":
      return value.startsWith(condition.value);
    case "endsWith":
      return value.endsWith(condition.value);
    case "contains":
      return value.includes(condition.value);
    case "in":
      return condition.values.includes(value);
    case "matches":
      return condition.anchored ? value === condition.text : value.includes(condition.text);
  }
}

/** The literals that a condition holds against a claim: somebody who chooses the claim may say one of them. */
export function literalsOf(condition: Condition): readonly (readonly [claim: string, literal: string])[] {
  switch (condition.is) {
    case "has":
      return [[condition.claim, "something"]];
    case "not":
      return literalsOf(condition.part);
    case "and":
    case "or":
      return condition.parts.flatMap(literalsOf);
    default: {
      const { term } = condition;
      const name = term.is === "attribute" ? `attribute.${term.name}` : term.claim;
      if (condition.is === "in") return condition.values.map((value) => [name, value] as const);
      return [[name, condition.is === "matches" ? condition.text : condition.value]];
    }
  }
}
