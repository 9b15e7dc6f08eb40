import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { surroundings } from "../../src/sandbox/environment.ts";
import type { Environment } from "../../src/sandbox/fake.ts";
import { bench, example, folderWith } from "./bench.ts";
import { guard } from "./guard.ts";

const root = join(import.meta.dirname, "..", "..");
export const cliPath = join(root, "src", "cli.ts");

export interface Ran {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Runs a program to its end, asynchronously: the sandbox may live in this very process. One that hangs is killed. */
export function run(program: string, words: readonly string[], { cwd, env, input }: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, [...words], { cwd, env: env ?? process.env });
    const timer = setTimeout(() => child.kill("SIGKILL"), guard);
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (err += chunk.toString()));
    child.on("error", (error) => resolve({ exit: null, out, err: String(error) }));
    child.on("close", (exit) => {
      clearTimeout(timer);
      resolve({ exit, out, err });
    });
    child.stdin.end(input ?? "");
  });
}

/** crosstrust itself. */
export const crosstrust = (words: string | readonly string[], options: RunOptions = {}): Promise<Ran> =>
  run(process.execPath, [cliPath, ...(typeof words === "string" ? words.split(" ").filter(Boolean) : words)], options);

/** An environment that leads every program to a sandbox, and nothing of this machine's own. */
export async function environmentOf(url: string, folder: string): Promise<NodeJS.ProcessEnv> {
  const parts = (await (
    await fetch(`${url}/_sandbox/environment?aws=111122223333&google=acme-prod`)
  ).json()) as Environment[];
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...surroundings(url, parts, join(folder, "env")).set };
}

/** Starts something that runs until its test ends, and waits for a line of its output. */
export async function start(
  words: readonly string[],
  options: { cwd: string; until: RegExp; env?: NodeJS.ProcessEnv },
): Promise<{ child: ChildProcess; match: RegExpExecArray }> {
  const child = spawn(process.execPath, [cliPath, ...words], { cwd: options.cwd, env: options.env ?? process.env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let out = "";
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const look = (chunk: Buffer) => {
      out += chunk.toString();
      const found = options.until.exec(out);
      if (found) resolve(found);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("exit", (code) => reject(new Error(`ended with ${code}: ${out}`)));
  });
  return { child, match };
}

/** A folder, a sandbox that outlives each command, and crosstrust in both. */
export async function stage(text = example) {
  const b = await bench();
  const cwd = folderWith(text);
  const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
  const ct = (words: string | readonly string[], more: { input?: string } = {}) =>
    crosstrust(words, { cwd, env, ...more });
  return { b, cwd, env, ct };
}
