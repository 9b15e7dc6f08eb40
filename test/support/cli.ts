import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
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
  readonly input?: string | undefined;
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
    // A program may end before it reads.
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

/** crosstrust itself. */
export const crosstrust = (words: string | readonly string[], options: RunOptions = {}): Promise<Ran> =>
  run(process.execPath, [cliPath, ...wordsOf(words)], options);

const wordsOf = (words: string | readonly string[]): readonly string[] =>
  typeof words === "string" ? words.split(" ").filter(Boolean) : words;

let [turn, started]: [Promise<unknown>, number] = [Promise.resolve(), 0];

/**
 * crosstrust in this process, which saves the start of another one: the same entry, with words, folder and environment
 * of its own. One run at a time, since a process has one stdout. For what a process is (signals, stdin, kills), and for
 * commands that start programs, there is `crosstrust`.
 */
export function typed(words: readonly string[], place: Pick<RunOptions, "cwd" | "env">): Promise<Ran> {
  const ran = turn.then(() => runHere(words, place));
  turn = ran.catch(() => {});
  return ran;
}

async function runHere(words: readonly string[], { cwd, env }: Pick<RunOptions, "cwd" | "env">): Promise<Ran> {
  const { argv, env: ownEnv, exitCode } = process;
  const folder = process.cwd();
  const listeners = process.stdout.listeners("error");
  const taken = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((stream) =>
    vi.spyOn(process[stream], "write").mockImplementation((text, ...more: readonly unknown[]) => {
      taken[stream] += typeof text === "string" ? text : Buffer.from(text).toString();
      const done = more.find((one) => typeof one === "function");
      if (done) done();
      return true;
    }),
  );
  try {
    process.argv = [process.execPath, cliPath, ...words];
    process.env = { ...env };
    process.exitCode = undefined;
    if (cwd) process.chdir(cwd);
    // Another query makes it another module: its body, which is the whole run, is evaluated again.
    const entry = `${cliPath}?run=${++started}`;
    await import(/* @vite-ignore */ entry);
    return { exit: Number(process.exitCode ?? 0), out: taken.stdout, err: taken.stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
    process.chdir(folder);
    process.argv = argv;
    process.env = ownEnv;
    process.exitCode = exitCode;
    for (const one of process.stdout.listeners("error"))
      if (!listeners.includes(one)) process.stdout.off("error", one as () => void);
  }
}

/** Commands that run programs, whose output is not this process's, or that run until they are told to end. */
const startsPrograms = ["sandbox", "deploy", "offboard", "onboard"];

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
  const ct = (text: string | readonly string[], more: { input?: string } = {}) => {
    const words = wordsOf(text);
    const process = more.input !== undefined || startsPrograms.includes(words[0] ?? "");
    return process ? crosstrust(words, { cwd, env, input: more.input }) : typed(words, { cwd, env });
  };
  return { b, cwd, env, ct };
}
