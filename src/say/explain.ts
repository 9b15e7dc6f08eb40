import type { Change, Hop, Trace } from "../model.ts";
import { byWeight, distinct, findingText } from "./findings.ts";
import { columns, ink, type Paper } from "./paper.ts";

export interface ExplainView {
  readonly link: string;
  readonly world: "sandbox" | "cloud";
  readonly trace: Trace;
  readonly changes: readonly Change[];
}

const words = { ok: "ok", no: "no", unknown: "?", skipped: "-" } as const;

/** One link, hop by hop, and the first thing that fails, condition by condition. */
export function explainText({ link, world, trace, changes }: ExplainView, paper: Paper): string {
  const findings = byWeight(distinct(trace.findings));
  const drift = changes.map((change) => `drift     ${change.address}   ${change.cause ?? change.verb}`);
  return [
    ...(world === "sandbox" ? [`${link}   sandbox`] : [link]),
    ...columns(
      trace.hops.map((hop) => row(hop, paper)),
      "  ",
    ),
    ...drift,
    ...(findings.length > 0 ? ["", ...findings.map((finding) => findingText(finding, paper))] : []),
    ...(findings.length === 0 && drift.length === 0 ? ["", "this link works, and turns others away"] : []),
    ...(findings.length === 0 && drift.length > 0
      ? ["", "it works, and something differs from the file", "next   crosstrust plan"]
      : []),
  ].join("\n");
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
