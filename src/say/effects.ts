import type { LocalEffect } from "../model.ts";
import { columns } from "./paper.ts";
import { displayed } from "./visible.ts";

/**
 * What a run does on this machine because the file says so, a line each. In the sandbox nothing of it is done, so that
 * nothing is said.
 */
export function effectLines(effects: readonly LocalEffect[], world: "sandbox" | "cloud"): readonly string[] {
  if (world === "sandbox" || effects.length === 0) return [];
  const rows = displayed(effects).map(({ link = "the whole file", verb, what, to }) => [`  ${link}`, verb, what, to]);
  return ["the file makes apply and health do this on the machine that they run on", ...columns(rows)];
}
