import type { Change, Finding, Hop, Trace, Verdict } from "../model.ts";
import { byWeight, distinct, findingText } from "./findings.ts";
import { columns, ink, type Paper } from "./paper.ts";

/** `trace.findings` are the ones to show: proved ones, and the plan's grave ones beside them. */
export interface ExplainView {
  readonly link: string;
  readonly world: "sandbox" | "cloud";
  readonly trace: Trace;
  readonly changes: readonly Change[];
  readonly verdict: Verdict;
  /** Who else may act as what the link relies on, as is usual. */
  readonly inventory?: readonly Finding[];
}

const words = { ok: "ok", no: "no", unknown: "?", skipped: "-" } as const;

/** One link, hop by hop, and the first thing that fails, condition by condition. */
export function explainText(
  { link, world, trace, changes, verdict, inventory = [] }: ExplainView,
  paper: Paper,
): string {
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
    ...(findings.length === 0 ? ["", ...sum(verdict, paper)] : []),
  ].join("\n");
}

/** The last word where nothing stands against the link; "works" is said of what was shown to work, and of nothing else. */
function sum(verdict: Verdict, { again }: Paper): readonly string[] {
  if (verdict === "works") return ["this link works, and turns others away"];
  if (verdict === "unproved")
    return ["nothing can mint for this link: its trust was judged, and never used (prove: judge)"];
  if (verdict === "drifted") return ["something differs from the file", `next   crosstrust plan${again}`];
  return ["whether it works could not be told in full; try again"];
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
