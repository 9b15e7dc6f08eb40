import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../say/codes/", import.meta.url);

/** The page of a finding code, by `AWS-AUD-IS-AZP` or `aws.aud-is-azp`; undefined where there is no such code. */
export function pageOf(name: string): string | undefined {
  const code = name.toUpperCase().replaceAll(".", "-");
  if (!/^[A-Z0-9]+(-[A-Z0-9]+)+$/.test(code) || !codes().includes(code)) return undefined;
  return readFileSync(new URL(`${code}.md`, folder), "utf8").trimEnd();
}

export const codes = (): readonly string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -3));
