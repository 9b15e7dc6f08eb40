import type { Finding, Health, Severity } from "../model.ts";
import { ratings, tallyOf } from "../verdict/table.ts";
import { byWeight, distinct, withoutStanding } from "./findings.ts";
import { healthText } from "./health.ts";
import type { Again } from "./paper.ts";
import { type PlanView, planText, sumsOf } from "./plan.ts";
import { displayed } from "./visible.ts";

/** The most characters that a comment on GitHub takes, less what stands around a report. */
const most = 60_000;

/**
 * Returns a plan as Markdown, for a comment on a change of the file: the sums, what stands against it, and the whole plan as
 * text to unfold. Every value stands in code, so that nothing in it is a link, a mention or markup.
 */
export function planMarkdown(view: PlanView, again: Again): string {
  const { plan, world } = displayed(view);
  const text = planText({ ...view, all: true }, { ...again, colour: false }, false);
  return [
    `### crosstrust plan: ${sumsOf(plan)}`,
    "",
    `${code(view.file)}${world === "sandbox" ? ", in the sandbox" : ""}`,
    "",
    ...findingsTable(plan.findings),
    ...unfolded("The plan", text),
  ].join("\n");
}

/** Returns a health check as Markdown, for the summary of a run: problems first, good links counted. */
export function healthMarkdown(given: Health, world: "sandbox" | "cloud", again: Again): string {
  const health = displayed(given);
  const tally = tallyOf(health.links.map(({ verdict }) => verdict)).join(", ");
  const bad = health.links.filter(({ verdict }) => ratings[verdict].standing !== "well");
  const rows = bad.map(({ link, verdict, since }) => `| ${verdict} | ${cell(link)} | ${since ? cell(since) : ""} |`);
  const table = rows.length === 0 ? [] : ["| verdict | link | since |", "|---|---|---|", ...rows, ""];
  return [
    `### crosstrust health: ${tally}`,
    "",
    `${health.says}${world === "sandbox" ? ", in the sandbox" : ""}`,
    "",
    ...table,
    ...findingsTable(withoutStanding(health.findings)),
    ...unfolded("The check", healthText(given, world, { ...again, colour: false })),
  ].join("\n");
}

const told: Readonly<Record<Severity, string>> = {
  security: "security",
  error: "error",
  warning: "warning",
  hint: "hint",
};

/** Gravest first, because a reader of a page begins at its top. */
function findingsTable(findings: readonly Finding[]): readonly string[] {
  const listed = [...byWeight(distinct(withoutStanding(findings)))].reverse();
  if (listed.length === 0) return [];
  const rows = displayed(listed).map(
    ({ severity, code: name, says, fix: [step], accepted }) =>
      `| ${accepted ? "accepted" : told[severity]} | ${cell(name)} | ${cell(says)} | ${step && !accepted ? cell(step) : ""} |`,
  );
  return ["| | code | what | fix |", "|---|---|---|---|", ...rows, ""];
}

/** A text of any length behind one line, in a fence longer than any that it holds. */
function unfolded(title: string, text: string): readonly string[] {
  const whole =
    text.length > most ? `${text.slice(0, most)}\n... cut off here: run the command to see all of it` : text;
  const fence = "`".repeat(Math.max(3, longestRun(whole) + 1));
  return [`<details><summary>${title}</summary>`, "", `${fence}text`, whole, fence, "", "</details>", ""];
}

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));

/** A value as code, which shows it letter for letter (CommonMark 0.31, 6.1): nothing in it is markup, a link or a mention. */
function code(value: string): string {
  const ticks = "`".repeat(longestRun(value) + 1);
  // A blank on each side is taken off again, and keeps a tick at an edge apart from the fence.
  return `${ticks} ${value} ${ticks}`;
}

/** A bar ends a cell even within code (GitHub Flavored Markdown, 4.10). */
const cell = (value: string): string => code(value.replaceAll("\n", " ").replaceAll("|", "\\|"));
