import type { KeyPairKeyObjectResult } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Player } from "./fake.ts";
import type { Mapping } from "./hosting.ts";
import { alive, giveUpOwnership, prepareFolder, readOwner, takeOwnership } from "./owner.ts";
import { Sandbox } from "./sandbox.ts";
import { type Listening, listen } from "./server.ts";

/** What to serve, and where; most of it counts only where this process becomes the owner. */
export interface AttachOptions {
  /** The folder of its state; absent: in memory, for this process alone. */
  readonly folder?: string | undefined;
  /** The parties that are played; unused where another process serves already. */
  readonly players: readonly Player[];
  /** 0 or absent: any free port. */
  readonly port?: number | undefined;
  /** The metadata server's service account, by e-mail; kept in the state. */
  readonly actsAs?: string | undefined;
  /** Hosts that a server of the user's own stands in for, and further CAs; kept nowhere. */
  readonly mapping?: Mapping | undefined;
  /** Milliseconds that the played clouds give an issuer to answer; 5000 where left out. */
  readonly issuerDeadline?: number | undefined;
  /** Makes the RSA keys that issuers sign with; fresh ones where left out. */
  readonly keyPair?: (() => KeyPairKeyObjectResult) | undefined;
}

/** A sandbox in reach. */
export interface Attached {
  readonly url: string;
  /** Present where this process serves it. */
  readonly sandbox?: Sandbox;
  close(): Promise<void>;
}

/**
 * Serves the state of a folder, or joins whoever serves it already: there is one implementation and one
 * owner. Closing a joined one closes nothing.
 *
 * Throws where after 80 tries, about half a minute, the owner of the folder still does not answer.
 */
export async function attach(options: AttachOptions): Promise<Attached> {
  const { folder } = options;
  if (!folder) return serve(options, async () => true);
  prepareFolder(folder);
  for (let tried = 0; tried < 80; tried++) {
    const owner = readOwner(folder);
    if (owner && (await alive(owner))) return { url: `http://127.0.0.1:${owner.port}`, close: async () => {} };
    const served = await serve(options, (port) => takeOwnership(folder, port)).catch((error: unknown) => {
      if (error === lost) return undefined;
      throw error;
    });
    if (served) return served;
    // Somebody else was quicker; it will answer in a moment.
    await sleep(20 + 10 * tried);
  }
  throw new Error(`the sandbox in ${folder} is owned by a process that does not answer`);
}

const lost = Symbol("somebody else owns it");

/**
 * Listens, takes the lock with the port it got, reads the state: only so does the lock name a port that
 * answers, and nobody reads what another still writes. Throws `lost` where it is taken.
 */
async function serve(options: AttachOptions, take: (port: number) => Promise<boolean>): Promise<Attached> {
  const gate = Promise.withResolvers<Sandbox>();
  // Nobody may be waiting when it is rejected, and an unhandled rejection ends the process.
  gate.promise.catch(() => {});
  const listening: Listening = await listen(gate.promise, options.port ?? 0);
  try {
    if (!(await take(listening.port))) throw lost;
  } catch (error) {
    gate.reject(error);
    await listening.close();
    throw error;
  }
  const { folder, players, actsAs, mapping, issuerDeadline, keyPair } = options;
  let sandbox: Sandbox;
  try {
    sandbox = new Sandbox({ players, actsAs, mapping, issuerDeadline, keyPair, ...(folder ? { folder } : {}) });
  } catch (error) {
    // Nobody may wait for a sandbox that never comes, and another process may find the folder mended.
    gate.reject(error);
    if (folder) giveUpOwnership(folder);
    await listening.close();
    throw error;
  }
  sandbox.base = listening.url;
  gate.resolve(sandbox);
  const close = async () => {
    await listening.close();
    await sandbox.programs.close();
    if (folder) giveUpOwnership(folder);
  };
  return { url: listening.url, sandbox, close };
}
