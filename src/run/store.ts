import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../model.ts";

/**
 * Documents in a directory beside the federation file; it ignores itself in git, and only the user can read
 * them. A write is whole or not at all: a new file takes the place of the old one.
 */
export function directoryStore(folder: string): Store {
  const fileOf = (name: string): string => join(folder, `${name.replace(/[^\w.-]/g, "_")}.json`);
  return {
    async read(name) {
      try {
        return readFileSync(fileOf(name), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write(name, text) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, ".gitignore"), "*\n");
      const fresh = `${fileOf(name)}.${process.pid}.new`;
      writeFileSync(fresh, text, { mode: 0o600 });
      renameSync(fresh, fileOf(name));
    },
    async remove(name) {
      rmSync(fileOf(name), { force: true });
    },
  };
}
