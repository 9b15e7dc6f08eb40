import { randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Who serves the state of a folder; the state has one owner at a time. */
const ownerSchema = z.object({ pid: z.number().int(), port: z.number().int() });
export type Owner = z.infer<typeof ownerSchema>;

const fileOf = (folder: string): string => join(folder, "owner.json");

/** A lock that cannot be read is nobody's: undefined, and taken over like a dead one's. */
export function readOwner(folder: string): Owner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(fileOf(folder), "utf8")));
  } catch {
    return undefined;
  }
}

/** Something in the folder of a sandbox is no file of it. */
export class FolderError extends Error {
  override readonly name = "FolderError";
}

/**
 * The folder ignores itself in git. Throws a `FolderError` where something stands in it that a read would wait for, such
 * as a pipe.
 */
export function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ignore = join(folder, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
  for (const name of readdirSync(folder)) {
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (stat && !stat.isFile() && !stat.isDirectory()) throw new FolderError(`${name} in it is not a regular file`);
  }
}

/**
 * Takes the lock if nobody alive holds it: a link is made whole or not at all, and fails where one stands. A
 * dead owner's lock is taken away under a second lock, so that two who find it dead do not both take it.
 */
export async function takeOwnership(folder: string, port: number): Promise<boolean> {
  // One process may attach twice at once, so the pid alone is no name.
  const mine = join(folder, `owner.${randomUUID()}.new`);
  writeFileSync(mine, JSON.stringify({ pid: process.pid, port }), { mode: 0o600 });
  try {
    if (link(mine, fileOf(folder))) return true;
    const burying = join(folder, "owner.burying");
    if (isOld(burying)) rmSync(burying, { force: true });
    if (!link(mine, burying)) return false;
    try {
      if (await alive(readOwner(folder))) return false;
      rmSync(fileOf(folder), { force: true });
      return link(mine, fileOf(folder));
    } finally {
      rmSync(burying, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Only a lock of this process: another one may have taken it over meanwhile. */
export function giveUpOwnership(folder: string): void {
  if (readOwner(folder)?.pid === process.pid) rmSync(fileOf(folder), { force: true });
}

/** A hard link never overwrites, and shows the whole file at once; false where something stands there. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Milliseconds that an owner may take to answer: a loaded machine is slow, and its sandbox is still alive. */
const patience = 20_000;

/** A process that removes a dead lock asks its owner once, so a second lock older than that has no process. */
const isOld = (file: string): boolean => {
  try {
    return Date.now() - statSync(file).mtimeMs > patience + 5000;
  } catch {
    return false;
  }
};

/** A process with that pid, and a sandbox at that port that says it is it: either alone may be reused. */
export async function alive(owner: Owner | undefined): Promise<boolean> {
  if (!owner) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  try {
    const signal = AbortSignal.timeout(patience);
    const status = await fetch(`http://127.0.0.1:${owner.port}/_sandbox/status`, { signal });
    return ((await status.json()) as { pid?: number }).pid === owner.pid;
  } catch {
    return false;
  }
}
