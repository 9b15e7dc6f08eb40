/**
 * The budget of an expression. It counts what an evaluation does and never its time, so that an answer is the same on
 * every machine. Conditions of real pool providers need a few hundred steps; Google's own limits are not published.
 */

/** Characters. Google takes 4,096 of a condition and 2,048 of a mapping (google.md 6.1); a file may come to more. */
export const longestExpression = 16_384;
/** Characters of a pattern of `matches`. */
export const longestPattern = 4096;
/** Brackets inside brackets. Beyond it the parser runs out of stack, at a depth that differs between machines. */
export const deepestNesting = 100;
/** Operators and calls on top of each other, for the same reason. */
export const deepestTree = 500;
/** Steps of one evaluation: one for each node that is evaluated, and more where a function reads or makes much. */
export const mostSteps = 200_000;
/** Steps of all costly evaluations of expressions that belong together. Outsiders are tried by the hundred. */
export const mostStepsTogether = 2_000_000;
/** Evaluations that take more steps than this are counted together, and their results are remembered. */
export const costly = 1000;
/** Characters, or bytes, of a value that an expression makes. */
export const longestValue = 65_536;

/** Ends an evaluation. The library hands it on as it is; no operator of CEL can catch it. */
export class OverBudget extends Error {}

/** Counts the steps of one evaluation after the other. */
export class Meter {
  /** Steps of the evaluation that was started last. */
  spent = 0;
  /** Why the evaluation ended early. */
  over: string | undefined;

  /** `spent`: steps that are counted before anything is evaluated. */
  start(spent: number): void {
    this.spent = spent;
    this.over = undefined;
  }

  /** Throws OverBudget as soon as the steps do not fit. */
  spend(steps: number): void {
    this.spent += Math.ceil(steps);
    if (this.spent > mostSteps) this.end(tooManySteps(mostSteps));
  }

  end(why: string): never {
    this.over = why;
    throw new OverBudget(why);
  }
}

/**
 * Writes 200000 as `200,000`. Not by `toLocaleString`, which loads the tables of all languages: some 10 ms of processor
 * time in each cold start.
 */
const counted = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");

export const tooManySteps = (limit: number): string =>
  `over budget: evaluating it takes more than ${counted(limit)} steps`;

export const tooLong = `over budget: it has more than ${counted(longestExpression)} characters`;
export const tooDeep = `over budget: it is nested more than ${counted(deepestNesting)} brackets deep, or ${counted(deepestTree)} operators`;
export const longPattern = `over budget: a pattern has more than ${counted(longestPattern)} characters`;
export const tooLarge = `over budget: it makes a value of more than ${counted(longestValue)} characters`;
