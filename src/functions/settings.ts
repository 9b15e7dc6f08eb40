import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { controlAudience } from "../crosstrust/control.ts";
import { lintFile } from "../file/lint.ts";
import { readFederation } from "../file/read.ts";
import type { Federation, Finding, World } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld, sandboxWorld } from "../run/world.ts";
import type { Callers } from "./caller.ts";

export type FunctionName = "health" | "provision";

/**
 * As whom a function goes to other clouds, where its file has a control plane: what checks is another one than what
 * writes (fact sheet reliability-and-security, 4.4).
 */
export const controlOf = (name: FunctionName, { name: deployment, control }: Federation) =>
  control && {
    ...{ deployment, audience: controlAudience(deployment), sessionName: `crosstrust-${name}` },
    who: name === "health" ? ("checker" as const) : ("provisioner" as const),
  };

/** What a deployment is made of: its file, who may call it, and the world it acts in. */
export interface Settings {
  readonly federation: Federation;
  /** Warnings, and what amounts to administrator: errors end the request. */
  readonly linted: readonly Finding[];
  readonly callers: Callers;
  readonly world: World;
}

/**
 * What a function runs with, read at each request: CROSSTRUST_FILE (the federation file is part of the
 * deployment), CROSSTRUST_AUDIENCE and CROSSTRUST_CALLERS (comma-separated e-mails). Without the last two
 * nobody is let in.
 *
 * Throws where the file has an error: a function with half a file must not run. Privileged permissions are
 * let through here, because a check has to run over them; provision asks about them.
 */
export async function settings(name: FunctionName): Promise<Settings> {
  const {
    CROSSTRUST_FILE: file = "federation.yaml",
    CROSSTRUST_AUDIENCE: audience = "",
    CROSSTRUST_CALLERS: list = "",
  } = process.env;
  const { federation, findings } = readFederation(basename(file), readFileSync(file), shapes);
  const linted = federation ? lintFile({ federation, parties, allowPrivileged: "all", maxLinks: 1000 }) : findings;
  if (!federation || linted.some(({ severity }) => severity === "error"))
    throw new Error("the federation file of this deployment has errors");
  const emails = list
    .split(",")
    .map((email) => email.trim())
    .filter(Boolean);
  return { federation, linted, callers: { audience, emails }, world: await openWorld(name, federation) };
}

/**
 * A deployed function (K_SERVICE) never sees a sandbox, whatever its environment says. Elsewhere only a
 * sandbox at 127.0.0.1 is taken, so that the variable cannot lead calls to another machine.
 */
async function openWorld(name: FunctionName, federation: Federation): Promise<World> {
  const store = directoryStore(process.env.CROSSTRUST_STORE ?? join(tmpdir(), "crosstrust"));
  const common = { store, progress: () => {}, signal: new AbortController().signal };
  const sandbox = process.env.CROSSTRUST_SANDBOX;
  if (!sandbox || process.env.K_SERVICE) {
    const { sourcesFor } = await import("../parties/sources.ts");
    const control = process.env.K_SERVICE ? controlOf(name, federation) : undefined;
    return cloudWorld({ ...common, endpoints: new Map(), sources: sourcesFor(control) });
  }
  const { hostname, port, protocol } = new URL(sandbox);
  if (protocol !== "http:" || hostname !== "127.0.0.1") throw new Error("CROSSTRUST_SANDBOX is http://127.0.0.1:PORT");
  return sandboxWorld({ ...common, attach: async () => `http://127.0.0.1:${port}` });
}
