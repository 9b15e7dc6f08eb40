import type { Preflight } from "../model.ts";
import { columns } from "./paper.ts";
import { displayed } from "./visible.ts";

/** The preflight, a line each: what was looked at, what was seen, and below it the command that mends it. */
export function preflightText(given: readonly Preflight[], world: "sandbox" | "cloud"): string {
  const lines = displayed(given);
  const word = (ok: Preflight["ok"]): string => (ok === true ? "ok" : ok === false ? "no" : "?");
  const heads = columns(
    lines.map(({ topic, ok, says }) => [`  ${word(ok).padEnd(2)}`, topic, says]),
    "  ",
  );
  const body = lines.flatMap(({ fix }, at) => [heads[at] ?? "", ...fix.map((command) => `          fix   ${command}`)]);
  return [world === "sandbox" ? "preflight   sandbox" : "preflight", ...body].join("\n");
}

/** `steps` are lines to paste, as the two parties of the link know them. */
export interface Steps {
  readonly name: string;
  readonly steps: readonly string[];
}

/** What people do next, link by link. */
export const stepsText = (links: readonly Steps[]): string =>
  [
    "",
    ...displayed(links).flatMap(({ name, steps }) => [`next, to use ${name}`, ...steps.map((step) => `  ${step}`)]),
  ].join("\n");
