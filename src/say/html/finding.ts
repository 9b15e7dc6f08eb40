import type { Evidence, Finding, Severity } from "../../model.ts";
import { type Again, pasteable } from "../paper.ts";
import { html, type Markup } from "./text.ts";

const signs: Readonly<Record<Severity, readonly [sign: string, tone: string]>> = {
  security: ["!", "bad"],
  error: ["✕", "bad"],
  warning: ["~", "warn"],
  hint: ["i", "note"],
};
const order: readonly Severity[] = ["security", "error", "warning", "hint"];

/** Everything found, the gravest first. The first of each code carries its name, so that a step can lead to it. */
export function findingList(findings: readonly Finding[], again: Again): readonly Markup[] {
  const sorted = [...findings].sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return sorted.map((finding, at) => {
    const first = sorted.findIndex(({ code }) => code === finding.code) === at;
    return findingBlock(finding, again, first);
  });
}

function findingBlock(finding: Finding, again: Again, first: boolean): Markup {
  const { code, severity, says, because, links, witness, of, accepted } = finding;
  const fix = accepted ? [] : finding.fix;
  const [sign, tone] = signs[severity];
  const grave = !accepted && (severity === "security" || severity === "error");
  return html`<details class="finding ${tone}"${first ? html` id="${code}"` : html``}${grave ? html` open` : html``}>
<summary><span class="verdict ${tone}"><span aria-hidden="true">${sign}</span> ${severity}</span> <span class="says">${says}</span> <code>${code}</code></summary>
<div class="body"><p class="quiet">${whereOf(finding)}${links && links.length > 0 && html` · ${links.join(", ")}`}</p>
${witness && html`<p>${witness.outsider} (${witness.how}): ${witness.path.join(" → ")}</p>`}
${of !== undefined && html`<p>of: <code>${of}</code></p>`}
${accepted && html`<p>accepted: ${accepted.reason}${accepted.until && ` (until ${accepted.until})`}</p>`}
${because.length > 0 && evidence(because)}
${fix.length > 0 && html`<h3>fix</h3><ul class="fix">${fix.map((step) => html`<li>${command(pasteable(step, again))}</li>`)}</ul>`}
<p class="quiet">more: <code>crosstrust explain ${code}</code></p></div></details>`;
}

function whereOf({ at: { place, address } }: Finding): Markup {
  const line = place && html`<code>${place.file}:${place.line}:${place.column}</code> `;
  return html`${line}${address && html`<code>${address}</code>`}${!place && !address && "of the whole deployment"}`;
}

/** What can be pasted looks like it. */
const command = (step: string): Markup =>
  /^(crosstrust|aws|gcloud|npx|curl|az) /.test(step) ? html`<code class="command">${step}</code>` : html`${step}`;

const heads = ["", "condition key", "policy wants", "token says", "read from"] as const;
const truth = (ok: Evidence["ok"]): readonly [sign: string, tone: string, word: string] =>
  ok === true ? ["✓", "good", "as wanted"] : ok === false ? ["✕", "bad", "not so"] : ["?", "warn", "could not tell"];

/** The table of `explain`: the same columns for every party. */
function evidence(rows: readonly Evidence[]): Markup {
  const body = rows.map(({ ok, key, wants, says, readFrom }) => {
    const [sign, tone, word] = truth(ok);
    const cells = [key, wants, says, readFrom].map(
      (cell, at) => html`<td role="cell" data-head="${heads[at + 1]}" class="mono">${cell}</td>`,
    );
    return html`<tr role="row"><td role="cell" class="${tone}"><span aria-hidden="true">${sign}</span> ${word}</td>${cells}</tr>`;
  });
  const head = heads.map((name) => html`<th role="columnheader" scope="col">${name || "is it so"}</th>`);
  return html`<h3>because</h3><table role="table"><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">${body}</tbody></table>`;
}
