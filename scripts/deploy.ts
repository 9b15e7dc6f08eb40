#!/usr/bin/env node
import { parseArgs } from "node:util";
import { $ } from "zx/core";
import type { Flags } from "../src/cli/context.ts";
import { codes } from "../src/cli/exit.ts";
import { type Found, readings } from "../src/deploy/found.ts";
import type { Piece } from "../src/deploy/piece.ts";
import { pieces, smallFiles, toMake, toMakeFirst } from "../src/deploy/plan.ts";
import { type Command, nameOf, type Setup } from "../src/deploy/setup.ts";
import { type DeployView, deployDone, dryRunText, stepsShown } from "../src/say/deploy.ts";
import { document } from "../src/say/json.ts";
import { version } from "../src/version.ts";
import { look, typed, write } from "./gcloud.ts";
import { agreed, controlled, type DeployFlags, inPlace, type Place, setUp } from "./place.ts";
import { writeFiles } from "./staging.ts";

/**
 * Puts functions, workflows, schedule and alerts into the project: looks at everything first, makes what is missing,
 * changes what is another one, and leaves the rest alone. Cut off anywhere, it goes on when it is run again.
 */
export const deploy = (flags: Flags, own: DeployFlags = {}): Promise<number> =>
  inPlace(flags, $, async (place) => {
    const federation = await controlled(place, own);
    const setup = await setUp(place, federation, own);
    writeFiles(setup, smallFiles(setup));
    const found = await look(place, setup, readings(setup));
    const view = viewOf("deploy", { place, setup, found }, toMake(setup, found));
    if (own.dryRun) return say(dryRunText(view), codes.fine);
    if (view.steps.length > 0 && !flags.json) process.stderr.write(`${stepsShown(view)}\n\n`);
    if (view.steps.length > 0 && !(await agreed(place, "deploy this?"))) return codes.differs;
    await carryOut(place, toMake(setup, found), ({ make }) => make);
    if (flags.json) return say(jsonOf(view, codes.fine), codes.fine);
    return say(deployDone(view, nextOf(setup)), codes.fine);
  });

/** The APIs, and the accounts that the control plane in other clouds is made for. */
export async function deployFirst(place: Place, own: DeployFlags): Promise<Setup> {
  const setup = await setUp(place, await controlled(place, own), own);
  const found = await look(place, setup, readings(setup));
  await carryOut(place, toMakeFirst(setup, found), ({ make }) => make);
  return setup;
}

interface Looked {
  readonly place: Place;
  readonly setup: Setup;
  readonly found: Found;
}

export function viewOf(
  command: "deploy" | "offboard",
  { place, setup, found }: Looked,
  todo: readonly Piece[],
): DeployView {
  const { deployment, project, region } = setup;
  const commandsOf = ({ make, take }: Piece): readonly Command[] => (command === "deploy" ? make : take);
  const steps = todo.map((one) => ({
    ...{ name: one.name, lacks: command === "deploy" ? one.lacks : undefined },
    commands: commandsOf(one).map(typed),
  }));
  const all = pieces(setup, found).length;
  return { command, world: place.context.world.kind, deployment, project, region, all, steps };
}

/** One after the other, each told as it begins and ends; the first that fails ends it. */
export async function carryOut(
  place: Place,
  todo: readonly Piece[],
  commandsOf: (piece: Piece) => readonly Command[],
): Promise<void> {
  for (const [at, one] of todo.entries()) {
    const start = performance.now();
    if (!place.flags.quiet) process.stderr.write(`  ${String(at + 1).padStart(2)}/${todo.length}  ${one.name}`);
    for (const command of commandsOf(one)) await write(place, command);
    if (!place.flags.quiet) process.stderr.write(`   ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

export const jsonOf = ({ world, command, deployment, project, region, steps }: DeployView, exit: number): string =>
  document({ tool: version, world, command, exit }, { deployment, project, region, steps });

export function say(text: string, exit: number): number {
  process.stdout.write(`${text.trimEnd()}\n`);
  return exit;
}

const nextOf = (setup: Setup): readonly string[] => [
  `gcloud scheduler jobs run ${nameOf(setup, "health")} --location=${setup.region} --project=${setup.project}`,
  `gcloud storage cat gs://${setup.bucket}/state/health-last.json`,
];

/** As the scripts are started by themselves: `node scripts/deploy.ts --sandbox`. */
export const ownFlags = () => {
  const { values } = parseArgs({
    options: {
      file: { type: "string", default: "federation.yaml" },
      sandbox: { type: "boolean" },
      yes: { type: "boolean" },
      quiet: { type: "boolean" },
      json: { type: "boolean" },
      project: { type: "string" },
      notify: { type: "string", multiple: true },
      "dry-run": { type: "boolean" },
    },
  });
  return { flags: values as Flags, own: { ...values, dryRun: values["dry-run"] } };
};

if (import.meta.main) {
  const { flags, own } = ownFlags();
  process.exitCode = await deploy(flags, own);
}
