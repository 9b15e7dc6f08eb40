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

/** Evaluates for one set of claims. */
type Run = (bindings: Bindings) => Outcome;

const known = new Map<string, Run>();
/** A file has few expressions; a fuzzer has many. */
const mostKnown = 2000;

/**
 * Evaluates one expression. Never throws. An expression is parsed once, because refusals are tried over and over. All
 * evaluations of one expression share a budget: once it is spent, each later one is undecided at once.
 */
export function evaluate(expression: string, bindings: Bindings): Outcome {
  const run = known.get(expression) ?? compile(expression);
  // The one that was not used for longest is forgotten first.
  known.delete(expression);
  known.set(expression, run);
  for (const [oldest] of known) {
    if (known.size <= mostKnown) break;
    known.delete(oldest);
  }
  return run(bindings);
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

function compile(expression: string): Run {
  const large = tooLarge(expression);
  if (large !== undefined) return () => overBudget(large);
  const { parse, plan, envFor } = engine();
  const meter = new Meter();
  try {
    const { expr } = parse(expression);
    const claims = claimsRead(expr);
    const steps = counting(expr);
    if (steps === undefined) return () => overBudget(tooDeep);
    return sharing(meter, claims, planned(plan(envFor(meter), expr), meter, steps));
  } catch (error) {
    // What is no deeper than the budget allows fits the stack of any machine.
    if (error instanceof RangeError) return () => overBudget(tooDeep);
    const why = (error as Error).message;
    return () => ({ state: "undecided", why });
  }
}

type Planned = ReturnType<ReturnType<typeof engine>["plan"]>;

/** Of an unknown function Google may know more than we do; of a missing claim nobody does. */
const beyondUs = /unbound function|unresolved attribute|unsupported/;
/** Limits of the language, should a value reach one of them before the budget does. */
const beyondLanguage = /^Maximum call stack size exceeded|^Invalid (?:string|array) length/;

/** `steps` are those of the nodes outside of loops, which are evaluated at most once. */
function planned(run: Planned, meter: Meter, steps: number): Run {
  const { isCelError, isCelList } = engine();
  return (bindings) => {
    meter.start();
    meter.spent = steps;
    const value = withoutTraces(() => run(inputs(bindings)));
    if (meter.over !== undefined) return overBudget(meter.over);
    if (!isCelError(value)) return { state: "value", value: isCelList(value) ? [...value] : value };
    const why = value.message;
    if (beyondLanguage.test(why)) return overBudget(`over budget: ${why}`);
    return { state: beyondUs.test(why) ? "undecided" : "failed", why };
  };
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
function inputs(bindings: Bindings) {
  const { assertion, google, attribute } = bindings;
  const given = Object.entries({ assertion, google, attribute }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, inputOf(value)])) as never;
}

function inputOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inputOf);
  if (typeof value !== "object" || value === null) return value;
  return new Map(Object.entries(value).map(([name, one]) => [name, inputOf(one)]));
}

/** Results of one costly expression that are remembered. */
const mostRemembered = 256;

/**
 * The budget that all evaluations of an expression share. Cheap evaluations are not counted, or a process that lives for
 * long would spend it on an ordinary condition. What the same claims came to is remembered and costs nothing again.
 */
function sharing(meter: Meter, claims: ReadonlySet<string> | undefined, run: Run): Run {
  const results = new Map<string, Outcome>();
  let spent = 0;
  let over: Outcome | undefined;
  return (bindings) => {
    if (over) return over;
    const key = spent === 0 ? undefined : JSON.stringify(read(bindings, claims));
    const before = key === undefined ? undefined : results.get(key);
    if (before) return before;
    const outcome = run(bindings);
    if (meter.spent > costly) {
      spent += meter.spent;
      for (const [oldest] of results) {
        if (results.size < mostRemembered) break;
        results.delete(oldest);
      }
      results.set(key ?? JSON.stringify(read(bindings, claims)), outcome);
    }
    if (spent > mostStepsTogether) over = overBudget(tooManySteps(mostStepsTogether));
    if (outcome.state === "undecided" && outcome.overBudget) over = outcome;
    return outcome;
  };
}

/** What of the bindings decides a result. A token has claims that change with each one, and few expressions read them. */
function read({ assertion, google, attribute }: Bindings, claims: ReadonlySet<string> | undefined) {
  const named =
    claims === undefined ? assertion : Object.fromEntries([...claims].map((name) => [name, assertion[name]]));
  return [named, google, attribute];
}

/** A text as a CEL literal: whatever stands in it, it stays a text (reliability-and-security.md, case 107). */
export const quoted = (text: string): string =>
  `'${[...text].map((one) => escapes[one] ?? (isPlain(one) ? one : escaped(one))).join("")}'`;

const escapes: Readonly<Record<string, string>> = { "'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const isPlain = (one: string): boolean => one >= " " && one !== "\u007f";
const escaped = (one: string): string => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
