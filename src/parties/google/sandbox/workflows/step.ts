import type { Desk } from "./desk.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { retryOf } from "./policy.ts";
import type { Action, Arm, Assignment, Block, Loop, Parallel, Step, Target } from "./program.ts";
import type { Key, Node } from "./read.ts";
import type { Template } from "./template.ts";

/** serverless.md 5.6: assignments of a step, entries of a switch. */
const most = 50;

type Fields = ReadonlyMap<string, Node>;
type Compile = (node: Node, fields: Fields, desk: Desk) => Action;

/** A list of steps; their names are unique in it. */
export function blockOf(node: Node, desk: Desk): Block {
  const names = new Set<string>();
  return desk.pairs(node, "a list of steps").map(([key, body]) => {
    const name = desk.label(key, "a step");
    if (names.has(name)) desk.say(key.line, `two steps are called ${name}`);
    names.add(name);
    return stepOf(key, body, desk.at(name));
  });
}

const beside = ["args", "result", "retry", "except", "next"];

/** Exactly one kind, what belongs to it, and `next`; or `next` alone. */
function stepOf({ text: name, line }: Pick<Key, "text" | "line">, node: Node, desk: Desk): Step {
  const fields = desk.fields(node, "a step", [...Object.keys(kinds), ...beside]);
  const [kind, ...others] = Object.keys(kinds).filter((each) => fields.has(each));
  if (others.length > 0) desk.say(line, `one step does one thing, not ${[kind, ...others].join(" and ")}`);
  if (kind === undefined && !fields.has("next")) desk.say(line, "the step does nothing");
  const strays = { args: "call", result: "call", retry: "try", except: "try" } as const;
  for (const [field, needs] of Object.entries(strays))
    if (fields.has(field) && kind !== needs) desk.say(line, `${field} needs ${needs}`);
  const at = kind === undefined ? undefined : fields.get(kind);
  const action = kind !== undefined && at ? kinds[kind]?.(at, fields, desk) : undefined;
  const next = fields.get("next");
  return { name, line, action: action ?? { does: "next" }, next: next && desk.text(next, "next") };
}

const kinds: Readonly<Record<string, Compile>> = {
  assign: (node, _, desk) => {
    const pairs = desk.pairs(node, "assign");
    if (pairs.length > most) desk.say(node.line, `assign takes at most ${most} assignments`);
    return { does: "assign", assignments: pairs.map((pair) => assignmentOf(pair, desk)) };
  },
  call: (node, fields, desk) => {
    const [args, result] = [fields.get("args"), fields.get("result")];
    return {
      does: "call",
      target: desk.text(node, "call"),
      args: args ? argsOf(args, desk) : new Map(),
      result: result && desk.name(result, "result"),
    };
  },
  switch: (node, _, desk) => ({ does: "switch", arms: armsOf(node, desk) }),
  for: (node, _, desk) => loopOf(node, desk),
  parallel: (node, _, desk) => parallelOf(node, desk),
  try: (node, fields, desk) => {
    const [retry, except] = [fields.get("retry"), fields.get("except")];
    if (!retry && !except) desk.say(node.line, "try needs retry or except");
    // The one step of a `try` has no name of its own.
    const own = { text: desk.step, line: node.line };
    const body = stepOf(own, node, desk);
    const steps = body.action.does === "steps" && body.next === undefined ? body.action.steps : [body];
    return { does: "try", steps, retry: retry && retryOf(retry, desk), except: except && exceptOf(except, desk) };
  },
  raise: (node, _, desk) => {
    const value = desk.template(node);
    const plain = value.is === "plain" && typeof value.value !== "string";
    if (plain || value.is === "list") desk.say(node.line, "raise takes a text, a map or an expression");
    return { does: "raise", value };
  },
  return: (node, _, desk) => ({ does: "return", value: desk.template(node) }),
  steps: (node, _, desk) => ({ does: "steps", steps: blockOf(node, desk) }),
};

function assignmentOf([key, node]: readonly [Key, Node], desk: Desk): Assignment {
  return { target: targetOf(key, desk), value: desk.template(node) };
}

/** `x`, `m.k`, `m["k"]`, `m[var]`, `l[0]` (serverless.md 5.1). */
function targetOf({ text, line }: Key, desk: Desk): Target {
  const path: Expression[] = [];
  try {
    let at = parseExpression(text);
    while (at.is === "member") {
      path.unshift(at.key);
      at = at.of;
    }
    if (at.is === "name") return { name: at.name, path };
    desk.say(line, `${JSON.stringify(text)} cannot be assigned to`);
  } catch (error) {
    desk.say(line, `${JSON.stringify(text)} cannot be assigned to: ${(error as Error).message}`);
  }
  return { name: "", path };
}

