#!/usr/bin/env node
import { randomBytes } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { $ } from "zx/core";
import { ask } from "../src/cli/ask.ts";
import { type Context, type Flags, openContext } from "../src/cli/context.ts";
import { UsageError } from "../src/cli/exit.ts";
import { tellFailure } from "../src/cli/failure.ts";
import { print, tell } from "../src/cli/print.ts";
import { partitionOf } from "../src/judge/issuers/partitions.ts";
import type { World } from "../src/model.ts";
import { callerIdentity } from "../src/parties/aws/exchange.ts";
import { getProject } from "../src/parties/google/calls.ts";
import { document } from "../src/say/json.ts";
import { shownValue } from "../src/say/visible.ts";
import { codes } from "../src/verdict/exit.ts";
import { version } from "../src/version.ts";
import type { Ground } from "./field-kit/kit.ts";
import type { Probe } from "./field-kit/probe.ts";
import { probes } from "./field-kit/probes.ts";
import { askAll, type Outcome } from "./field-kit/run.ts";
import { leftovers, sweep } from "./field-kit/sweep.ts";

/** What the command line says. */
interface Asked {
  readonly project: string;
  readonly account: string;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly output?: string | undefined;
}

const usage =
  "node scripts/field-kit.ts --project PROJECT --account ACCOUNT [--sandbox] [--yes] [--only ID] [--output FILE]";

/**
 * Asks the real clouds, in a throwaway Google project and a throwaway AWS account, what crosstrust takes for their answers
 * without having seen them. Everything it makes is removed at the end, also after an interrupt.
 */
export async function fieldKit(flags: Flags, asked: Asked): Promise<number> {
  const chosen = choose(asked.only);
  const stop = new AbortController();
  const interrupt = () => {
    if (!stop.signal.aborted) tell("interrupted: what was made is removed first\n");
    stop.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  const context = await openContext(flags, stop.signal);
  try {
    return await onGround(context, asked, chosen, interrupt);
  } finally {
    await context.close();
    for (const signal of signals) process.off(signal, interrupt);
  }
}

async function onGround(context: Context, asked: Asked, chosen: readonly Probe[], stop: () => void): Promise<number> {
  const { world, flags } = context;
  const agree = async (write: string) => {
    tell(`  ${shownValue(write)}\n`);
    return flags.yes === true || agreed("  do this?", stop);
  };
  const ground = { ...(await survey(world, asked)), agree };
  // An interrupt ends the questions and not the removal.
  const cleaning: Ground = { ...ground, world: uninterrupted(world) };
  tell(planOf(ground, chosen, await leftovers(ground)));
  if (flags.yes !== true && !(await agreed("ask these?", stop))) return codes.fine;
  await sweep(cleaning, removed);
  const outcomes: Outcome[] = [];
  const of = await commit();
  const reportOf = (exit: number, left: readonly string[] | undefined) =>
    document(
      { tool: version, world: world.kind, command: "field-kit", exit },
      { at: new Date(world.clock.now()).toISOString(), node: process.version, commit: of, probes: outcomes, left },
    );
  const told = (outcome: Outcome) => {
    outcomes.push(outcome);
    tell(`${lineOf(outcome)}\n`);
    // What was answered is kept when the run is killed.
    if (asked.output !== undefined) writeWhole(asked.output, reportOf(codes.interrupted, undefined));
  };
  let left: readonly string[] = [];
  try {
    await askAll(ground, chosen, told);
  } finally {
    left = await sweep(cleaning, removed);
    tell(summary(outcomes, left));
  }
  const exit = world.signal.aborted ? codes.interrupted : left.length > 0 ? codes.failed : codes.fine;
  const text = reportOf(exit, left);
  if (asked.output === undefined) await print(text, true);
  else writeWhole(asked.output, text);
  return exit;
}

/** Whoever ends the question itself (Ctrl+C) ends the run. */
async function agreed(question: string, stop: () => void): Promise<boolean> {
  try {
    return await ask(question);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "AbortError") throw error;
    stop();
    return false;
  }
}

/** A run that is killed while it writes leaves the answers before. */
function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
}

const removed = (what: string): void => tell(`removed  ${shownValue(what)}\n`);

