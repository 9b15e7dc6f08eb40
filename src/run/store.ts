import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Store, Versioned } from "../model.ts";

/**
 * Documents in a directory beside the federation file; it ignores itself in git, and only the user can read
 * them. A write is whole or not at all: a new file takes the place of the old one. A version is a hash.
 */
export function directoryStore(folder: string): Store {
  const fileOf = (name: string): string => join(folder, `${name.replace(/[^\w.-]/g, "_")}.json`);
  return {
    read: async (name) => opened(fileOf(name))?.text,
    async write(name, text) {
      prepare(folder);
      put(fileOf(name), text);
    },
    async remove(name) {
      rmSync(fileOf(name), { force: true });
    },
    open: async (name) => opened(fileOf(name)),
    async swap(name, text, version) {
      prepare(folder);
      return alone(fileOf(name), () => {
        const mine = opened(fileOf(name))?.version === version;
        if (mine) put(fileOf(name), text);
        return mine;
      });
    },
  };
}

function prepare(folder: string): void {
  const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
}

function put(file: string, text: string): void {
  const fresh = `${file}.${randomUUID()}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, file);
}

function opened(file: string): Versioned | undefined {
  const text = unless("ENOENT", () => readFileSync(file, "utf8"));
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
