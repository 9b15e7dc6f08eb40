#!/usr/bin/env node
// The command. Runs on any Node from 18 on, finds a Node that can run the code, and gets out of the way: the one
// that a checkout brought (24), else the one at hand if it is new enough (22.18). A checkout runs src/cli.ts, the
// published package src/cli.js.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants, homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const launcher = fileURLToPath(import.meta.url);
const root = join(dirname(launcher), "..");
const checkout = join(root, "src", "cli.ts");
const entry = existsSync(checkout) ? checkout : join(root, "src", "cli.js");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const enough = major > 22 || (major === 22 && minor >= 18);
const own = ownNode();

if (!existsSync(join(root, "node_modules")) && entry === checkout) stop("run npm ci in this checkout first");
else if (own && own !== process.execPath) handOver(own);
else if (enough) await start();
else stop(`crosstrust needs Node 22.18 or newer; this is ${process.versions.node}`);

/** Runs the command line in this process. */
async function start() {
  delete process.env.CROSSTRUST_HANDED_OVER;
  const folder = cacheFolder();
  // Keeps what V8 compiled, and in a checkout the TypeScript without its types: half of the time of a start.
  if (folder) nodeModule.enableCompileCache?.(folder);
  await import(pathToFileURL(entry).href);
}

/**
 * The folder in which compiled code is kept, made where it is missing. Code is run from it, so it has to be the user's own
 * and nobody else's to write: else undefined, and every start compiles anew. NODE_COMPILE_CACHE and
 * NODE_DISABLE_COMPILE_CACHE are Node's own and stay in force.
 */
function cacheFolder() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE) return undefined;
  const base = process.env.XDG_CACHE_HOME || process.env.LOCALAPPDATA || join(homedir(), ".cache");
  // A relative one would be another folder, in whatever folder the command is typed (XDG base directories).
  if (!isAbsolute(base)) return undefined;
  const folder = join(base, "crosstrust", "node");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    const mine = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return mine ? folder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The Node binary that npm put into this checkout for this platform, as `process.execPath` names it: by its real path, so that
 * it is known again where `node_modules` is a link.
 */
function ownNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const path = join(
    root,
    "node_modules",
    `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`,
    "bin",
    name,
  );
  return existsSync(path) ? realpathSync(path) : undefined;
}

/**
 * Runs the newer Node in our place: same words, same streams, its exit code. Once: whoever was started like this and would
 * hand over again says so instead.
 */
function handOver(node) {
  const { CROSSTRUST_HANDED_OVER: before, ...rest } = process.env;
  if (before) return stop(`the Node of this checkout is not what it says it is: ${node}; run npm ci again`);
  const env = { ...rest, CROSSTRUST_HANDED_OVER: "1" };
  const child = spawn(node, [launcher, ...process.argv.slice(2)], { stdio: "inherit", env });
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
