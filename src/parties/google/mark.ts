import type { Mark } from "../../model.ts";

/** What stands in the description of an account that we made. */
export const ownDescription = "Keyless access, made by crosstrust";

const pattern = /\s*\[crosstrust\/1 (\S+) (\S+) (\S+)( adopted)?\]$/;

/** The mark at the end of a description, `[crosstrust/1 <owner> <want> <put>]` (contract, section 8). */
export function parseDescription(description: string): Mark | undefined {
  const match = pattern.exec(description);
  if (!match) return undefined;
  const [, owner = "", want = "", put = "", adopted] = match;
  return { owner, want, put, ...(adopted ? { adopted: true } : {}) };
}

/** The human text is kept in front; without a mark only it is left. At most 256 bytes of UTF-8 (google.md 5). */
export function withMark(description: string, mark: Mark | undefined): string {
  const human = description.replace(pattern, "");
  if (!mark) return human;
  const tail = `[crosstrust/1 ${mark.owner} ${mark.want} ${mark.put}${mark.adopted ? " adopted" : ""}]`;
  const room = 256 - Buffer.byteLength(tail) - 1;
  return human ? `${cut(human, room)} ${tail}` : tail;
}

/** The longest beginning that fits, without half a character at its end. */
function cut(text: string, bytes: number): string {
  let end = text.length;
  while (Buffer.byteLength(text.slice(0, end)) > bytes) end--;
  return text.slice(0, end).replace(/[\ud800-\udbff]$/, "");
}
