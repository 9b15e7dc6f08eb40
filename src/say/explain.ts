import type { Change, Finding, Hop, Trace, Verdict } from "../model.ts";
import { toDecide } from "../verdict/run.ts";
import { ratings } from "../verdict/table.ts";
import { byWeight, distinct, findingText } from "./findings.ts";
import { columns, commandLine, ink, type Paper } from "./paper.ts";
import { displayed } from "./visible.ts";

/** `trace.findings` are the ones to show: proved ones, and the plan's grave ones beside them. */
export interface ExplainView {
  readonly link: string;
  readonly world: "sandbox" | "cloud";
  readonly trace: Trace;
  readonly changes: readonly Change[];
  readonly verdict: Verdict;
  /** Security findings that somebody has to decide about. */
  readonly undecided: number;
  /** Who else may act as what the link relies on, as is usual. */
  readonly inventory?: readonly Finding[];
}

const words = { ok: "ok", no: "no", unknown: "?", skipped: "-" } as const;

/** One link, hop by hop, and the first thing that fails, condition by condition. */
export function explainText(given: ExplainView, paper: Paper): string {
  const view = displayed(given);
  const { link, world, trace, changes, inventory = [] } = view;
  const findings = byWeight(distinct(trace.findings));
  const drift = changes.map((change) => `drift     ${change.address}   ${change.cause ?? change.verb}`);
  return [
    ...(world === "sandbox" ? [`${link}   sandbox`] : [link]),
    ...columns(
      trace.hops.map((hop) => row(hop, paper)),
      "  ",
    ),
    ...drift,
    ...(inventory.length > 0 ? ["", "known, and as is usual", ...inventory.map(({ says }) => `  ${says}`)] : []),
    ...(findings.length > 0 ? ["", ...findings.map((finding) => findingText(finding, paper))] : []),
    ...sum(view, paper),
  ].join("\n");
}

/** The last word. Where a finding stands against the link, the finding has it. */
function sum({ verdict, undecided, trace }: ExplainView, paper: Paper): readonly string[] {
  if (undecided > 0) return ["", toDecide(undecided)];
  if (trace.findings.some(({ accepted }) => accepted === undefined)) return [];
  const differs = verdict === "drifted" || verdict === "absent";
  return ["", ratings[verdict].link, ...(differs ? [`next   ${commandLine("plan", paper)}`] : [])];
}

function row(hop: Hop, paper: Paper): readonly string[] {
  const colour = hop.result === "ok" ? "green" : hop.result === "no" ? "red" : "yellow";
  const how = hop.how === "judged" ? "judged" : `${hop.ms} ms`;
  return [
    hop.step.padEnd(8),
    ink(paper, colour, words[hop.result].padEnd(2)),
    hop.result === "skipped" ? "" : how,
    hop.saw,
  ];
}
