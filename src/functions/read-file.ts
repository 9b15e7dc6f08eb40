import { basename } from "node:path";
import { decisionsOf } from "../crosstrust/accepts.ts";
import { noConsents } from "../crosstrust.ts";
import { agreedIn, lintRules, soundIn } from "../file/lint.ts";
import { shaped } from "../file/shaped.ts";
import { parseTree } from "../file/tree.ts";
import type { Federation, Finding, Place } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { accepted } from "../plan/accept.ts";
import { expand } from "../plan/expand.ts";
import type { Deployment, FileNow } from "./prepared.ts";

/**
 * Throws where the file has an error: a function with half a file must not run. Privileged permissions are
 * let through here, because a check has to run over them; the plan of provision asks about them.
 */
export function readWhole({ path, bytes }: FileNow): { read: Deployment; places: ReadonlyMap<string, Place> } {
  const file = basename(path);
  const parsed = parseTree(file, bytes);
  const { federation } = shaped({ file, parsed, shapes });
  if (!federation || lintOf(federation).some(({ severity, accepted: agreed }) => severity === "error" && !agreed))
    throw new Error("the federation file of this deployment has errors");
  return { read: { federation }, places: parsed.places };
}

function lintOf(federation: Federation): readonly Finding[] {
  const found = lintRules({ federation, parties, maxLinks: 1000 });
  const decided = decisionsOf(federation, expand(soundIn(federation, found).links, parties), Date.now());
  const accept = (some: readonly Finding[]) => accepted(some, { ...decided, consents: noConsents });
  return agreedIn(found, { allowPrivileged: "all", accept });
}
