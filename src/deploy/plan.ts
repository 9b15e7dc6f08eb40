import { accountPieces, apisPiece, bucketPieces, grantPieces, lifecycle, rolePieces } from "./access.ts";
import type { Found } from "./found.ts";
import type { Piece } from "./piece.ts";
import { functionPieces, leftoverPieces, schedulePiece, storeFolder, workflowPieces } from "./running.ts";
import type { Names, Setup } from "./setup.ts";
import { alertPieces, files, metricPiece } from "./watched.ts";

/** In the order of making: what is used stands before what uses it. */
export const pieces = (setup: Setup, found: Found): readonly Piece[] => [
  ...firstPieces(setup, found),
  ...rolePieces(setup, found),
  ...grantPieces(setup, found),
  ...bucketPieces(setup, found),
  ...functionPieces(setup, found),
  ...workflowPieces(setup, found),
  schedulePiece(setup, found),
  metricPiece(setup, found),
  ...alertPieces(setup, found),
];

/** What stands before the functions' accounts can be given anything in other clouds. */
export const firstPieces = (names: Names, found: Found): readonly Piece[] => [
  apisPiece(names, found),
  ...accountPieces(names, found),
];

/** What is to be done, in order; nothing where all is as it should be. */
export const toMake = (all: readonly Piece[]): readonly Piece[] => all.filter(({ lacks }) => lacks !== undefined);

/** Backwards, and last of all what gcloud itself has left. */
export const toTake = (setup: Setup, found: Found): readonly Piece[] =>
  [...pieces(setup, found).toReversed(), ...leftoverPieces(setup, found)].filter(({ take }) => take.length > 0);

/** Every small file that a command reads, by its name below the folder. */
export const smallFiles = (setup: Setup): Readonly<Record<string, unknown>> => ({
  ...files(setup),
  "lifecycle.json": lifecycle(storeFolder),
});
