#!/usr/bin/env node
// The command. Runs on any Node from 18 on, finds a Node that can run the code, and gets out of the way: the one
// that a checkout brought (24), else the one at hand if it is new enough (22.18). A checkout runs src/cli.ts, the
// published package src/cli.js.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const checkout = join(root, "src", "cli.ts");
const entry = existsSync(checkout) ? checkout : join(root, "src", "cli.js");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const enough = major > 22 || (major === 22 && minor >= 18);
const own = ownNode();

if (!existsSync(join(root, "node_modules")) && entry === checkout) stop("run npm ci in this checkout first");
else if (own && own !== process.execPath) handOver(own);
else if (enough) await import(pathToFileURL(entry).href);
else stop(`crosstrust needs Node 22.18 or newer; this is ${process.versions.node}`);

/** The Node binary that npm put into this checkout for this platform. */
function ownNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const path = join(
    root,
    "node_modules",
    `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
    "bin",
    name,
  );
  return existsSync(path) ? path : undefined;
}

/** Runs the newer Node in our place: same words, same streams, its exit code. */
function handOver(node) {
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal tells both, anybody else tells only us: it is passed on, and the child takes two at once for one.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", () => stop("the Node of this checkout cannot be run; run npm ci again"));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** One sentence and exit 64: nothing was run, and the sentence says what to do (contract, section 1). */
function stop(says) {
  process.stderr.write(`${says}\n`);
  process.exitCode = 64;
}
