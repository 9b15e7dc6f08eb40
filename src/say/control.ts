import type { Change, Control, Finding, Verb } from "../model.ts";
import { byWeight, distinct, findingText } from "./findings.ts";
import { type Paper, partsOf } from "./paper.ts";
import { displayed } from "./visible.ts";

/** What became of a plan of the control plane. */
export interface ControlDone {
  /** The plan, as it was shown. */
  readonly shown: string;
  readonly done: readonly Change[];
  readonly findings: readonly Finding[];
  /** The accounts, where the file does not name them yet. */
  readonly unwritten: Control | undefined;
}

const past: Readonly<Partial<Record<Verb, string>>> = { create: "created", update: "repaired", delete: "deleted" };

/** The plan comes first: what a function may do from now on should stand in the log of whoever allowed it. */
export function controlDone({ shown, ...given }: ControlDone, paper: Paper): string {
  const { done, findings, unwritten } = displayed(given);
  const rows = done.flatMap(({ verb, address }) => {
    const { party, kind, name } = partsOf(address);
    return past[verb] ? [`  ${(past[verb] ?? "").padEnd(12)}  ${party} ${kind}  ${name}`] : [];
  });
  const loud = byWeight(distinct(findings)).filter(({ severity }) => severity !== "hint");
  const file = unwritten
    ? [
        "next   put this into the file, so that roles get the boundary:",
        `       control: { checker: ${unwritten.checker}, provisioner: ${unwritten.provisioner} }`,
      ]
    : [];
  return [
    shown,
    ...(rows.length > 0 ? ["", ...rows] : []),
    ...loud.map((one) => `\n${findingText(one, paper)}`),
    ...file,
  ].join("\n");
}
