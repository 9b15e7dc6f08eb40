import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "./exit.ts";

/**
 * Looked at before anything is contacted: a check of minutes must not end in a typing mistake, and the federation file
 * is never what a report is written over.
 */
export function checkTarget(target: string, { flag, file }: { readonly flag: string; readonly file: string }): void {
  const path = resolve(target);
  if (target === "") throw new UsageError(`${flag} takes the file to write`);
  if (path === resolve(file)) throw new UsageError(`${flag} ${target} would overwrite the federation file`);
  if (!existsSync(dirname(path))) throw new UsageError(`${flag} ${target}: there is no such folder`);
  if (existsSync(path) && statSync(path).isDirectory()) throw new UsageError(`${flag} ${target} is a folder`);
}

/** For everybody to read: a report holds no secret. */
export function writePage(target: string, text: string, flag: string): void {
  try {
    writeFileSync(target, text, { mode: 0o644 });
  } catch (error) {
    const { code } = error as { code?: string };
    throw new UsageError(`${flag} ${target} cannot be written${code ? ` (${code})` : ""}`);
  }
}
