import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Bench } from "./bench.ts";
import { cliPath, crosstrust, type Ran } from "./cli.ts";

// `deploy` and `offboard` with the real gcloud over a sandbox, and killed on the way.

export interface Deploying {
  readonly b: Bench;
  readonly cwd: string;
}

const envOf = ({ b }: Deploying): NodeJS.ProcessEnv => ({ ...process.env, CROSSTRUST_SANDBOX: b.url });

export const runIn = (all: Deploying, words: string): Promise<Ran> =>
  crosstrust(words, { cwd: all.cwd, env: envOf(all) });

/** What deploy and offboard are about, as it is called and labelled: no times, ids or generations. */
export const things = async ({ url }: Bench): Promise<readonly string[]> => {
  const state = (await (await fetch(`${url}/_sandbox/state`)).json()) as Record<string, { deletedAt?: number }>;
  const about = /^google\.(account|role|bucket|run|workflow|job|logMetric|metric|alertPolicy|repository|package)/;
  return (
    Object.entries(state)
      .filter(([key, value]) => about.test(key) && value?.deletedAt === undefined)
      .map(([key, value]) => (key.startsWith("google.account/") ? String((value as { email?: string }).email) : key))
      .map((key) => key.replace(/\/\d{6,}$/, "/ID").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "ID"))
      // What every project and its organization have anyway, and reports of parts.
      .filter((key) => !/compute@developer|^google\.role\/organizations\/|health-part/.test(key))
      .sort()
  );
};

/** Ends crosstrust and whatever gcloud it has started, the hard way, as soon as its progress says so. */
export async function killedAt(all: Deploying, words: string, step: RegExp): Promise<string> {
  const child = spawn(process.execPath, [cliPath, ...words.split(" ")], {
    cwd: all.cwd,
    env: envOf(all),
    detached: true,
  });
  let said = "";
  let killed = false;
  const look = (chunk: Buffer): void => {
    said += chunk.toString();
    if (killed || !step.test(said)) return;
    killed = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  };
  child.stdout.on("data", look);
  child.stderr.on("data", look);
  await once(child, "exit");
  return said;
}
