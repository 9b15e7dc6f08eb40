import { columns } from "./paper.ts";
import { displayed } from "./visible.ts";

/** One thing that is deployed or taken away, and the commands that do it, ready to paste. */
export interface DeployStep {
  readonly name: string;
  readonly lacks: string | undefined;
  readonly commands: readonly string[];
}

export interface DeployView {
  readonly command: "deploy" | "offboard";
  readonly world: "sandbox" | "cloud";
  readonly deployment: string;
  readonly project: string;
  readonly region: string;
  /** Things that were looked at. */
  readonly all: number;
  readonly steps: readonly DeployStep[];
}

const head = ({ command, world, deployment, project, region }: DeployView): string =>
  [`${command} ${deployment}`, project, region, ...(world === "sandbox" ? ["sandbox"] : [])].join("   ");

/** What is going to be done, a line each, with why. */
export function stepsShown(given: DeployView): string {
  const view = displayed(given);
  return [head(view), ...columns(view.steps.map(({ name, lacks }) => [`  ${name}`, lacks ?? ""]))].join("\n");
}

/** `--dry-run`: a script that does the same, as comments and commands. */
export function dryRunText(given: DeployView): string {
  const view = displayed(given);
  return [
    `# ${head(view)}`,
    ...view.steps.flatMap(({ name, lacks, commands }) => ["", `# ${name}${lacks ? `: ${lacks}` : ""}`, ...commands]),
    ...(view.steps.length === 0 ? [`# ${nothing(view)}`] : []),
  ].join("\n");
}

/** What it came to; the next commands are the caller's. */
export function deployDone(given: DeployView, next: readonly string[]): string {
  const view = displayed(given);
  return [
    head(view),
    view.steps.length === 0 ? nothing(view) : done(view),
    ...displayed(next).map((line, at) => `${at === 0 ? "next   " : "       "}${line}`),
  ].join("\n");
}

const nothing = ({ command, all }: DeployView): string =>
  command === "deploy"
    ? `nothing to do: all ${all} things are as they should be`
    : "nothing to do: nothing of it is there";

const done = ({ command, all, steps }: DeployView): string =>
  command === "deploy"
    ? `${steps.length} made or changed, ${all - steps.length} as they were`
    : `${steps.length} taken away`;
