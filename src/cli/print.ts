import { printable } from "../say/visible.ts";

/**
 * Writes the whole answer to stdout at once; a reader that went away (`| head`) ends it quietly. `exact`: bytes for a
 * program, written as they are. Any other text passes the last door for hidden characters.
 */
export async function print(text: string, exact = false): Promise<void> {
  if (!text) return;
  const safe = exact ? text : printable(text);
  const ending = safe.endsWith("\n") ? safe : `${safe}\n`;
  await new Promise<void>((resolve) => {
    process.stdout.once("error", () => resolve());
    process.stdout.write(ending, () => resolve());
  });
}

/** Writes a text for people to stderr, through the same door. */
export const tell = (text: string): void => void process.stderr.write(printable(text));
