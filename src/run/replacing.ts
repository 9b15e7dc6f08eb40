import type { Address, Mark, World } from "../model.ts";
import { CloudError } from "./retry.ts";

/** What a mark says of a thing that was there before. */
export type Adoption = Pick<Mark, "adopted" | "was">;

const nameOf = (address: Address): string => `replacing-${address}`;

/**
 * Writes down what an adopted thing was, before it is deleted to be made anew: until the new one is there, nothing else
 * remembers it. Throws a `CloudError` where that cannot be written, and then the thing must not be deleted.
 */
export async function noteReplacing(world: World, address: Address, { was }: Adoption): Promise<void> {
  try {
    await world.store.write(nameOf(address), JSON.stringify({ address, was }));
  } catch {
    throw new CloudError({
      class: "transient",
      service: "store",
      operation: "write",
      code: "",
      status: 0,
      message: "what it was before it was adopted cannot be written down, so it is not deleted",
    });
  }
}

/**
 * Returns what a replaced thing was that a run which was cut off has deleted. Only whoever asks for the replacement again
 * by name gets it; a note that is not about this thing says nothing.
 */
export async function notedReplacing(world: World, address: Address): Promise<Adoption | undefined> {
  const text = await world.store.read(nameOf(address)).catch(() => undefined);
  const note: unknown = text === undefined ? undefined : parsed(text);
  if (typeof note !== "object" || note === null || !("address" in note) || note.address !== address) return undefined;
  return { adopted: true, ...("was" in note && typeof note.was === "string" ? { was: note.was } : {}) };
}

/** The new thing remembers it by itself now. */
export const forgetReplacing = (world: World, address: Address): Promise<void> =>
  world.store.remove(nameOf(address)).catch(() => {});

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
