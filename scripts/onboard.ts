#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { $, which } from "zx/core";
import { ask } from "../src/cli/ask.ts";
import { type ControlFlags, controlPlane } from "../src/cli/commands/control.ts";
import { type ConsentFlags, checkNames, consentsOf, flagsFor, namesIn } from "../src/cli/commands/plan.ts";
import { type Flags, loadFile, openContext } from "../src/cli/context.ts";
import { UsageError } from "../src/cli/exit.ts";
import { tell } from "../src/cli/print.ts";
import { run } from "../src/cli/run.ts";
import { sandboxEnvironment } from "../src/cli/surroundings.ts";
import { noConsents, preflight } from "../src/crosstrust.ts";
import { namesOf } from "../src/deploy/setup.ts";
import type { Consents, Federation, Preflight, World } from "../src/model.ts";
import { parties } from "../src/parties/index.ts";
import { root } from "../src/root.ts";
import { preflightText, stepsText } from "../src/say/onboard.ts";
import { printable } from "../src/say/visible.ts";
import { codes } from "../src/verdict/exit.ts";
import { deployFirst } from "./deploy.ts";
import { firstRun } from "./first-run.ts";
import { controlled, inPlace, scriptOptions } from "./place.ts";

/** Those of onboard alone. */
export interface OwnFlags extends ControlFlags, ConsentFlags {
  readonly control?: boolean;
  readonly deploy?: boolean;
  /** Where it is deployed, where the file does not say. */
  readonly project?: string;
}

/**
 * The one-shot onboarding: preflight line by line, then lint, plan, apply, the first health check, next
 * steps. It drives gcloud, aws and crosstrust itself; whatever can be a function of the core is one.
 *
 * With `--control` it makes what the deployed functions act by, and nothing else: that is an administrator's work. With
 * `--deploy` it goes on until the schedule has started a check that has proved every link.
 *
 * Gives the exit code: that of the first step that did not end well, 77 where the preflight stops it.
 */
export async function onboard(flags: Flags, own: OwnFlags = {}): Promise<number> {
  if (own.control) return run({ name: "onboard", flags, command: controlPlane, ask: own });
  if (own.destroy || own.checker || own.provisioner)
    throw new UsageError("--checker, --provisioner and --destroy go with --control");
  if (own.deploy) return onboardAndDeploy(flags, own);
  const consents = consentsOf(own);
  const { federation } = loadFile(flags, consents);
  checkNames(federation, namesIn(consents));
  const context = await openContext(flags, new AbortController().signal);
  try {
    const env = context.world.kind === "sandbox" ? await sandboxEnvironment(flags, context) : process.env;
    if (!(await prepared(flags, federation, { world: context.world, env }))) return codes.denied;
    const done = await stepsIn(flags, env, consents)("lint", "plan", "apply", "health");
    if (done === codes.fine)
      say(stepsText(federation.links.map((link) => ({ name: link.name, steps: stepsOf(federation, link.name) }))));
    return done;
  } finally {
    await context.close();
  }
}

/**
 * From nothing to scheduled and proved. The accounts come before the control plane that is made for them, the control
 * plane before the roles that stay within its boundary, and its grants after the accounts that they are on.
 */
const onboardAndDeploy = (flags: Flags, own: OwnFlags): Promise<number> =>
  inPlace(flags, $, async (place) => {
    const { env, context } = place;
    const federation = await controlled(place, own);
    if (!(await prepared(flags, federation, { world: context.world, env }))) return codes.denied;
    say("\n1. whom the functions run as");
    const names = namesOf(federation);
    await deployFirst(place, names);
    const step = stepsIn(flags, env, consentsOf(own));
    say("\n2. what they may do in other clouds, and the links");
    const linked = await step("lint", "onboard --control", "plan", "apply", "onboard --control");
    if (linked !== codes.fine) return linked;
    say("\n3. functions, workflows, schedule, alerts");
    const deployed = await step("deploy");
    if (deployed !== codes.fine) return deployed;
    say("\n4. the schedule starts the first check");
    return firstRun(place, names);
  });

const say = (text: string): void => void process.stdout.write(`${printable(text)}\n`);

