import type { z } from "zod";

/**
 * Returns what a note of the store says, or undefined where it is none: half written, of another version, or planted. A
 * note is a help, so one that cannot be read is as good as one that is not there.
 */
export function noted<T>(text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