function argsOf(node: Node, desk: Desk): ReadonlyMap<string, Template> {
  const given = node.is === "map" ? node.entries.map(([key]) => key.text) : [];
  return new Map([...desk.fields(node, "args", given)].map(([name, value]) => [name, desk.template(value)]));
}

/** A boolean or an expression (serverless.md 6.1); the entry beside it is a step without a name. */
function armsOf(node: Node, desk: Desk): readonly Arm[] {
  const items = node.is === "list" ? node.items : [];
  if (items.length === 0 || items.length > most) desk.say(node.line, `switch is a list of 1 to ${most} entries`);
  return items.map((item) => {
    const entries = item.is === "map" ? item.entries : [];
    const given = entries.find(([key]) => key.text === "condition")?.[1];
    const condition = given ? desk.template(given) : undefined;
    const fine = condition?.is === "expression" || (condition?.is === "plain" && typeof condition.value === "boolean");
    if (!fine) desk.say(item.line, "an entry of a switch has a condition, an expression or a boolean");
    const rest: Node = { ...item, is: "map", entries: entries.filter(([key]) => key.text !== "condition") };
    const step = stepOf({ text: desk.step, line: item.line }, rest, desk);
    return { condition: condition ?? { is: "plain", value: false }, step };
  });
}

function loopOf(node: Node, desk: Desk): Loop {
  const fields = desk.fields(node, "for", ["value", "index", "in", "range", "steps"]);
  const [list, range, steps] = [fields.get("in"), fields.get("range"), fields.get("steps")];
  if (!fields.has("value") || !steps) desk.say(node.line, "for needs value and steps");
  if (Boolean(list) === Boolean(range)) desk.say(node.line, "for goes over either in or range");
  if (list?.is === "map" || (list?.is === "scalar" && typeof list.value !== "string"))
    desk.say(list.line, "in is a list or an expression");
  const items = desk.template(list ?? range ?? node);
  const two = items.is === "list" && items.items.length === 2 && items.items.every((item) => item.is === "plain");
  // A computed range is one expression, of the whole list (serverless.md 5.1).
  if (range && items.is !== "expression" && !two) desk.say(range.line, "range is two numbers or one expression");
  return {
    ...{
      does: "for",
      value: desk.name(fields.get("value"), "value") ?? "",
      index: desk.name(fields.get("index"), "index"),
    },
    ...{ over: list ? "in" : "range", items, steps: steps ? blockOf(steps, desk) : [] },
  };
}

function parallelOf(node: Node, desk: Desk): Parallel {
  const fields = desk.fields(node, "parallel", ["branches", "for", "shared", "exception_policy", "concurrency_limit"]);
  const [branches, loop, shared] = [fields.get("branches"), fields.get("for"), fields.get("shared")];
  if (Boolean(branches) === Boolean(loop)) desk.say(node.line, "parallel has either branches or for");
  const policy = fields.get("exception_policy");
  if (policy && desk.text(policy, "exception_policy") !== "continueAll")
    desk.say(policy.line, "exception_policy is continueAll");
  const limit = fields.get("concurrency_limit");
  return {
    does: "parallel",
    shared: shared ? desk.texts(shared, "shared") : [],
    limit: limit && desk.template(limit),
    branches: branches ? branchesOf(branches, desk) : [],
    loop: loop && loopOf(loop, desk),
  };
}

function branchesOf(node: Node, desk: Desk): Parallel["branches"] {
  const pairs = desk.pairs(node, "branches");
  if (pairs.length < 2 || pairs.length > 10) desk.say(node.line, "parallel has 2 to 10 branches");
  return pairs.map(([key, body]) => {
    const steps = desk.fields(body, "a branch", ["steps"]).get("steps");
    if (!steps) desk.say(body.line, "a branch has steps");
    return { name: desk.label(key, "a branch"), steps: steps ? blockOf(steps, desk) : [] };
  });
}

function exceptOf(node: Node, desk: Desk) {
  const fields = desk.fields(node, "except", ["as", "steps"]);
  const steps = fields.get("steps");
  if (!steps) desk.say(node.line, "except has steps");
  return { as: desk.name(fields.get("as"), "as"), steps: steps ? blockOf(steps, desk) : [], line: node.line };
}
