import { appendFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ask } from "../src/cli/ask.ts";
import { type Context, type Flags, loadFile, openContext, readBytes } from "../src/cli/context.ts";
import { UsageError } from "../src/cli/exit.ts";
import { tell } from "../src/cli/print.ts";
import { sandboxEnvironment } from "../src/cli/surroundings.ts";
import { defaultControl, projectOf, projectsOf, type Setup, setupOf } from "../src/deploy/setup.ts";
import type { Federation } from "../src/model.ts";
import { codes } from "../src/verdict/exit.ts";
import { type Gcloud, GcloudFailed, read, requireGcloud, typed } from "./gcloud.ts";
import { stage } from "./staging.ts";

/** Those of `deploy` and `offboard` alone. */
export interface DeployFlags {
  /** Where it is deployed, where the file names no control plane yet and several projects. */
  readonly project?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Full names of notification channels. */
  readonly notify?: readonly string[] | undefined;
}

/** Those of every script that is started by itself. */
export const scriptOptions = {
  file: { type: "string", default: "federation.yaml" },
  sandbox: { type: "boolean" },
  yes: { type: "boolean" },
  quiet: { type: "boolean" },
  project: { type: "string" },
} as const;

/** A world with gcloud in it. */
export interface Place extends Gcloud {
  readonly flags: Flags;
  readonly context: Context;
}

/** Runs what drives gcloud, in the world that the flags name; an interrupt ends the program that is running. */
export async function inPlace(
  flags: Flags,
  run: Gcloud["run"],
  work: (place: Place) => Promise<number>,
): Promise<number> {
  await requireGcloud();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, interrupt);
  const context = await openContext(flags, stop.signal);
  try {
    const env = context.world.kind === "sandbox" ? await sandboxEnvironment(flags, context) : process.env;
    return await work({ flags, context, run, env, signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) return codes.interrupted;
    if (!(error instanceof GcloudFailed)) throw error;
    tell(`failed   ${typed(error.command)}\n${error.message}\n`);
    tell("what was done stays: run the command again, and it goes on from here\n");
    return error.exit;
  } finally {
    await context.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupt);
  }
}

/** Nobody is asked in the sandbox, nor with `--yes`. */
export const agreed = async ({ flags, context }: Place, question: string): Promise<boolean> =>
  context.world.kind === "sandbox" || flags.yes === true || ask(question);

/**
 * The file, which must say whom the functions run as: roles of links take their boundary from that, so it cannot be
 * guessed at each run. Where it does not, the lines are shown, and added to it when somebody agrees.
 */
export async function controlled(place: Place, { project, dryRun }: DeployFlags): Promise<Federation> {
  const { federation } = loadFile(place.flags);
  if (federation.control) return federation;
  const named = projectsOf(federation);
  const where = project ?? (named.length === 1 ? named[0] : undefined);
  if (!where)
    throw new UsageError(
      `say where the functions are to live: --project PROJECT (${named.join(", ") || "none named"})`,
    );
  const control = defaultControl(federation.name, where);
  if (dryRun) return { ...federation, control };
  const lines = [
    "",
    "# Whom the deployed functions run as: what checks is another account than what provisions.",
    "control:",
    ...Object.entries(control).map(([who, email]) => `  ${who}: ${email}`),
    "",
  ].join("\n");
  tell(`${place.flags.file} names no control plane; these lines do:\n${lines}\n`);
  if (!(await agreed(place, `add them to ${place.flags.file}?`))) throw new UsageError("add them, then run it again");
  appendFileSync(place.flags.file, lines);
  return loadFile(place.flags).federation;
}

/** Everything that follows from file, project and what is to be uploaded. */
export async function setUp(place: Place, federation: Federation, { notify = [] }: DeployFlags): Promise<Setup> {
  const project = projectOf(federation.control?.checker ?? "");
  const described = await read(place, ["projects", "describe", project, "--format=json"]);
  const number = String((described as { projectNumber?: unknown } | undefined)?.projectNumber ?? "");
  if (!/^\d+$/.test(number)) throw new UsageError(`gcloud knows no project ${project}`);
  const folder = join(dirname(resolve(place.flags.file)), ".crosstrust", "deploy");
  const digests = await stage(folder, readBytes(place.flags.file) ?? new Uint8Array());
  return setupOf(federation, { number, folder, digests, notify });
}
