import type { HealthDocument, Hop } from "../../model.ts";
import { byVerdict } from "../../verdict/table.ts";
import { type Again, commandLine } from "../paper.ts";

export const worstFirst = (links: HealthDocument["links"]): HealthDocument["links"] =>
  [...links].sort((one, other) => byVerdict(one.verdict, other.verdict));

/** How a step went. For `refuse`, ok means that others were turned away (model: Hop). */
export interface StepLook {
  readonly sign: string;
  readonly tone: "good" | "note" | "warn" | "bad" | "none";
  readonly word: string;
}

export function stepLook(hop: Hop | undefined): StepLook {
  if (!hop || hop.result === "skipped") return { sign: "–", tone: "none", word: "skipped" };
  if (hop.result === "no") return { sign: "✕", tone: "bad", word: hop.step === "refuse" ? "let in" : "refused" };
  if (hop.result === "unknown") return { sign: "?", tone: "warn", word: "could not tell" };
  if (hop.how === "judged") return { sign: "◇", tone: "note", word: "judged" };
  return { sign: "✓", tone: "good", word: `${hop.ms} ms` };
}

/** What the terminal would say to type next. */
export function nextCommands({ links, verdict }: HealthDocument, again: Again): readonly string[] {
  const worst = links.find((link) => link.verdict === verdict);
  if (verdict === "works" || !worst) return [commandLine("health", again)];
  const differs = links.some((link) => link.changes.length > 0 || link.verdict === "open");
  return [commandLine(`explain ${worst.link}`, again), ...(differs ? [commandLine("plan", again)] : [])];
}