/** By their ids, or by how they begin: `google/cel-` is three. */
function choose(only: readonly string[] = []): readonly Probe[] {
  const unknown = only.find((id) => !probes.some((probe) => probe.id.startsWith(id)));
  if (unknown !== undefined)
    throw new UsageError(`no probe is called ${unknown}; there are ${probes.map(({ id }) => id).join(", ")}`);
  return only.length === 0 ? probes : probes.filter(({ id }) => only.some((one) => id.startsWith(one)));
}

/** Reads who the operator is before anything is made: in another account than the one named nothing may happen. */
async function survey(world: World, { project, account, region, profile }: Asked): Promise<Omit<Ground, "agree">> {
  const access = { ...(region ? { region } : {}), ...(profile ? { profile } : {}) };
  const target = { account, access };
  const session = await world.credentials({ party: "aws", scope: account, access });
  const who = await callerIdentity(world, target, session);
  if (who.Account !== account)
    throw new UsageError(`the AWS credentials at hand are ${who.Arn}, which is not in the account ${account}`);
  const { projectNumber, lifecycleState } = await getProject(world, project);
  if (lifecycleState !== "ACTIVE") throw new UsageError(`the project ${project} is ${lifecycleState}`);
  const run = randomBytes(3).toString("hex");
  return { world, project, projectNumber, account: target, partition: partitionOf(region ?? ""), run };
}

const uninterrupted = (world: World): World => ({
  ...world,
  signal: new AbortController().signal,
  clock: {
    now: () => world.clock.now(),
    sleep: async (ms) => {
      await sleep(ms);
    },
  },
});

function planOf({ project, account }: Ground, chosen: readonly Probe[], found: readonly { what: string }[]): string {
  const lines = [
    `field kit   ${chosen.length} questions to Google and AWS`,
    `  in the Google project ${project} and the AWS account ${account.account}: use throwaway ones`,
    "  makes service accounts, one workload identity pool with pool providers, roles without permissions and one OIDC",
    "  provider, all called field-kit-...; grants you alone the minting of ID tokens; tries writes that should be refused",
    "  costs nothing; removes everything at the end; a deleted pool keeps its id for 30 days",
    ...chosen.map(({ id, question }) => `  ${id.padEnd(40)} ${question}`),
    ...(found.length > 0 ? ["  an earlier run left these, and they are removed first:"] : []),
    ...found.map(({ what }) => `    ${shownValue(what)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function lineOf({ id, agrees, answered, why }: Outcome): string {
  const verdict = agrees === true ? "agrees" : agrees === false ? "DIFFERS" : "not asked";
  const says = answered ? [answered.status, answered.code, answered.message].filter(Boolean).join(" ") : (why ?? "");
  return `${verdict.padEnd(9)}  ${id.padEnd(40)} ${shownValue(says)}`;
}

function summary(outcomes: readonly Outcome[], left: readonly string[]): string {
  const count = (what: Outcome["agrees"]) => outcomes.filter(({ agrees }) => agrees === what).length;
  const counts = `${count(true)} agree, ${count(false)} differ, ${count("not asked")} not asked`;
  const rest = left.length === 0 ? ["everything was removed"] : ["these are left, remove them by hand:", ...left];
  return `${[counts, ...rest].join("\n")}\n`;
}

/** Of which checkout the questions are. */
async function commit(): Promise<string> {
  const { exitCode, stdout } = await $({ cwd: import.meta.dirname, quiet: true, nothrow: true })`git rev-parse HEAD`;
  return exitCode === 0 ? stdout.trim() : "unknown";
}

if (import.meta.main) {
  const flags: Flags = { file: "federation.yaml" };
  try {
    const { values } = parseArgs({
      options: {
        project: { type: "string" },
        account: { type: "string" },
        region: { type: "string" },
        profile: { type: "string" },
        file: { type: "string", default: "federation.yaml" },
        sandbox: { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
        only: { type: "string", multiple: true },
        output: { type: "string" },
      },
    });
    const { project, account, sandbox, yes, file, ...own } = values;
    if (!project || !/^\d{12}$/.test(account ?? "")) throw new UsageError(`usage: ${usage}`);
    process.exitCode = await fieldKit({ file, sandbox, yes, quiet: true }, { project, account: account ?? "", ...own });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const wrong = typeof code === "string" && code.startsWith("ERR_PARSE_ARGS");
    const told = wrong ? new UsageError(`${(error as Error).message}\nusage: ${usage}`) : error;
    process.exitCode = await tellFailure(told, { name: "field-kit", flags });
  }
}
