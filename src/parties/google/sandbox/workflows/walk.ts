import type { Expression } from "./expression.ts";
import type { Action, Block, Loop, Step, Try } from "./program.ts";
import { expressionsIn, type Template } from "./template.ts";

/** Blocks and single steps that stand inside an action. */
export function blocksIn(action: Action): readonly Block[] {
  switch (action.does) {
    case "switch":
      return action.arms.map(({ step }) => [step]);
    case "for":
    case "steps":
      return [action.steps];
    case "parallel":
      return [...action.branches.map(({ steps }) => steps), ...(action.loop ? [action.loop.steps] : [])];
    case "try":
      return action.except ? [action.steps, action.except.steps] : [action.steps];
    default:
      return [];
  }
}

export function* everyStep(block: Block): Generator<Step> {
  for (const step of block) {
    yield step;
    for (const inner of blocksIn(step.action)) yield* everyStep(inner);
  }
}

/** What a step evaluates itself, without the blocks inside it. */
export function templatesOf(action: Action): readonly Template[] {
  switch (action.does) {
    case "assign":
      return action.assignments.map(({ value }) => value);
    case "call":
      return [...action.args.values()];
    case "switch":
      return action.arms.map(({ condition }) => condition);
    case "for":
      return [action.items];
    case "parallel":
      return [action.limit, action.loop?.items].filter((each) => each !== undefined);
    case "try":
      return action.retry
        ? [action.retry.max, action.retry.initial, action.retry.longest, action.retry.multiplier]
        : [];
    case "raise":
    case "return":
      return [action.value];
    default:
      return [];
  }
}

/** Every expression that a step evaluates itself, those of its targets among them. */
export function* expressionsOf(action: Action): Generator<Expression> {
  for (const template of templatesOf(action)) yield* expressionsIn(template);
  if (action.does !== "assign") return;
  for (const { target } of action.assignments)
    for (const of of target.path) yield* expressionsIn({ is: "expression", of });
}

/** Names that a step itself gives a value to, in the scope it stands in. */
export function assignedBy(action: Action): readonly string[] {
  if (action.does === "assign") return action.assignments.map(({ target }) => target.name);
  return action.does === "call" && action.result !== undefined ? [action.result] : [];
}

/** A block with a scope of its own, and the names that are there from its start. */
export interface Inner {
  readonly steps: Block;
  readonly names: readonly string[];
}

const loopNames = ({ value, index }: Loop): readonly string[] => (index === undefined ? [value] : [value, index]);
const exceptOf = ({ except }: Try): readonly Inner[] =>
  except ? [{ steps: except.steps, names: except.as === undefined ? [] : [except.as] }] : [];

/** The blocks of an action that have a scope of their own (serverless.md 6.4). */
export function scopesIn(action: Action): readonly Inner[] {
  if (action.does === "for") return [{ steps: action.steps, names: loopNames(action) }];
  if (action.does === "try") return exceptOf(action);
  if (action.does !== "parallel") return [];
  const loop = action.loop ? [{ steps: action.loop.steps, names: loopNames(action.loop) }] : [];
  return [...action.branches.map(({ steps }) => ({ steps, names: [] })), ...loop];
}

/** The blocks of an action that share the scope it stands in. */
export const sharersIn = (action: Action): readonly Block[] => {
  const own = new Set(scopesIn(action).map(({ steps }) => steps));
  return blocksIn(action).filter((block) => !own.has(block));
};
