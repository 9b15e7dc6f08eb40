import { createHash } from "node:crypto";
import type { Command, Names } from "./setup.ts";

/** One thing that is deployed: what is still to be done for it, and how it is taken away again. */
export interface Piece {
  /** As it is told to people: `function crosstrust-acme-health`. */
  readonly name: string;
  /** Why there is something to do; undefined where all is as it should be. */
  readonly lacks: string | undefined;
  /** What makes it so; each may be run again after it was cut off. */
  readonly make: readonly Command[];
  /** What takes it away; nothing where it is not there. */
  readonly take: readonly Command[];
}

/** A piece that is there or not, and that can be wrong in one way: its digest tells. */
export function piece(name: string, lacks: string | undefined, [make, take]: readonly [Commands, Commands]): Piece {
  return { name, lacks, make: lacks === undefined ? [] : make, take };
}
type Commands = readonly Command[];

/** `what` where it is so, else nothing: reasons are a list, of which the first is told. */
export const when = (so: boolean, what: string): string | undefined => (so ? what : undefined);

/** 32 hex of what something is made with: kept as a label, so that a second run sees whether it is the same. */
export const want = (...parts: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);

export const inProject = ({ project }: Pick<Names, "project">): string => `--project=${project}`;
export const inRegion = ({ region }: Pick<Names, "region">): string => `--region=${region}`;
export const atLocation = ({ region }: Pick<Names, "region">): string => `--location=${region}`;

/** Whose things these are, in labels: values have no upper case and at most 63 characters. */
export const ownLabels = ({ deployment }: Pick<Names, "deployment">, digest: string): string =>
  `crosstrust=${deployment},crosstrust-want=${digest}`;

export const isOwn = (labels: Readonly<Record<string, string>>, { deployment }: Pick<Names, "deployment">): boolean =>
  labels.crosstrust === deployment;
