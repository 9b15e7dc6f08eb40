import { styleText } from "node:util";

/** Where text goes: whether it may be coloured. Colour only repeats what the signs and words say. */
export interface Paper {
  readonly colour: boolean;
  /** What the next command needs to be about the same file and world: ` --sandbox --file F`, or nothing. */
  readonly again: string;
}

type Ink = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";

/** The paper has decided about colour already, so Node is not asked to look at a stream again. */
export const ink = (paper: Paper, colour: Ink, text: string): string =>
  paper.colour ? styleText(colour, text, { validateStream: false }) : text;

/** The colour of each tone. */
export const toned: Readonly<Record<"good" | "note" | "warn" | "bad", Ink>> = {
  good: "green",
  note: "cyan",
  warn: "yellow",
  bad: "red",
};

/** Columns padded to their widest cell, three blanks apart; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[], gap = "   "): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      if (at < row.length - 1) widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, at) => (at < row.length - 1 ? cell.padEnd(widths[at] ?? 0) : cell))
      .join(gap)
      .trimEnd(),
  );
}

/** `1 link`, `3 links` */
export const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? "" : "s"}`;

/** `serviceAccount` -> `service account` */
export const wordsOf = (name: string): string => name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();

/** `aws:role/111122223333/reports-reader` -> its three words. */
export function partsOf(address: string): { readonly party: string; readonly kind: string; readonly name: string } {
  const [head = "", , ...name] = address.split("/");
  const [party = "", kind = ""] = head.split(":");
  return { party, kind: wordsOf(kind), name: name.join("/") };
}

/** The line that starts every text: in the sandbox it says so first of all. */
export const heading = (parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join("   ");
