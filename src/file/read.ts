import type { PartyShape } from "./schema.ts";
import { type ReadResult, shaped } from "./shaped.ts";
import { parseTree } from "./tree.ts";

/**
 * Reads a federation file: YAML with places, then the shape gathered from the parties. Contacts nothing;
 * lists every error of the file with line and column (contract, section 3).
 */
export const readFederation = (file: string, bytes: Uint8Array, shapes: readonly PartyShape[]): ReadResult =>
  shaped({ file, parsed: parseTree(file, bytes), shapes });
