import type { Store, World } from "../model.ts";
import { bucketStore } from "./google/storage.ts";

/**
 * Where documents that outlive a run can be kept in the cloud, by the scheme of their place: `gs://BUCKET/FOLDER`.
 * Each needs a world to make its calls in, which is why no world is made with one.
 */
export const stores: Readonly<Record<string, (place: string, world: Omit<World, "store">) => Store>> = {
  gs: bucketStore,
};
