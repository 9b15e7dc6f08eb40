import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { lintFile } from "../file/lint.ts";
import { readFederation } from "../file/read.ts";
import type { Federation, Finding } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";

/** As which of its two functions a deployment runs here. */
export type FunctionName = "health" | "provision";

/** The federation file of this deployment, and what lint says of it. */
export interface Deployment {
  readonly federation: Federation;
  /** Warnings, and what amounts to administrator: errors end the request. */
  readonly linted: readonly Finding[];
}

/**
 * The file that CROSSTRUST_FILE names, `federation.yaml` in the working directory where it names none: a deployed
 * function starts in its own folder. Read at each request.
 *
 * Throws where the file has an error: a function with half a file must not run. Privileged permissions are
 * let through here, because a check has to run over them; provision asks about them.
 */
export function deployment(): Deployment {
  const { CROSSTRUST_FILE: file = "federation.yaml" } = process.env;
  const { federation, findings } = readFederation(basename(file), readFileSync(file), shapes);
  const linted = federation ? lintFile({ federation, parties, allowPrivileged: "all", maxLinks: 1000 }) : findings;
  if (!federation || linted.some(({ severity }) => severity === "error"))
    throw new Error("the federation file of this deployment has errors");
  return { federation, linted };
}
