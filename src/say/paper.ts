import { styleText } from "node:util";

/** What the next command needs to be about the same file and the same world, from whatever folder it is typed. */
export interface Again {
  /** Flags behind the command, each with a blank in front: ` --sandbox --file /home/you/federation.yaml`. */
  readonly again: string;
}

/** Where text goes: whether it may be coloured. Colour only repeats what the signs and words say. */
export interface Paper extends Again {
  readonly colour: boolean;
}

/** Returns a command of crosstrust as it is pasted: for the file and the world of the run that shows it. */
export const commandLine = (words: string, { again }: Again): string => `crosstrust ${words}${again}`;

/** Commands about a file. `explain` of a code needs none, and codes are upper-case. */
const ofFile =
  /\bcrosstrust (?:plan|apply|health|destroy|onboard|lint|deploy|offboard|token|credentials|credential-config|explain(?! [A-Z]+-))(?=$|[ ,;`])/g;

/**
 * Returns a step of a fix with every command of crosstrust in it made ready to paste. A command that names its world or its
 * file itself is about that one.
 */
export function pasteable(step: string, { again }: Again): string {
  const flags = / --sandbox\b/.test(step) ? again.replace(" --sandbox", "") : again;
  return / --file /.test(step) ? step : step.replace(ofFile, (command) => `${command}${flags}`);
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
