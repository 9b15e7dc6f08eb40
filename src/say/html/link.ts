import type { HealthDocument, Hop, Past, ReportedChange, Sides, Verdict } from "../../model.ts";
import { ratings, tallyOf } from "../../verdict/table.ts";
import { valueText } from "../spec.ts";
import { html, type Markup, moment, span } from "./text.ts";
import { stepLook } from "./words.ts";

type Checked = HealthDocument["links"][number];

/** One link of the list, with what is known of it beside the check. */
export interface Row {
  readonly link: Checked;
  readonly sides: Sides | undefined;
  readonly past: Past["links"][string] | undefined;
  /** When the check was made: every "since" is counted up to it. */
  readonly at: string;
}

/** One line to read, and all of it to open; whatever is not well is open already. */
export function linkRow(row: Row): Markup {
  const { link, sides, past } = row;
  const look = ratings[link.verdict];
  const well = look.standing === "well";
  return html`<details class="link ${look.tone}"${well ? html`` : html` open`}>
<summary><span class="verdict ${look.tone}"><span aria-hidden="true">${look.sign}</span> ${link.verdict}</span>
<span class="name"><strong>${link.link}</strong>${sides && html` <span class="ends">${sides.from.title} → ${sides.to.title}</span>`}</span>
<span class="steps">${link.hops.map(stepChip)}</span>${past && pastLine(row)}</summary>
<div class="body">${stepTable(link.hops)}${unread(link)}${link.changes.map(changeBlock)}${sides && terms(sides)}</div></details>`;
}

/** What could not be read, so that nothing is concluded from it. Steps and changes are shown with the link anyway. */
function unread({ missing = [] }: Checked): Markup {
  const lines = missing.filter(({ premise }) => premise === "read" || premise === "faultless");
  return html`${lines.map(({ says, finding }) => html`<p><span class="warn">?</span> ${says} ${finding && html`<a href="#${finding}">${finding}</a>`}</p>`)}`;
}

const nameOf = ({ step }: Hop): string => (step === "refuse" ? "refuse others" : step);

function stepChip(hop: Hop): Markup {
  const { sign, tone, word } = stepLook(hop);
  return html`<span class="chip ${tone}"><span aria-hidden="true">${sign}</span> ${hop.step} <span class="ms">${word}</span></span>`;
}

function pastLine({ link, past, at }: Row): Markup {
  const since =
    past &&
    html`<span>${link.verdict} since ${moment(past.since)} <span class="ms">(${span(past.since, at)})</span></span>`;
  const good = past?.lastGood && link.verdict !== "works" && html`<span>last worked ${moment(past.lastGood)}</span>`;
  return html`<span class="past">${since}${good}${past?.runs && past.runs.length > 0 && strip(past.runs)}</span>`;
}

/** The last runs, a sign each, the newest at the right; read out as sums. */
function strip(all: readonly Verdict[]): Markup {
  const runs = all.slice(-48);
  const cells = runs.map(
    (verdict) => html`<i class="${ratings[verdict].tone}" title="${verdict}">${ratings[verdict].sign}</i>`,
  );
  return html`<span class="strip" role="img" aria-label="last ${runs.length} checks: ${tallyOf(runs).join(", ")}">${cells}</span>`;
}

/** Roles are said again, because a table that a phone shows as blocks is a table no longer for some readers. */
function stepTable(hops: readonly Hop[]): Markup {
  const rows = hops.map((hop) => {
    const { sign, tone, word } = stepLook(hop);
    const code = hop.finding && html`<a href="#${hop.finding}">${hop.finding}</a>`;
    return html`<tr role="row"><th role="rowheader" scope="row">${nameOf(hop)}</th><td role="cell" data-head="how it went" class="${tone}">${sign} ${word}${hop.result === "no" && html` <span class="ms">${hop.ms} ms</span>`}</td><td role="cell" data-head="what was seen" class="mono">${hop.saw}${code && html` ${code}`}</td></tr>`;
  });
  return html`<table class="hops" role="table"><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">step</th><th role="columnheader" scope="col">how it went</th><th role="columnheader" scope="col">what was seen</th></tr></thead><tbody role="rowgroup">${rows}</tbody></table>`;
}

const causes: Readonly<Record<string, string>> = {
  drifted: "somebody changed the cloud",
  edited: "the file was changed, and not applied yet",
  moved: "something it refers to changed",
  both: "both the file and the cloud changed",
  unfinished: "a run was cut off",
};

/** What differs from the file, live above file as the plan says it. */
function changeBlock({ address, verb, cause, differences = [] }: ReportedChange): Markup {
  const rows = differences.map(
    ({ path, live, desired }) =>
      html`<dt class="mono">${path}</dt><dd><span class="side">live</span> <code>${valueText(live)}</code></dd><dd><span class="side">file</span> <code>${valueText(desired)}</code></dd>`,
  );
  return html`<div class="change"><p><span class="warn">~ ${cause ?? verb}</span> <code>${address}</code>${cause && html` <span class="quiet">${causes[cause]}</span>`}</p>${rows.length > 0 && html`<dl>${rows}</dl>`}</div>`;
}

const terms = ({ audience, issuer, may }: Sides): Markup =>
  html`<dl class="terms"><div><dt>issuer</dt><dd><code>${issuer}</code></dd></div><div><dt>audience</dt><dd><code>${audience}</code></dd></div><div><dt>may</dt><dd>${may.length > 0 ? may.map((one) => html`<code>${one}</code> `) : "nothing by itself"}</dd></div></dl>`;
