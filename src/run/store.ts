import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store, Versioned } from "../model.ts";
import { CloudError } from "./cloud-error.ts";
import { InputError, readInput } from "./input.ts";

/**
 * Documents in a directory beside the federation file; it ignores itself in git, and only the user can read
 * them. A write is whole or not at all: a new file takes the place of the old one. A version is a hash.
 *
 * Throws a `CloudError` where a document cannot be read or written: it is for the caller to go on without its memory.
 */
export function directoryStore(folder: string): Store {
  const fileOf = (name: string): string => join(folder, `${name.replace(/[^\w.-]/g, "_")}.json`);
  const read = async (name: string) => told(folder, "Read", () => opened(fileOf(name)));
  return {
    read: async (name) => (await read(name))?.text,
    write: (name, text) =>
      told(folder, "Write", () => {
        prepare(folder);
        put(fileOf(name), text);
      }),
    remove: (name) => told(folder, "Write", () => rmSync(fileOf(name), { force: true })),
    open: read,
    swap: (name, text, version) =>
      told(folder, "Write", () => {
        prepare(folder);
        return alone(fileOf(name), () => {
          const mine = opened(fileOf(name))?.version === version;
          if (mine) put(fileOf(name), text);
          return mine;
        });
      }),
  };
}

/** What the system says of the store's files, as an error that every command knows how to tell. */
async function told<T>(folder: string, operation: "Read" | "Write", job: () => T | Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    if (error instanceof CloudError) throw error;
    const why = error instanceof InputError ? error.message : ((error as NodeJS.ErrnoException).code ?? "unknown");
    throw new CloudError({
      ...{ class: "refused", service: "store", operation, code: "STORE-UNAVAILABLE", status: 0 },
      message: `the store in ${folder} cannot be ${operation === "Read" ? "read" : "written"}: ${why}`,
      known: { code: "STORE-UNAVAILABLE", asks: "untold" },
      fix: [`make ${folder} a folder that can be written, or delete it`],
    });
  }
}

/** Bytes; no note that crosstrust writes comes near it. */
const mostBytes = 16 * 1024 * 1024;

function prepare(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
}

function put(file: string, text: string): void {
  const fresh = `${file}.${randomUUID()}.new`;
  try {
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

function opened(file: string): Versioned | undefined {
  const text = unless("ENOENT", () => readInput(file, mostBytes).toString("utf8"));
  return text === undefined ? undefined : { text, version: createHash("sha256").update(text).digest("hex") };
}

/** The job never waits for anything, so whoever holds its lock for longer than this many milliseconds was killed. */
const stale = 3000;

/**
 * One job at a time over all processes. The lock of a killed one is renamed away before it is removed: of several
 * who find it too old only one does that.
 */
async function alone<T>(file: string, job: () => T): Promise<T> {
  const lock = `${file}.lock`;
  while (unless("EEXIST", () => writeFileSync(lock, "", { flag: "wx", mode: 0o600 }) ?? true) === undefined) {
    const made = unless("ENOENT", () => statSync(lock).mtimeMs);
    if (made !== undefined && Date.now() - made > stale) {
      const grave = `${lock}.${randomUUID()}`;
      unless("ENOENT", () => renameSync(lock, grave));
      // Somebody else has buried it already and holds a new one: back with it.
      const age = unless("ENOENT", () => Date.now() - statSync(grave).mtimeMs) ?? stale;
      if (age < stale) unless("EEXIST", () => linkSync(grave, lock));
      rmSync(grave, { force: true });
    } else await sleep(2 + Math.random() * 8);
  }
  try {
    return job();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Undefined where it fails in just this way. */
function unless<T>(code: string, job: () => T): T | undefined {
  try {
    return job();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return undefined;
    throw error;
  }
}
