import type { Desk } from "./desk.ts";
import type { Block, Routine, Step } from "./program.ts";
import { assignedBy, expressionsOf, scopesIn, sharersIn } from "./walk.ts";

/** A scope as it can be known before the run: the names that are given a value anywhere in it. */
interface Names {
  readonly own: ReadonlySet<string>;
  readonly parent?: Names;
  /** Of a branch: what it may write of the scopes around it. */
  readonly shared?: readonly string[];
}

/**
 * Names that nobody gives a value to, and parent variables that a branch writes without sharing them: deployment errors
 * (serverless.md 5.1, 6.4). A name that is given its value later than it is read shows in the run.
 */
export function checkNames({ params, steps }: Routine, desk: Desk): void {
  const own = new Set([...params.map(({ name }) => name), ...assignedIn(steps)]);
  walk(steps, { own }, desk);
}

function assignedIn(block: Block): readonly string[] {
  return block.flatMap(({ action }) => [...assignedBy(action), ...sharersIn(action).flatMap(assignedIn)]);
}

function walk(block: Block, names: Names, desk: Desk): void {
  for (const step of block) {
    checkStep(step, names, desk.at(step.name));
    for (const inner of sharersIn(step.action)) walk(inner, names, desk);
    const { action } = step;
    const shared = action.does === "parallel" ? { shared: action.shared } : {};
    for (const { steps, names: given } of scopesIn(action)) {
      // What stands further out under that name is written there: the name is not one of this scope.
      const local = assignedIn(steps).filter((name) => !known(names, name));
      walk(steps, { own: new Set([...given, ...local]), parent: names, ...shared }, desk);
    }
  }
}

function checkStep({ action, line }: Step, names: Names, desk: Desk): void {
  for (const expression of expressionsOf(action))
    if (expression.is === "name" && !known(names, expression.name))
      desk.say(line, `${expression.name} is given no value where it can be seen`);
  for (const name of assignedBy(action))
    if (!writable(names, name)) desk.say(line, `${name} belongs to the parent of a parallel step, and is not shared`);
  if (action.does !== "parallel") return;
  for (const name of action.shared)
    if (!known(names, name)) desk.say(line, `${name} is shared, and given no value before`);
}

const known = (names: Names, name: string): boolean =>
  names.own.has(name) || (names.parent !== undefined && known(names.parent, name));

/** From the inside out: through the edge of a branch only what it shares. */
function writable(names: Names, name: string): boolean {
  if (names.own.has(name) || names.parent === undefined) return true;
  if (names.shared !== undefined && !names.shared.includes(name)) return false;
  return writable(names.parent, name);
}