/** The world, and the environment in which other programs reach the same world. */
interface Place {
  readonly world: World;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Every line of the preflight; what is only switched off is offered to be switched on, and looked at again.
 * Only the first look takes `--yes` for an answer: an API that is off after that is a question for a person.
 */
async function prepared(flags: Flags, federation: Federation, place: Place): Promise<boolean> {
  const lines = [...(await toolLines(place)), ...(await preflight(federation, place.world))];
  say(preflightText(lines, place.world.kind));
  const enable = lines.flatMap(({ ok, fix }) =>
    ok === false ? fix.filter((command) => command.startsWith("gcloud services enable ")) : [],
  );
  if (enable.length > 0 && (flags.yes || place.world.kind === "sandbox" || (await ask("enable these APIs now?")))) {
    for (const command of enable) {
      say(`$ ${command}`);
      await $({ env: place.env, quiet: true })`${command.split(" ")}`;
    }
    return prepared({ ...flags, yes: false }, federation, place);
  }
  return !lines.some(({ ok, stops }) => ok === false && stops);
}

/**
 * The vendors' programs: helpful to people, needed by nothing here but this script's own offers. So a missing
 * one is `unknown` and stops nothing.
 */
async function toolLines({ env }: Place): Promise<readonly Preflight[]> {
  const tools = [
    {
      name: "gcloud",
      page: "https://cloud.google.com/sdk/docs/install",
      version: () => $({ env, quiet: true, nothrow: true })`gcloud --version`,
    },
    {
      name: "aws",
      page: "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
      version: () => $({ env, quiet: true, nothrow: true })`aws --version`,
    },
  ];
  return Promise.all(
    tools.map(async ({ name, page, version }): Promise<Preflight> => {
      const found = await which(name, { nothrow: true });
      const { stdout } = found ? await version() : { stdout: "" };
      const first = stdout.split("\n")[0]?.trim() ?? "";
      if (first) return { topic: `tool ${name}`, ok: true, says: first.slice(0, 60), fix: [] };
      return {
        topic: `tool ${name}`,
        ok: "unknown",
        says: "is not installed; nothing here needs it, people do",
        fix: [page],
      };
    }),
  );
}

/**
 * crosstrust itself, one command after the other, as the user would type them; gives the exit code. The first refusal ends
 * it.
 */
function stepsIn(
  flags: Flags,
  env: NodeJS.ProcessEnv,
  consents: Consents,
): (...commands: readonly string[]) => Promise<number> {
  const own = fileURLToPath(new URL("bin/crosstrust.js", root));
  const common = [
    ...["--file", flags.file],
    ...(flags.sandbox ? ["--sandbox"] : []),
    ...(flags.yes ? ["--yes"] : []),
    ...(flags.quiet ? ["--quiet"] : []),
  ];
  return async (...commands) => {
    for (const command of commands) {
      const words = [...command.split(" "), ...consentWords(command, consents), ...common];
      say(`\n$ crosstrust ${words.join(" ")}`);
      const { exitCode } = await $({ env, nothrow: true, stdio: "inherit" })`${process.execPath} ${own} ${words}`;
      if (exitCode !== codes.fine && !(goesOn.includes(command) && exitCode === codes.differs))
        return exitCode ?? codes.failed;
    }
    return codes.fine;
  };
}

/**
 * Steps after which onboarding goes on although something differs: a plan that differs is what it is for, and what an apply
 * leaves in place because no link names it is told by the health check that follows.
 */
const goesOn: readonly string[] = ["plan", "apply", "onboard --control"];

/** The consents of onboard, as each of its steps takes them. */
function consentWords(command: string, consents: Consents): readonly string[] {
  const { allowBroadSubject, allowPrivileged } = consents;
  if (command === "plan" || command === "apply") return flagsFor(consents);
  return command === "lint" ? flagsFor({ ...noConsents, allowBroadSubject, allowPrivileged }) : [];
}

/** Both ends of a link have something to say: how its identity is had, and how its access is used. */
function stepsOf({ links }: Federation, name: string): readonly string[] {
  const link = links.find((candidate) => candidate.name === name);
  if (!link) return [];
  return [link.from.party, link.to.party].flatMap(
    (side) => parties.find((party) => party.name === side)?.nextSteps(link) ?? [],
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      ...scriptOptions,
      control: { type: "boolean" },
      deploy: { type: "boolean" },
      checker: { type: "string" },
      provisioner: { type: "string" },
      destroy: { type: "boolean" },
      adopt: { type: "string", multiple: true },
      "adopt-forget": { type: "string", multiple: true },
      replace: { type: "string", multiple: true },
      prune: { type: "string" },
      "allow-widen": { type: "string", multiple: true },
      "allow-broad-subject": { type: "string", multiple: true },
      "allow-privileged": { type: "string", multiple: true },
      undelete: { type: "boolean" },
      "grant-me": { type: "boolean" },
    },
  });
  const flags = { ...values, file: values.file } as Flags;
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values))
    own[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] = value;
  process.exitCode = await onboard(flags, own as OwnFlags).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
    tell(`${error.message}\n`);
    return codes.usage;
  });
}
