import { readdirSync, readFileSync } from "node:fs";
import { root } from "../root.ts";

const folder = new URL("src/say/codes/", root);

/** The page of a finding code, by `AWS-AUD-IS-AZP` or `aws.aud-is-azp`; undefined where there is no such code. */
export function pageOf(name: string): string | undefined {
  // Links have lower-case names, codes upper-case ones; `aws.aud-is-azp` is a code too.
  const code = name.includes(".") ? name.toUpperCase().replaceAll(".", "-") : name;
  if (!codes().includes(code)) return undefined;
  return readFileSync(new URL(`${code}.md`, folder), "utf8").trimEnd();
}

/** The file names are the list; a test sees that every code in the source has its page. */
export const codes = (): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -3));

/** Every page by its code. */
export const pages = (): ReadonlyMap<string, string> => new Map(codes().map((code) => [code, pageOf(code) ?? ""]));
