import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { placesOf } from "../file/places.ts";
import type { Federation, Link, Place } from "../model.ts";
import { version } from "../version.ts";

// What the platform's build does ahead of the first request (`gcp-build`, serverless.md 3.3), so that a cold start need
// not: the federation file as it was read. V8's code for what a check runs is kept besides (compiled.ts).

/** The federation file of this deployment. */
export interface Deployment {
  readonly federation: Federation;
}

interface Kept extends Deployment {
  /** Of the file that was read, and of the version that read it: with any other the file itself is read. */
  readonly key: string;
  readonly places: readonly (readonly [string, Place])[];
}

const besideOf = (path: string): string => `${path}.read.json`;
const keyOf = (path: string, bytes: Uint8Array): string =>
  createHash("sha256")
    .update(`${version} ${basename(path)} `)
    .update(bytes)
    .digest("hex");

/** A file and its bytes, as they are now. */
export interface FileNow {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Functions do not go into JSON: where fields stand is kept as a table. */
export function keepRead({ path, bytes }: FileNow, read: Deployment, places: ReadonlyMap<string, Place>): void {
  const kept: Kept = { key: keyOf(path, bytes), ...read, places: [...places] };
  writeFileSync(besideOf(path), JSON.stringify(kept));
}

/** Undefined where nothing was kept, or it is not of these very bytes. */
export function readBefore({ path, bytes }: FileNow): Deployment | undefined {
  if (!existsSync(besideOf(path))) return undefined;
  const { key, federation, places } = JSON.parse(readFileSync(besideOf(path), "utf8")) as Kept;
  if (key !== keyOf(path, bytes)) return undefined;
  const table = new Map(places);
  const placed = (link: Link): Link => {
    const canary = link.canary ? { canary: placed(link.canary) } : {};
    return { ...link, ...canary, at: placesOf(link.name, table) };
  };
  return { federation: { ...federation, links: federation.links.map(placed) } };
}
