import { z } from "zod";
import type { Address, Mark, Resource, Spec, World } from "../model.ts";
import { CloudError } from "./retry.ts";

/** What a mark says of a thing that was there before. */
export type Adoption = Pick<Mark, "adopted" | "was">;

const noteSchema = z.object({
  address: z.string(),
  was: z.string().optional(),
  /** Members that the file does not state, as the thing had them. */
  kept: z.record(z.string(), z.json()),
});

/** What a note remembers of a thing that was deleted to be made anew. */
export interface Replaced {
  readonly adoption: Adoption;
  readonly kept: Spec;
}

const nameOf = (address: Address): string => `replacing-${address}`;

/**
 * Writes down what an adopted thing was, before it is deleted to be made anew: until the new one is there, nothing else
 * remembers it. Throws a `CloudError` where that cannot be written, and then the thing must not be deleted.
 */
export async function noteReplacing(
  world: World,
  { address, spec, defaults = [] }: Resource,
  was?: string,
): Promise<void> {
  const kept = Object.fromEntries(defaults.map((member) => [member, spec[member]]));
  try {
    await world.store.write(nameOf(address), JSON.stringify({ address, was, kept }));
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
 * by name gets it; a note that is not about this thing, or not of this form, says nothing.
 */
export async function notedReplacing(
  world: World,
  { address, defaults = [] }: Resource,
): Promise<Replaced | undefined> {
  const text = await world.store.read(nameOf(address)).catch(() => undefined);
  const note = noteSchema.safeParse(text === undefined ? undefined : parsed(text)).data;
  if (note?.address !== address) return undefined;
  const kept = Object.entries(note.kept).filter(([member]) => defaults.includes(member));
  return {
    adoption: { adopted: true, ...(note.was === undefined ? {} : { was: note.was }) },
    kept: Object.fromEntries(kept),
  };
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
