import type { Mark } from "../../model.ts";

/** What stands in the description of an account that we made. */
export const ownDescription = "Keyless access, made by crosstrust";

/** A list of hashes in a mark, by what it is about. */
const hashes = (what: string): string => String.raw`(?:\(${what} ((?:[0-9a-f]{6} ?)+)\) )?`;

/** Only at the very end: the text before it may quote a mark. `1` is the version of the format. */
const pattern = new RegExp(
  String.raw` ?(?:\(was ([A-Za-z0-9+/=]+)\) )?${hashes("theirs")}${hashes("holds")}\[crosstrust\/1 (\S+) (\S+) (\S+)( adopted)?\]$`,
);

/**
 * The mark at the end of a description, `[crosstrust/1 <owner> <want> <put>]` (contract, section 8). Before it stand what
 * the thing was before it was adopted, `(was BASE64)`, and hashes of what rides on it: `(holds 3fa9c1 77be02)` for what a
 * later file may no longer name, `(theirs 0a1b2c)` for what was there before.
 */
export function parseDescription(description: string): Mark | undefined {
  const match = pattern.exec(description);
  if (!match) return undefined;
  const [, was, theirs, holds, owner = "", want = "", put = "", adopted] = match;
  // A thing that was made here was not there before, whatever somebody wrote behind its text.
  const isAdopted = adopted !== undefined && (was !== undefined || withMark(description, undefined) !== ownDescription);
  return {
    owner,
    want,
    put,
    ...(isAdopted ? { adopted: true } : {}),
    ...(isAdopted && was ? { was } : {}),
    ...(holds ? { holds: holds.trim().split(" ") } : {}),
    ...(theirs ? { theirs: theirs.trim().split(" ") } : {}),
  };
}

/** Returns the mark of a description as it is written there, without the text of people; empty where there is none. */
export const markIn = (description: string): string => pattern.exec(description)?.[0].trimStart() ?? "";

/** Bytes of UTF-8 that a description holds (google.md 5). */
export const maxDescription = 256;

/** The human text is kept in front, whole; without a mark only it is left. The result may be too long. */
export function withMark(description: string, mark: Mark | undefined): string {
  const human = description.replace(pattern, "");
  if (!mark) return human;
  const tail = `[crosstrust/1 ${mark.owner} ${mark.want} ${mark.put}${mark.adopted ? " adopted" : ""}]`;
  const list = (what: string, some: readonly string[] = []) => (some.length > 0 ? `(${what} ${some.join(" ")}) ` : "");
  const was = (mark.was === undefined ? "" : `(was ${mark.was}) `) + list("theirs", mark.theirs);
  const [short, whole] = [was + tail, was + list("holds", mark.holds) + tail].map((end) =>
    human ? `${human} ${end}` : end,
  ) as [string, string];
  // Somebody's own long text leaves no room to remember; the mark itself is never left out.
  return Buffer.byteLength(whole) > maxDescription ? short : whole;
}
