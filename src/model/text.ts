/**
 * A character that a reader does not see, or that moves or recolours what a reader does see: controls, bidirectional
 * marks, zero-width and ignorable characters, line separators, unpaired surrogates, and every blank but the plain one.
 */
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;

const names: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Returns a character as JSON escapes it, such as `\u202e`; beyond the basic plane these are two. */
export const unicodeEscape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`,
  ).join("");

const escaped = (character: string): string => names[character] ?? unicodeEscape(character);

/** Returns a text with `instead` in place of each hidden character. */
export const withoutHidden = (text: string, instead: (character: string) => string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : text.replace(hidden, instead);

/** Returns a text on one line in which every hidden character is written as an escape, such as `\u202e` or `\n`. */
export const visible = (text: string): string => withoutHidden(text, escaped);

/** The same in plain ASCII, because a federation file holds nothing else: `\u` itself is doubled, so two texts stay two. */
export const ascii = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) && !text.includes("\\u")
    ? text
    : text.replaceAll("\\u", "\\\\u").replace(/[^\x20-\x7e]/gu, escaped);
