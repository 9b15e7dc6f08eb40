#!/usr/bin/env node
import { parseArgs } from "node:util";
import { $ } from "zx/core";
import type { Flags } from "../src/cli/context.ts";
import { print, tell } from "../src/cli/print.ts";
import { accountReading, readings } from "../src/deploy/found.ts";
import type { Piece } from "../src/deploy/piece.ts";
import { firstPieces, pieces, smallFiles, toMake } from "../src/deploy/plan.ts";
import { showReport, strike } from "../src/deploy/running.ts";
import type { Command, Names, Setup } from "../src/deploy/setup.ts";
import { type DeployView, deployDone, dryRunText, stepsShown } from "../src/say/deploy.ts";
import { document } from "../src/say/json.ts";
import { codes } from "../src/verdict/exit.ts";
import { version } from "../src/version.ts";
import { look, typed, write } from "./gcloud.ts";
import { agreed, controlled, type DeployFlags, inPlace, type Place, scriptOptions, setUp } from "./place.ts";
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
    const all = pieces(setup, await look(place, setup, readings(setup)));
    return act(place, own, {
      ...{ command: "deploy", setup, all: all.length, todo: toMake(all), question: "deploy this?" },
      next: [strike(setup), showReport(setup)].map(typed),
    });
  });

/** The APIs, and the accounts that the control plane in other clouds is made for. */
export async function deployFirst(place: Place, names: Names): Promise<void> {
  const found = await look(place, names, [accountReading(names)]);
  await carryOut(place, "deploy", toMake(firstPieces(names, found)));
}

/** What is to be done, in which words it is asked about, and what comes after it. */
export interface Act {
  readonly command: DeployView["command"];
  readonly setup: Setup;
  /** Pieces that were looked at. */
  readonly all: number;
  readonly todo: readonly Piece[];
  readonly question: string;
  readonly next: readonly string[];
}

const commandsOf = (command: Act["command"], { make, take }: Piece): readonly Command[] =>
  command === "deploy" ? make : take;

/** Shown, asked, done and told; with `--dry-run` told alone. Gives the exit code. */
export async function act(place: Place, { dryRun }: DeployFlags, work: Act): Promise<number> {
  const { json } = place.flags;
  const { command, todo, question, next } = work;
  const view = viewOf(place, work);
  if (dryRun) return say(dryRunText(view));
  if (todo.length > 0) {
    if (!json) tell(`${stepsShown(view)}\n\n`);
    if (!(await agreed(place, question))) return codes.differs;
    await carryOut(place, command, todo);
  }
  return say(json ? jsonOf(view) : deployDone(view, next));
}

function viewOf({ context }: Place, { command, setup, all, todo }: Act): DeployView {
  const { deployment, project, region } = setup;
  const steps = todo.map((one) => ({
    ...{ name: one.name, lacks: command === "deploy" ? one.lacks : undefined },
    commands: commandsOf(command, one).map(typed),
  }));
  return { command, world: context.world.kind, deployment, project, region, all, steps };
}

/** One after the other, each told as it begins and ends; the first that fails ends it. */
async function carryOut({ flags, ...gcloud }: Place, command: Act["command"], todo: readonly Piece[]): Promise<void> {
  const progress = (text: string): void => void (flags.quiet || tell(text));
  for (const [at, one] of todo.entries()) {
    const start = performance.now();
    progress(`  ${String(at + 1).padStart(2)}/${todo.length}  ${one.name}`);
    for (const each of commandsOf(command, one)) await write(gcloud, each);
    progress(`   ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

const jsonOf = ({ world, command, deployment, project, region, steps }: DeployView): string =>
  document({ tool: version, world, command, exit: codes.fine }, { deployment, project, region, steps });

async function say(text: string): Promise<number> {
  await print(text.trimEnd());
  return codes.fine;
}

/** As the scripts are started by themselves: `node scripts/deploy.ts --sandbox`. */
export const ownFlags = () => {
  const { values } = parseArgs({
    options: {
      ...scriptOptions,
      json: { type: "boolean" },
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
