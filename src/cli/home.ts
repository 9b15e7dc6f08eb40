import { lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes a home folder in which a program finds everything of the user's but what clients of the clouds keep there: no variable
 * moves the caches of the aws CLI or of older clients of Google's. Everything else is a link to the user's own. What a program
 * writes in place of what is hidden stays in the sandbox's folder. `hidden` are paths below the home folder.
 *
 * Gives its path. On Windows links need a right that few have: there the user's own home stays.
 */
export function homeApart(own: string, folder: string, hidden: readonly string[]): string {
  if (process.platform === "win32") return own;
  fill(own, folder, hidden, "");
  return folder;
}

function fill(own: string, folder: string, hidden: readonly string[], below: string): void {
  mkdirSync(join(folder, below), { recursive: true, mode: 0o700 });
  for (const entry of entriesOf(join(own, below))) {
    const path = below ? `${below}/${entry}` : entry;
    const isLink = lstatSync(join(folder, path), { throwIfNoEntry: false })?.isSymbolicLink();
    const within = hidden.some((one) => one.startsWith(`${path}/`));
    // A link that an earlier version has made.
    if (isLink && (within || hidden.includes(path))) rmSync(join(folder, path));
    if (within) fill(own, folder, hidden, path);
    else if (!hidden.includes(path)) link(join(own, path), join(folder, path));
  }
}

/** A home that is not there, or a file in the place of a folder, has no entries. */
function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Two commands may make it at once, and a program may have written something of its own there. */
function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
