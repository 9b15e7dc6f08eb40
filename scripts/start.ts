import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { $ } from "zx/core";
import { serveLocally } from "../functions/local.ts";
import { led } from "../src/cli/surroundings.ts";
import { players } from "../src/parties/players.ts";
import { attach } from "../src/sandbox/attach.ts";
import { surroundings } from "../src/sandbox/environment.ts";
import type { Environment } from "../src/sandbox/fake.ts";
import { editTrust, scheduleHealth } from "./start-acts.ts";

// `npm start`: the whole life of one link, offline. Every command shown is really run, against one sandbox.

const root = new URL("..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "crosstrust-"));
const file = join(folder, "federation.yaml");
copyFileSync(join(root, "examples", "google-to-aws.yaml"), file);

// One sandbox for the whole story: each command below attaches to it instead of starting its own.
const attached = await attach({ folder: join(folder, ".crosstrust", "sandbox"), players });
const parts = (await (
  await fetch(`${attached.url}/_sandbox/environment?aws=111122223333&google=acme-prod`)
).json()) as Environment[];
const env = led(surroundings(attached.url, parts, join(folder, "env")));
let acts = 0;

const act = (title: string): void => void process.stdout.write(`\n${"-".repeat(78)}\n${++acts}. ${title}\n\n`);

/** Runs crosstrust as a user would, and stops the story if it does not end as the story says. */
async function crosstrust(words: string, expected: number): Promise<void> {
  process.stdout.write(`$ crosstrust ${words}\n`);
  const own = join(root, "bin", "crosstrust.js");
  const { exitCode } = await $({
    cwd: folder,
    env,
    nothrow: true,
    stdio: "inherit",
  })`${process.execPath} ${own} ${words.split(" ")}`;
  process.stdout.write(`exit ${exitCode}\n\n`);
  if (exitCode !== expected)
    throw new Error(`crosstrust ${words} ended with ${exitCode}; this story expects ${expected}`);
}

try {
  process.stdout.write(
    `crosstrust, offline: a sandbox at ${attached.url} plays Google Cloud and AWS. No account, no key.\n`,
  );
  act("onboarding: one file, one command, both sides set up and proved");
  await crosstrust("onboard --sandbox --yes", 0);
  act("again: nothing to do, nothing is written");
  await crosstrust("apply --sandbox", 0);
  act("from now on a scheduler calls the health function, with a token and no key");
  // The function runs in this very process, so its settings are this process's environment.
  Object.assign(process.env, env, {
    NODE_ENV: "production",
    CROSSTRUST_FILE: file,
    CROSSTRUST_STORE: join(folder, "store"),
  });
  const served = await serveLocally("health", 0);
  await scheduleHealth(attached.url, served.url);
  served.close();
  act("somebody edits the role by hand, and lets every Google identity in");
  await editTrust(attached.url);
  await crosstrust("health --sandbox", 3);
  await crosstrust("plan --sandbox", 2);
  act("repaired, and proved again");
  await crosstrust("apply --sandbox", 0);
  await crosstrust("health --sandbox", 0);
  act("taken down again, and what lives on is said");
  await crosstrust("destroy --sandbox", 0);
  process.stdout.write("that was all of it. your turn: npx crosstrust init, then npx crosstrust apply --sandbox\n");
} finally {
  await attached.close();
  rmSync(folder, { recursive: true, force: true });
}
