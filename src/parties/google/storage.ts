import { createHash } from "node:crypto";
import { z } from "zod";
import type { HttpAnswer, Store, Versioned, World } from "../../model.ts";
import { CloudError, unlessMissing } from "../../run/retry.ts";
import { google } from "./client.ts";

/** Cloud Storage, JSON API v1. A generation is a number of up to 19 digits, so it stays text. */
const objectSchema = z.object({ generation: z.string().regex(/^\d+$/) });
const documentSchema = z.object({ text: z.string(), version: z.string().regex(/^\d+$/) });

interface Target {
  readonly bucket: string;
  /** Percent-encoded, slashes too. */
  readonly object: string;
}

/**
 * Documents as objects `gs://BUCKET/PREFIX/NAME.json`, for functions, whose disk goes away with them. A version is
 * the object's generation: a swap is an upload that holds only for that one (`ifGenerationMatch`; 0: not there yet).
 */
export function bucketStore(place: string, world: Omit<World, "store">): Store {
  const [, bucket, folder = ""] = /^gs:\/\/([a-z0-9][\w.-]{1,220}[a-z0-9])(?:\/(.*?))?\/*$/.exec(place) ?? [];
  if (bucket === undefined) throw new Error("a bucket is named as gs://BUCKET or gs://BUCKET/FOLDER");
  const at = (name: string): Target => {
    const path = [folder, `${name.replace(/[^\w.-]/g, "_")}.json`].filter(Boolean).join("/");
    return { bucket, object: encodeURIComponent(path) };
  };
  // A call asks everything of its world but the store, which is only being made here.
  const there = world as World;
  return {
    read: async (name) => (await get(there, at(name)))?.text,
    write: async (name, text) => void (await insert(there, at(name), { text })),
    remove: (name) => remove(there, at(name)),
    open: (name) => get(there, at(name)),
    swap: (name, text, version) => swap(there, at(name), { text, version: version ?? "0" }),
  };
}

const base = ({ bucket, object }: Target): string => `/storage/v1/b/${bucket}/o/${object}`;

const get = (world: World, target: Target): Promise<Versioned | undefined> =>
  unlessMissing(
    google(world, {
      ...{ service: "google.storage", operation: "GetObject", effect: "read", method: "GET" },
      ...{ project: target.bucket, path: `${base(target)}?alt=media`, answer: documentSchema, read: documentOf },
    }),
  );

/** Only whole: half a document and somebody's web page come with a 200 too, but not with the object's own hash. */
function documentOf({ headers, body }: HttpAnswer): unknown {
  const md5 = /(?:^|[,\s])md5=([\w+/=]+)/.exec(headers["x-goog-hash"] ?? "")?.[1];
  if (md5 !== createHash("md5").update(body).digest("base64")) return undefined;
  return { text: body.toString("utf8"), version: headers["x-goog-generation"] };
}

/** Safe to repeat: without a version it is a full replace, with one it can land only once. */
const insert = (world: World, { bucket, object }: Target, { text, version }: { text: string; version?: string }) =>
  google(world, {
    ...{ service: "google.storage", operation: "InsertObject", effect: "repeatable", method: "POST", project: bucket },
    path: `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${object}${version ? `&ifGenerationMatch=${version}` : ""}`,
    ...{ text, answer: objectSchema },
  });

/**
 * 412: another generation stands there. It may be our own, where an answer was lost and the upload sent again: then
 * what stands there is our text.
 */
async function swap(world: World, target: Target, ours: Versioned): Promise<boolean> {
  try {
    await insert(world, target, ours);
    return true;
  } catch (error) {
    if (!(error instanceof CloudError) || error.status !== 412) throw error;
    return (await get(world, target))?.text === ours.text;
  }
}

async function remove(world: World, target: Target): Promise<void> {
  const call = {
    service: "google.storage",
    operation: "DeleteObject",
    effect: "repeatable",
    method: "DELETE",
  } as const;
  const what = { project: target.bucket, path: base(target), answer: z.object({}), read: () => ({}) };
  await unlessMissing(google(world, { ...call, ...what }));
}
