import { basename } from "node:path";
import { lintFile } from "../file/lint.ts";
import { shaped } from "../file/shaped.ts";
import { parseTree } from "../file/tree.ts";
import type { Place } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import type { Deployment, FileNow } from "./prepared.ts";

/**
 * Throws where the file has an error: a function with half a file must not run. Privileged permissions are
 * let through here, because a check has to run over them; provision asks about them.
 */
export function readWhole({ path, bytes }: FileNow): { read: Deployment; places: ReadonlyMap<string, Place> } {
  const file = basename(path);
  const parsed = parseTree(file, bytes);
  const { federation, findings } = shaped({ file, parsed, shapes });
  const linted = federation ? lintFile({ federation, parties, allowPrivileged: "all", maxLinks: 1000 }) : findings;
  if (!federation || linted.some(({ severity }) => severity === "error"))
    throw new Error("the federation file of this deployment has errors");
  return { read: { federation, linted }, places: parsed.places };
}
