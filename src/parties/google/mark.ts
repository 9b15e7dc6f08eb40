import type { Mark } from "../../model.ts";

/** What stands in the description of an account that we made. */
export const ownDescription = "Keyless access, made by crosstrust";

/** Only at the very end: the text before it may quote a mark. `1` is the version of the format. */
const pattern = /\s*(?:\(holds ((?:[0-9a-f]{6} ?)+)\) )?\[crosstrust\/1 (\S+) (\S+) (\S+)( adopted)?\]$/;

/**
 * The mark at the end of a description, `[crosstrust/1 <owner> <want> <put>]` (contract, section 8). What rides on the
 * thing stands before it, `(holds 3fa9c1 77be02)`: hashes of what a later file may no longer name.
 */
export function parseDescription(description: string): Mark | undefined {
  const match = pattern.exec(description);
  if (!match) return undefined;
  const [, holds, owner = "", want = "", put = "", adopted] = match;
  const held = holds ? { holds: holds.trim().split(" ") } : {};
  return { owner, want, put, ...(adopted ? { adopted: true } : {}), ...held };
}

/** Bytes of UTF-8 that a description holds (google.md 5). */
export const maxDescription = 256;

/** The human text is kept in front, whole; without a mark only it is left. The result may be too long. */
export function withMark(description: string, mark: Mark | undefined): string {
  const human = description.replace(pattern, "");
  if (!mark) return human;
  const tail = `[crosstrust/1 ${mark.owner} ${mark.want} ${mark.put}${mark.adopted ? " adopted" : ""}]`;
  const holds = mark.holds?.length ? `(holds ${mark.holds.join(" ")}) ` : "";
  const [short, whole] = [tail, holds + tail].map((end) => (human ? `${human} ${end}` : end)) as [string, string];
  // Somebody's own long text leaves no room to remember; the mark itself is never left out.
  return Buffer.byteLength(whole) > maxDescription ? short : whole;
}
