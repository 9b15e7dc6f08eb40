import type { Evidence, Finding, Severity } from "../model.ts";
import { columns, count, ink, type Paper, pasteable } from "./paper.ts";
import { displayed } from "./visible.ts";

const colours = { error: "red", security: "red", warning: "yellow", hint: "cyan" } as const;

const weight: Readonly<Record<Severity, number>> = { hint: 0, warning: 1, error: 2, security: 3 };

/** The most important last, because that is where the eye is. */
export const byWeight = (findings: readonly Finding[]): readonly Finding[] =>
  [...findings].sort((a, b) => weight[a.severity] - weight[b.severity]);

/** One finding in full: what, where, because, fix, and where to read more. */
export function findingText(finding: Finding, paper: Paper): string {
  const visible = displayed(finding);
  const { code, severity, says, because, at, witness } = visible;
  const lines = [`${ink(paper, colours[severity], `${severity}[${code}]`)}  ${says}`];
  if (at.place) lines.push(`  --> ${at.place.file}:${at.place.line}:${at.place.column}`);
  else if (at.address) lines.push(`  --> ${at.address}`);
  if (witness) lines.push(`  who   ${witness.outsider} (${witness.how}): ${witness.path.join(" -> ")}`);
  if (because.length > 0) lines.push(...evidenceText(because));
  if (visible.requestId !== undefined) lines.push(`  id    request ${visible.requestId}`);
  lines.push(...decisionText(visible).map((line) => `  ${line}`));
  for (const step of stepsOf(visible)) lines.push(`  fix   ${pasteable(step, paper)}`);
  lines.push(`  long  crosstrust explain ${code}`);
  return lines.join("\n");
}

/** The value that an accept is pinned to, for the user to copy; and why it is accepted, where it is. */
function decisionText({ of, accepted }: Finding): readonly string[] {
  const until = accepted?.until === undefined ? "" : ` (until ${accepted.until})`;
  return [
    ...(of === undefined ? [] : [`of    ${of}`]),
    ...(accepted === undefined ? [] : [`accepted   ${accepted.reason}${until}`]),
  ];
}

/** What was accepted needs no repair. */
const stepsOf = ({ fix, accepted }: Finding): readonly string[] => (accepted ? [] : fix);

const sign = (ok: Evidence["ok"]): string => (ok === true ? "ok" : ok === false ? "x" : "?");

/** The table that house.md draws ("how it speaks"): the same four columns for every party. */
function evidenceText(rows: readonly Evidence[]): readonly string[] {
  const table = rows.map((row) => [sign(row.ok).padEnd(2), row.key, row.wants, row.says, row.readFrom]);
  const head = ["  ", "condition key", "policy wants", "token says", "read from"];
  return columns([head, ...table]).map((line) => `  ${line}`);
}

/** Findings of a file, one line each, in the order of the file: `file:line:column`. */
export function placedText(findings: readonly Finding[], paper: Paper): string {
  return displayed(findings)
    .map((finding) => {
      const { place } = finding.at;
      const where = place ? `${place.file}:${place.line}:${place.column}` : (finding.at.address ?? "");
      const head = `${where}  ${ink(paper, colours[finding.severity], finding.severity)}  ${finding.code}  ${finding.says}`;
      const lines = [...decisionText(finding), ...stepsOf(finding).map((step) => `fix   ${pasteable(step, paper)}`)];
      return [head, ...lines.map((line) => `    ${line}`)].join("\n");
    })
    .join("\n");
}

/** A finding in one line, for lists below a plan or a health check. */
export function findingLine(finding: Finding, paper: Paper): string {
  const visible = displayed(finding);
  const { severity, code, says } = visible;
  const head = `${ink(paper, colours[severity], severity.padEnd(8))}  ${code}  ${says}`;
  const steps = stepsOf(visible).slice(0, 2);
  const lines = [...decisionText(visible), ...steps.map((step) => `fix   ${pasteable(step, paper)}`)];
  return [head, ...lines.map((line) => `          ${line}`)].join("\n");
}

/** Returns the findings without the hints that every run gives. */
export const withoutStanding = (findings: readonly Finding[], all = false): readonly Finding[] =>
  all ? findings : findings.filter(({ standing }) => !standing);

/** The line that counts the hints that are not shown; none where there are none. */
export function standingCount(findings: readonly Finding[], command: string, all = false): readonly string[] {
  const { length } = all ? [] : distinct(findings.filter(({ standing }) => standing));
  return length === 0 ? [] : [`${count(length, "hint")} of every run not shown: ${command}`];
}

/** Equal findings once: several links may run into the same thing. */
export function distinct(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map(findings.map((finding) => [`${finding.code} ${finding.says}`, finding]));
  return [...seen.values()];
}
