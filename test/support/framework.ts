import { type ChildProcess, execSync, spawn } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const command = join(root, "node_modules", "@google-cloud", "functions-framework", "build", "src", "main.js");

/** A function folder under the framework's own command, on this machine alone. */
export interface Served {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it wrote to stdout and stderr. */
  readonly said: () => string;
  /** Milliseconds of processor time, user and system, since its start. */
  readonly cpu: () => Promise<number>;
  readonly exit: Promise<number | null>;
}

/** What the platform's build would install there: the framework of this checkout. */
export const installed = (folder: string): void =>
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

/** What the platform's build runs besides, on the Node that the function will run on: `gcp-build` of its manifest. */
export function prepared(folder: string): void {
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  execSync(scripts["gcp-build"], {
    cwd: folder,
    env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

export async function underFramework(folder: string, target: string, env: NodeJS.ProcessEnv): Promise<Served> {
  const words = [`--source=${folder}`, `--target=${target}`, "--port=0"];
  const child = spawn(process.execPath, ["--import", join(import.meta.dirname, "loopback.mjs"), command, ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (said += chunk));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ended = exit.then((code) => Promise.reject(new Error(`ended with ${code}: ${said}`)));
  const heard = <T>(name: string) =>
    new Promise<T>((resolve) => {
      const hear = (message: Record<string, T>) => {
        if (!(name in message)) return;
        child.off("message", hear as never);
        resolve(message[name] as T);
      };
      child.on("message", hear as never);
    });
  const port = await Promise.race([heard<number>("port"), ended]);
  ended.catch(() => {});
  const cpu = async () => {
    const used = heard<NodeJS.CpuUsage>("cpu");
    child.send("cpu");
    const { user, system } = await used;
    return (user + system) / 1000;
  };
  return { url: `http://127.0.0.1:${port}`, child, said: () => said, cpu, exit };
}
