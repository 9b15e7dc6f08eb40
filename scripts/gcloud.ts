import { setTimeout as sleep } from "node:timers/promises";
import { type $, type ProcessOutput, which } from "zx/core";
import { UsageError } from "../src/cli/exit.ts";
import { Found, type Reading, readApis } from "../src/deploy/found.ts";
import type { Command, Names } from "../src/deploy/setup.ts";
import { redact } from "../src/run/cloud-error.ts";
import { inParallel } from "../src/run/retry.ts";
import { codes } from "../src/verdict/exit.ts";

/** gcloud, as a script runs it, in the environment in which it reaches the world that is meant. */
export interface Gcloud {
  readonly run: typeof $;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** A command that did not end well: which, what gcloud said of it, and the exit code of the contract that it means. */
export class GcloudFailed extends Error {
  readonly command: Command;
  readonly exit: number;

  constructor(command: Command, said: string) {
    super(redact(said.trim().split("\n").slice(-6).join("\n")));
    this.command = command;
    this.exit = exitOf(said);
  }
}

const exitOf = (said: string): number => {
  if (/PERMISSION_DENIED|forbidden|does not have permission|403/i.test(said)) return codes.denied;
  return passing.test(said) ? codes.untold : codes.failed;
};

/** Passes by itself: new accounts and APIs are known everywhere only after a while, and policies have one writer at a time. */
const passing =
  /UNAVAILABLE|RESOURCE_EXHAUSTED|ABORTED|concurrent policy changes|has not been used in project|\b(429|503)\b|timed out/;
const notThereYet = /NOT_FOUND|does not exist|not found/i;
const absent = /NOT_FOUND|notFound|not found|Cannot find|could not be found|does not exist|matched no objects|\b404\b/i;

/** Throws a usage error where there is none: nothing here can do without it. */
export async function requireGcloud(): Promise<void> {
  if (await which("gcloud", { nothrow: true })) return;
  throw new UsageError("gcloud is not installed: https://cloud.google.com/sdk/docs/install");
}

const start = ({ run, env, signal }: Gcloud, command: Command): Promise<ProcessOutput> =>
  run({ env, signal, quiet: true, nothrow: true })`gcloud ${[...command, "--quiet"]}`;

/** Its answer as JSON; undefined where the thing is not there. */
export async function read(gcloud: Gcloud, command: Command): Promise<unknown> {
  const { exitCode, stdout, stderr } = await start(gcloud, command);
  if (exitCode === 0) return stdout.trim() === "" ? undefined : JSON.parse(stdout);
  if (absent.test(stderr) && exitOf(stderr) !== codes.denied) return undefined;
  throw new GcloudFailed(command, stderr);
}

/** Milliseconds to wait before each further try: together as long as IAM says that it takes (google.md 7). */
const pauses = [2000, 4000, 8000, 16_000, 30_000];

/** A write that is refused for what passes by itself is tried again; every command here may be. */
export async function write(gcloud: Gcloud, command: Command): Promise<void> {
  for (let tried = 0; ; tried++) {
    const { exitCode, stderr } = await start(gcloud, command);
    if (exitCode === 0) return;
    const pause = pauses[tried];
    const again = passing.test(stderr) || (notThereYet.test(stderr) && !command.includes("delete"));
    if (!again || pause === undefined || gcloud.signal.aborted) throw new GcloudFailed(command, stderr);
    await sleep(pause);
  }
}

/** All that is asked, three at a time: each is a program of its own. */
export async function look(gcloud: Gcloud, names: Names, asked: readonly Reading[]): Promise<Found> {
  const first = readApis(names);
  const apis = await read(gcloud, first.command);
  const on = new Found(new Map([[first.key, apis]])).get("apis") ?? [];
  const isOn = (api: string) => on.some(({ config }) => config.name === `${api}.googleapis.com`);
  const answers = await inParallel(
    asked.filter(({ api }) => isOn(api)),
    3,
    async ({ key, command }) => [key, await read(gcloud, command)] as const,
  );
  return new Found(new Map([[first.key, apis], ...answers]));
}

/** As a person would type it. */
export const typed = (command: Command): string =>
  ["gcloud", ...command]
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(" ");
