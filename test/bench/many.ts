import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { Bench, manyLinks } from "../support/bench.ts";
import { withFolder } from "./report.ts";

/** What one health check of so many links cost. */
export interface Cost {
  readonly links: number;
  /** Seconds of the whole command, its start included. */
  readonly seconds: number;
  readonly megabytes: number;
  readonly callsPerLink: number;
  readonly iamCalls: number;
}

const cli = join(import.meta.dirname, "..", "..", "src", "cli.ts");
// Not what the system calls maxrss: that one begins with the memory of whoever started the process.
const atExit = `import { readFileSync } from "node:fs";
process.on("exit", () => process.stderr.write(readFileSync("/proc/self/status", "utf8")));`;

/** The command in a process of its own, so that the sandbox's memory is not taken for its. */
export async function healthOf(links: number): Promise<Cost> {
  const attached = await attach({ players });
  try {
    const b = new Bench(attached.url, attached.sandbox as Sandbox);
    const text = manyLinks(links);
    await b.apply(text);
    return await withFolder(async (folder) => {
      writeFileSync(join(folder, "federation.yaml"), text);
      const before = b.calls.length;
      const start = performance.now();
      const { exit, megabytes } = await run(folder, attached.url);
      if (exit !== 0) throw new Error(`health of ${links} links ended with ${exit}`);
      const calls = b.calls.slice(before);
      const iamCalls = calls.filter(({ service }) => service === "aws.iam").length;
      return {
        links,
        seconds: (performance.now() - start) / 1000,
        megabytes,
        callsPerLink: calls.length / links,
        iamCalls,
      };
    });
  } finally {
    await attached.close();
  }
}

function run(cwd: string, url: string): Promise<{ exit: number | null; megabytes: number }> {
  const words = [
    "--import",
    `data:text/javascript,${encodeURIComponent(atExit)}`,
    cli,
    "health",
    "--quiet",
    "--max-links",
    "5000",
  ];
  const child = spawn(process.execPath, words, { cwd, env: { ...process.env, CROSSTRUST_SANDBOX: url } });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => void (said += chunk.toString()));
  child.stdout.resume();
  return new Promise((resolve) =>
    child.on("close", (exit) =>
      resolve({ exit, megabytes: Number(/VmHWM:\s*(\d+)/.exec(said)?.[1] ?? Number.NaN) / 1024 }),
    ),
  );
}

/** The promises about a large file, and how the cost grows with it. */
export async function many(): Promise<boolean> {
  const [small, large] = [await healthOf(100), await healthOf(1000)];
  for (const { links, seconds, megabytes, callsPerLink, iamCalls } of [small, large]) {
    const numbers = [
      `${(links / seconds).toFixed(0)} links a second`,
      `${callsPerLink.toFixed(2)} calls a link`,
      `${iamCalls} IAM calls in all`,
      `${megabytes.toFixed(0)} MB`,
    ];
    console.log(`health of ${links} links   ${numbers.join("   ")}`);
  }
  const growth = large.seconds / large.links / (small.seconds / small.links);
  console.log(`a link of 1000 costs ${growth.toFixed(2)} times a link of 100`);
  const kept = large.iamCalls < 20 && !(large.megabytes >= 300) && large.seconds < 60;
  if (!kept) console.log("wanted: fewer than 20 IAM calls, less than 300 MB, less than a minute");
  return kept;
}
