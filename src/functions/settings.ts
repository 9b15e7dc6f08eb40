import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { lintFile } from "../file/lint.ts";
import { readFederation } from "../file/read.ts";
import type { Federation, Finding, Store, World } from "../model.ts";
import { parties, shapes } from "../parties/index.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld, sandboxWorld } from "../run/world.ts";
import type { Callers } from "./caller.ts";

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
 * nobody is let in. CROSSTRUST_STORE (a folder, or gs://BUCKET/FOLDER) is what it remembers in.
 *
 * Throws where the file has an error: a function with half a file must not run. Privileged permissions are
 * let through here, because a check has to run over them; provision asks about them.
 */
export async function settings(): Promise<Settings> {
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
  return { federation, linted, callers: { audience, emails }, world: await openWorld() };
}

/**
 * A deployed function (K_SERVICE) never sees a sandbox, whatever its environment says. Elsewhere only a
 * sandbox at 127.0.0.1 is taken, so that the variable cannot lead calls to another machine.
 */
async function openWorld(): Promise<World> {
  const place = process.env.CROSSTRUST_STORE ?? join(tmpdir(), "crosstrust");
  const scheme = /^([a-z]+):\/\//.exec(place)?.[1];
  if (scheme === undefined) return worldOver(directoryStore(place));
  const { stores } = await import("../parties/stores.ts");
  const store = stores[scheme];
  if (!store) throw new Error("CROSSTRUST_STORE is a folder or gs://BUCKET/FOLDER");
  const world = await worldOver(directoryStore(tmpdir()));
  return { ...world, store: store(place, world) };
}

async function worldOver(store: Store): Promise<World> {
  const common = { store, progress: () => {}, signal: new AbortController().signal };
  const sandbox = process.env.CROSSTRUST_SANDBOX;
  if (!sandbox || process.env.K_SERVICE) {
    const { sources } = await import("../parties/sources.ts");
    return cloudWorld({ ...common, endpoints: new Map(), sources });
  }
  const { hostname, port, protocol } = new URL(sandbox);
  if (protocol !== "http:" || hostname !== "127.0.0.1") throw new Error("CROSSTRUST_SANDBOX is http://127.0.0.1:PORT");
  return sandboxWorld({ ...common, attach: async () => `http://127.0.0.1:${port}` });
}
