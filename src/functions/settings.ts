import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CredentialsAsk, Session, Store, World } from "../model.ts";
import { directoryStore } from "../run/store.ts";
import { cloudWorld, sandboxWorld } from "../run/world.ts";
import type { Callers } from "./caller.ts";
import type { FunctionName } from "./deployment.ts";
import { stopping } from "./stop.ts";

/** Who may call a deployed function, and the world it acts in; its file is read apart, in `deployment`. */
export interface Settings {
  readonly callers: Callers;
  readonly world: World;
}

/**
 * What a function runs with, read at each request: CROSSTRUST_AUDIENCE and CROSSTRUST_CALLERS (comma-separated
 * e-mails). Without them nobody is let in. CROSSTRUST_STORE (a folder, or gs://BUCKET/FOLDER) is what it remembers in.
 */
export async function settings(name: FunctionName): Promise<Settings> {
  const { CROSSTRUST_AUDIENCE: audience = "", CROSSTRUST_CALLERS: list = "" } = process.env;
  const emails = list
    .split(",")
    .map((email) => email.trim())
    .filter(Boolean);
  const checkedInFront = process.env.CROSSTRUST_CHECKED_IN_FRONT === "cloud-run";
  return { callers: { audience, emails, checkedInFront }, world: await openWorld(name) };
}

/**
 * A deployed function (K_SERVICE) never sees a sandbox, whatever its environment says. Elsewhere only a
 * sandbox at 127.0.0.1 is taken, so that the variable cannot lead calls to another machine.
 */
async function openWorld(name: FunctionName): Promise<World> {
  const place = process.env.CROSSTRUST_STORE ?? join(tmpdir(), "crosstrust");
  const scheme = /^([a-z]+):\/\//.exec(place)?.[1];
  if (scheme === undefined) return worldOver(name, directoryStore(place));
  const { stores } = await import("../parties/stores.ts");
  const store = stores[scheme];
  if (!store) throw new Error("CROSSTRUST_STORE is a folder or gs://BUCKET/FOLDER");
  const world = await worldOver(name, directoryStore(tmpdir()));
  return { ...world, store: store(place, world) };
}

async function worldOver(name: FunctionName, store: Store): Promise<World> {
  const common = { store, progress: () => {}, signal: stopping };
  const sandbox = process.env.CROSSTRUST_SANDBOX;
  if (!sandbox || process.env.K_SERVICE) {
    return cloudWorld({ ...common, endpoints: new Map(), sources: sourcesOf(name) });
  }
  const { hostname, port, protocol } = new URL(sandbox);
  if (protocol !== "http:" || hostname !== "127.0.0.1") throw new Error("CROSSTRUST_SANDBOX is http://127.0.0.1:PORT");
  return sandboxWorld({ ...common, attach: async () => `http://127.0.0.1:${port}` });
}

type Source = (ask: CredentialsAsk, world: World) => Promise<Session>;

/** Libraries and the federation file are read when a cloud is really asked: a refused caller waits for neither. */
function sourcesOf(name: FunctionName): Readonly<Record<string, Source>> {
  const source =
    (party: string): Source =>
    async (ask, world) => {
      const { sourceFor } = await import("./sources.ts");
      return (await sourceFor(party, name))(ask, world);
    };
  return { google: source("google"), aws: source("aws") };
}
