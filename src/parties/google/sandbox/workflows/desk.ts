import type { Key, Node } from "./read.ts";
import { type Template, templateOf } from "./template.ts";
import type { Value } from "./values.ts";

/** Something for which the source cannot be deployed. */
export interface Problem {
  readonly routine: string;
  readonly step: string;
  readonly line: number;
  readonly says: string;
}

/** Where the compiler stands, and where it notes what is wrong; it goes on, so that all problems are told in one go. */
export class Desk {
  readonly problems: Problem[];
  private readonly routine: string;
  readonly step: string;

  constructor(problems: Problem[], routine: string, step = "") {
    this.problems = problems;
    this.routine = routine;
    this.step = step;
  }

  at(step: string): Desk {
    return new Desk(this.problems, this.routine, step);
  }

  readonly say = (line: number, says: string): void => {
    this.problems.push({ routine: this.routine, step: this.step, line, says });
  };

  template(node: Node): Template {
    return templateOf(node, this.say);
  }

  /** The entries of a map by name; anything but a map, and names that are not among `allowed`, are problems. */
  fields(node: Node, what: string, allowed: readonly string[]): ReadonlyMap<string, Node> {
    if (node.is !== "map") {
      this.say(node.line, `${what} is a map`);
      return new Map();
    }
    for (const [key] of node.entries)
      if (!allowed.includes(key.text)) this.say(key.line, `${what} has no field ${JSON.stringify(key.text)}`);
    return new Map(node.entries.map(([key, value]) => [key.text, value]));
  }

  /** The items of a list of one-key maps, such as steps and assignments. */
  pairs(node: Node, what: string): readonly (readonly [Key, Node])[] {
    if (node.is !== "list" || node.items.length === 0) {
      this.say(node.line, `${what} is a list with at least one entry`);
      return [];
    }
    return node.items.flatMap((item) => {
      const [first, ...rest] = item.is === "map" ? item.entries : [];
      if (first && rest.length === 0) return [first];
      this.say(item.line, `an entry of ${what} is a map with one key`);
      return [];
    });
  }

  /** A name for a variable. */
  name(node: Node | undefined, what: string): string | undefined {
    if (node === undefined) return undefined;
    const text = this.text(node, what);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) this.say(node.line, `${what} is a name, not ${JSON.stringify(text)}`);
    return text;
  }

  text(node: Node, what: string): string {
    if (node.is === "scalar" && typeof node.value === "string") return node.value;
    this.say(node.line, `${what} is a text`);
    return "";
  }

  texts(node: Node, what: string): readonly string[] {
    if (node.is === "list") return node.items.map((item) => this.name(item, what) ?? "");
    this.say(node.line, `${what} is a list of names`);
    return [];
  }

  /** What YAML 1.1 reads as a boolean is none for us and one for others (serverless.md 5.1). */
  label({ text, line, plain }: Key, what: string): string {
    if (plain && /^(?:yes|no|on|off|true|false)$/i.test(text))
      this.say(line, `${what} ${text} is a boolean under YAML 1.1: take another name`);
    if (["end", "break", "continue"].includes(text)) this.say(line, `${what} cannot be called ${text}`);
    return text;
  }
}

/** The value of a template without expressions; undefined for any other. */
export const plainOf = (template: Template): Value | undefined =>
  template.is === "plain" ? template.value : undefined;
