import { nearest } from "../../model.ts";
import { document } from "../../say/json.ts";
import { codes } from "../../verdict/exit.ts";
import { version } from "../../version.ts";
import type { Answer } from "../answer.ts";
import type { Flags } from "../context.ts";
import { UsageError } from "../exit.ts";
import { codes as known, pageOf } from "../pages.ts";

/** Lists the codes of findings, each with what it means; with words, those whose code or page has all of them. */
export function listCodes(words: readonly string[], flags: Flags): Answer {
  const pages = known().map((code) => ({ code, page: pageOf(code) ?? "" }));
  const wanted = words.map((word) => word.toLowerCase());
  const found = pages.filter(({ page }) => wanted.every((word) => page.toLowerCase().includes(word)));
  if (found.length === 0) {
    const close = nearest(words.join("-"), known());
    const hint = close === undefined ? "crosstrust codes lists all of them" : `did you mean ${close}?`;
    throw new UsageError(`no code and no page has ${words.join(" ")}; ${hint}`);
  }
  const listed = found.map(({ code, page }) => ({ code, says: firstLine(page) }));
  if (flags.json) {
    const said = {
      tool: version,
      world: flags.sandbox ? "sandbox" : "cloud",
      command: "codes",
      exit: codes.fine,
    } as const;
    return { exit: codes.fine, text: document(said, { codes: listed }) };
  }
  const width = Math.max(...listed.map(({ code }) => code.length));
  const lines = listed.map(({ code, says }) => `${code.padEnd(width)}   ${says}`);
  return { exit: codes.fine, text: [...lines, "", "next   crosstrust explain CODE"].join("\n") };
}

/** The first sentence below the code, which says what is so. */
const firstLine = (page: string): string =>
  page
    .split("\n")
    .slice(1)
    .find((line) => line.trim() !== "")
    ?.trim() ?? "";
