import {
  costly,
  deepestNesting,
  longestExpression,
  Meter,
  mostStepsTogether,
  tooDeep,
  tooLong,
  tooManySteps,
} from "./budget.ts";
import { engine } from "./engine.ts";
import { claimsRead, counting, nestingOf } from "./measure.ts";

/** What an expression may speak of: the token, and in a condition what the mapping made of it. */
export interface Bindings {
  readonly assertion: Readonly<Record<string, unknown>>;
  readonly google?: Readonly<Record<string, unknown>>;
  readonly attribute?: Readonly<Record<string, unknown>>;
}

/**
 * What came of an expression. `failed`: it cannot be evaluated for these claims. `undecided`: nothing is said about
 * Google's answer, because this evaluator does not know a function, or because the expression is over budget.
 */
export type Outcome =
  | { readonly state: "value"; readonly value: unknown }
  | { readonly state: "failed"; readonly why: string }
  | { readonly state: "undecided"; readonly why: string; readonly overBudget?: true };

/** What a condition must come to: an error, a missing claim and a text refuse (google.md 11.1). */
export const isTrue = (outcome: Outcome): boolean => outcome.state === "value" && outcome.value === true;

/** Evaluates one expression. Never throws. */
export function evaluate(expression: string, bindings: Bindings): Outcome {
  const [outcome] = evaluateAll([expression], bindings);
  return outcome ?? overBudget(tooManySteps(mostStepsTogether));
}

/**
 * Evaluates expressions that belong together, such as the entries of a mapping, for the same claims. Never throws. They
 * share a budget for as long as the process lives, because outsiders are tried by the hundred: once it is spent, each
 * later evaluation is undecided at once. So is each later one of a single expression that was over budget.
 */
export function evaluateAll(expressions: readonly string[], bindings: Bindings): readonly Outcome[] {
  const key = JSON.stringify(expressions);
  return remembered(sets, key, () => new ExpressionSet(expressions)).evaluate(bindings);
}

/** Of each, the ones that were not used for longest are forgotten. A file has few expressions; a fuzzer has many. */
const mostKnown = 2000;
const expressionsKnown = new Map<string, Expression>();
const sets = new Map<string, ExpressionSet>();

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.delete(key);
  known.set(key, value);
  for (const [oldest] of known) {
    if (known.size <= mostKnown) break;
    known.delete(oldest);
  }
  return value;
}

/** Why an expression is no CEL, with the place in it; undefined where it is, and where it is too large to be parsed here. */
export function syntaxError(expression: string): string | undefined {
  if (tooLarge(expression) !== undefined) return undefined;
  try {
    engine().parse(expression);
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    return (error as Error).message.replace(/^<input>:/, "");
  }
}

/** Why an expression does not fit the budget as it is written. A parser has no steps to count, so its text is bounded. */
function tooLarge(expression: string): string | undefined {
  // A character beyond U+FFFF is two units of the language.
  if (expression.length > 2 * longestExpression || [...expression].length > longestExpression) return tooLong;
  return nestingOf(expression) > deepestNesting ? tooDeep : undefined;
}

const overBudget = (why: string): Outcome => ({ state: "undecided", why, overBudget: true });

/** Of an unknown function Google may know more than we do; of a missing claim nobody does. */
const beyondUs = /unbound function|unresolved attribute|unsupported/;
/** Limits of the language, should a value reach one of them before the budget does. */
const beyondLanguage = /^Maximum call stack size exceeded|^Invalid (?:string|array) length/;

type Input = Readonly<Record<string, unknown>>;

/** One expression, parsed and planned once. */
class Expression {
  /** The claims that it reads; undefined where it may read any. */
  readonly claims: ReadonlySet<string> | undefined = new Set();
  /** The answer to all claims, where there is one: no CEL, or over budget. */
  #always: Outcome | undefined;
  #run: (input: Input) => unknown = () => undefined;
  /** Steps of the nodes outside of loops, which are evaluated at most once. */
  #steps = 0;
  readonly #meter = new Meter();

