import { engine } from "./engine.ts";

/** What an expression may speak of: the token, and in a condition what the mapping made of it. */
export interface Bindings {
  readonly assertion: Readonly<Record<string, unknown>>;
  readonly google?: Readonly<Record<string, unknown>>;
  readonly attribute?: Readonly<Record<string, unknown>>;
}

/**
 * What came of an expression. `failed`: it cannot be evaluated for these claims, which refuses an exchange (google.md,
 * trap 20). `undecided`: it is no CEL that this evaluator knows, so nothing is said about Google's answer.
 */
export type Outcome =
  | { readonly state: "value"; readonly value: unknown }
  | { readonly state: "failed" | "undecided"; readonly why: string };

/** What a condition must come to: an error, a missing claim and a text refuse (google.md 11.1). */
export const isTrue = (outcome: Outcome): boolean => outcome.state === "value" && outcome.value === true;

type Run = (bindings: Bindings) => Outcome;

const known = new Map<string, Run>();
/** A file has few expressions; a fuzzer has many. */
const mostKnown = 500;

/** Evaluates one expression. Never throws. Parsed once, because refusals are tried over and over. */
export function evaluate(expression: string, bindings: Bindings): Outcome {
  const run = known.get(expression) ?? compile(expression);
  if (known.size >= mostKnown) known.clear();
  known.set(expression, run);
  return run(bindings);
}

/** Why an expression is no CEL, with the place in it; undefined where it is. */
export function syntaxError(expression: string): string | undefined {
  try {
    engine().parse(expression);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^<input>:/, "");
  }
}

/** Of an unknown function Google may know more than we do; of a missing claim nobody does. */
const beyondUs = /unbound function|unresolved attribute|unsupported/;

function compile(expression: string): Run {
  const { parse, plan, env, isCelError, isCelList } = engine();
  let planned: ReturnType<typeof plan>;
  try {
    planned = plan(env, parse(expression));
  } catch (error) {
    const why = (error as Error).message;
    return () => ({ state: "undecided", why });
  }
  return (bindings) => {
    const value = planned(bindings as never);
    if (isCelError(value)) return { state: beyondUs.test(value.message) ? "undecided" : "failed", why: value.message };
    return { state: "value", value: isCelList(value) ? [...value] : value };
  };
}

/** A text as a CEL literal: whatever stands in it, it stays a text (reliability-and-security.md, case 107). */
export const quoted = (text: string): string =>
  `'${[...text].map((one) => escapes[one] ?? (isPlain(one) ? one : escaped(one))).join("")}'`;

const escapes: Readonly<Record<string, string>> = { "'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const isPlain = (one: string): boolean => one >= " " && one !== "\u007f";
const escaped = (one: string): string => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
