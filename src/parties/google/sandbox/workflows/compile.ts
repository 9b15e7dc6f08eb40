import { check } from "./check.ts";
import { Desk, type Problem } from "./desk.ts";
import type { Param, Program, Routine } from "./program.ts";
import { type Node, readSource, SourceProblem } from "./read.ts";
import { blockOf } from "./step.ts";

/** serverless.md 5.6. */
const maxSource = 128 * 1024;

export type Compiled =
  | { readonly program: Program; readonly problems: readonly [] }
  | { readonly program?: undefined; readonly problems: readonly Problem[] };

/**
 * Reads a source and checks all that can be known before it runs. With any problem there is no program: a construct,
 * function or connector that is not known here is refused, never skipped (serverless.md 6.4).
 */
export function compile(source: string): Compiled {
  const problems: Problem[] = [];
  const desk = new Desk(problems, "");
  if (Buffer.byteLength(source) > maxSource) desk.say(1, "the source is larger than 128 KB");
  const root = read(source, desk);
  const program = { routines: root ? routinesOf(root, problems) : new Map<string, Routine>() };
  if (problems.length === 0) check(program, problems);
  return problems.length > 0 ? { problems } : { program, problems: [] };
}

/** As the service would say it; its own wording is not known. */
export const sayProblem = ({ routine, step, line, says }: Problem): string => {
  const where = [routine && `in workflow '${routine}'`, step && `step '${step}'`].filter(Boolean).join(", ");
  return `main.yaml:${line}: parse error: ${where ? `${where}: ` : ""}${says}`;
};

function read(source: string, desk: Desk): Node | undefined {
  try {
    return readSource(source);
  } catch (error) {
    if (!(error instanceof SourceProblem)) throw error;
    desk.say(Number(/line (\d+)/.exec(error.message)?.[1] ?? 1), error.message);
    return undefined;
  }
}

/** A bare list of steps is a `main`. */
function routinesOf(root: Node, problems: Problem[]): ReadonlyMap<string, Routine> {
  const desk = new Desk(problems, "");
  if (root.is === "list") {
    const steps = blockOf(root, new Desk(problems, "main"));
    return new Map([["main", { name: "main", params: [], steps, line: root.line }]]);
  }
  if (root.is !== "map" || !root.entries.some(([key]) => key.text === "main"))
    desk.say(root.line, "a workflow is a list of steps, or a map with main");
  const entries = root.is === "map" ? root.entries : [];
  return new Map(
    entries.map(([key, node]) => {
      const name = desk.label(key, "a workflow");
      return [name, routineOf(name, node, new Desk(problems, name))] as const;
    }),
  );
}

function routineOf(name: string, node: Node, desk: Desk): Routine {
  const fields = desk.fields(node, `workflow ${name}`, ["params", "steps"]);
  const given = fields.get("params");
  const params = given ? paramsOf(given, desk) : [];
  const most = name === "main" ? 1 : 10;
  if (params.length > most) desk.say(node.line, `${name} takes at most ${most} parameters`);
  if (new Set(params.map((param) => param.name)).size < params.length)
    desk.say(node.line, "two parameters share a name");
  const steps = fields.get("steps");
  if (!steps) desk.say(node.line, `${name} has no steps`);
  return { name, params, steps: steps ? blockOf(steps, desk) : [], line: node.line };
}

/** `a`, or `b: 5` with a default. */
function paramsOf(node: Node, desk: Desk): readonly Param[] {
  if (node.is !== "list") {
    desk.say(node.line, "params is a list");
    return [];
  }
  return node.items.map((item) => {
    if (item.is !== "map") return { name: desk.name(item, "a parameter") ?? "", otherwise: undefined };
    const [[key, value]] = item.entries as [(typeof item.entries)[number]];
    const otherwise = desk.template(value);
    if (otherwise.is !== "plain") desk.say(value.line, "a default is a plain value");
    return { name: key.text, otherwise: otherwise.is === "plain" ? otherwise.value : null };
  });
}