  constructor(text: string) {
    const large = tooLarge(text);
    if (large !== undefined) {
      this.#always = overBudget(large);
      return;
    }
    try {
      const { parse, plan, envFor } = engine();
      const { expr } = parse(text);
      this.claims = claimsRead(expr);
      const steps = counting(expr);
      if (steps === undefined) {
        this.#always = overBudget(tooDeep);
        return;
      }
      this.#steps = steps;
      const planned = plan(envFor(this.#meter), expr);
      this.#run = (input) => planned(input as never);
    } catch (error) {
      // What is no deeper than the budget allows fits the stack of any machine.
      const deep = error instanceof RangeError;
      this.#always = deep ? overBudget(tooDeep) : { state: "undecided", why: (error as Error).message };
    }
  }

  /** The outcome, and the steps that it took. */
  evaluate(input: Input): { readonly outcome: Outcome; readonly steps: number } {
    if (this.#always) return { outcome: this.#always, steps: 0 };
    this.#meter.start(this.#steps);
    const outcome = this.#outcomeOf(withoutTraces(() => this.#run(input)));
    if (outcome.state === "undecided" && outcome.overBudget) this.#always = outcome;
    return { outcome, steps: this.#meter.spent };
  }

  #outcomeOf(value: unknown): Outcome {
    const { isCelError, isCelList } = engine();
    if (this.#meter.over !== undefined) return overBudget(this.#meter.over);
    if (!isCelError(value)) return { state: "value", value: isCelList(value) ? [...value] : value };
    const why = value.message;
    if (beyondLanguage.test(why)) return overBudget(`over budget: ${why}`);
    return { state: beyondUs.test(why) ? "undecided" : "failed", why };
  }
}

/** Results of one costly set that are remembered. */
const mostRemembered = 256;

/** Expressions that belong together, and the budget that all their evaluations share. */
class ExpressionSet {
  readonly #members: readonly Expression[];
  readonly #claims: ReadonlySet<string> | undefined;
  readonly #results = new Map<string, readonly Outcome[]>();
  #spent = 0;

  constructor(texts: readonly string[]) {
    this.#members = texts.map((text) => remembered(expressionsKnown, text, () => new Expression(text)));
    const all = this.#members.map(({ claims }) => claims);
    this.#claims = all.some((claims) => claims === undefined)
      ? undefined
      : new Set(all.flatMap((claims) => [...(claims ?? [])]));
  }

  /** Cheap evaluations are not counted: else a process that lives for long would spend the budget on an ordinary set. */
  evaluate(bindings: Bindings): readonly Outcome[] {
    const read = this.#read(bindings);
    // What the same claims came to costs nothing again. A token has claims that change each time, and few are read.
    const key =
      this.#spent > 0 ? JSON.stringify(read, (_, value) => (typeof value === "bigint" ? `${value}n` : value)) : "";
    const before = this.#results.get(key);
    if (before) return before;
    const input = inputOf(read);
    let steps = 0;
    const outcomes = this.#members.map((member) => {
      if (this.#spent + steps > mostStepsTogether) return overBudget(tooManySteps(mostStepsTogether));
      const done = member.evaluate(input);
      steps += done.steps;
      return done.outcome;
    });
    if (steps <= costly) return outcomes;
    this.#spent += steps;
    if (this.#spent > mostStepsTogether) this.#results.clear();
    else if (key !== "") this.#remember(key, outcomes);
    return outcomes;
  }

  #remember(key: string, outcomes: readonly Outcome[]): void {
    for (const [oldest] of this.#results) {
      if (this.#results.size < mostRemembered) break;
      this.#results.delete(oldest);
    }
    this.#results.set(key, outcomes);
  }

  /** What of the bindings decides a result. */
  #read({ assertion, google, attribute }: Bindings): Input {
    const claims = this.#claims;
    const named = claims && Object.entries(assertion).filter(([name]) => claims.has(name));
    const read: Record<string, unknown> = { assertion: named ? Object.fromEntries(named) : assertion };
    if (google !== undefined) read.google = google;
    if (attribute !== undefined) read.attribute = attribute;
    return read;
  }
}

/** The library makes an error for each claim that is missing; noting where it was made costs more than all the rest. */
function withoutTraces<T>(run: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Objects as maps: the library would make one of an object again each time that an expression names it. */
const inputOf = (read: Input): Input =>
  Object.fromEntries(Object.entries(read).map(([name, value]) => [name, asMaps(value)]));

function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([name, one]) => [name, asMaps(one)]));
}

/** A text as a CEL literal: whatever stands in it, it stays a text (reliability-and-security.md, case 107). */
export const quoted = (text: string): string =>
  `'${[...text].map((one) => escapes[one] ?? (isPlain(one) ? one : escaped(one))).join("")}'`;

const escapes: Readonly<Record<string, string>> = { "'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const isPlain = (one: string): boolean => one >= " " && one !== "\u007f";
const escaped = (one: string): string => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
