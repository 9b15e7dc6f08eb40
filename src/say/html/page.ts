import type { Finding, Past, Report } from "../../model.ts";
import { saysOf, undecidedOf } from "../../verdict/run.ts";
import { ratings, tallyOf } from "../../verdict/table.ts";
import { count } from "../paper.ts";
import { drawing } from "./draw.ts";
import { findingList } from "./finding.ts";
import { linkRow } from "./link.ts";
import { style } from "./style.ts";
import { html, type Markup, moment, span } from "./text.ts";
import { nextCommands, worstFirst } from "./words.ts";

/** Nothing is loaded and nothing runs: the page is what it says, wherever it is opened. */
export const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/**
 * A health report as one page: for a browser, a phone, paper, and readers who see no colours or nothing at all. The same
 * report and memory give the same bytes.
 */
export function healthHtml(report: Report, memory?: Past): string {
  const { document } = report;
  const links = worstFirst(document.links);
  const { deployment, verdict } = document;
  const sidesOf = new Map(report.sides.map((one) => [one.link, one]));
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${{ markup: policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer"><title>${verdict} · ${deployment} · crosstrust health</title>
<style>${{ markup: style }}</style></head><body>
<a class="skip" href="#links">to the links</a>
${headerOf(report)}
<main>${alertsOf(document.at, memory)}
<section aria-labelledby="drawn"><h2 id="drawn">who trusts whom</h2><div class="drawing">${drawing(report)}</div>${legend}</section>
<section aria-labelledby="links"><h2 id="links" tabindex="-1">links</h2>
${links.map((link) => linkRow({ link, sides: sidesOf.get(link.link), past: memory?.links[link.link], at: document.at }))}</section>
<section aria-labelledby="findings"><h2 id="findings">findings</h2>
${document.findings.length > 0 ? findingList(document.findings, report) : html`<p class="quiet">none.</p>`}</section>
${inventoryOf(document.inventory ?? [])}</main>
${footerOf(report)}
</body></html>
`;
  return page.markup;
}

function headerOf({ document }: Report): Markup {
  const { verdict, at, ms, world, deployment, links, findings } = document;
  const { sign, tone } = ratings[verdict];
  const says = saysOf(verdict, undecidedOf(findings).length);
  return html`<header><p class="top"><span><b>crosstrust</b> health</span><span>${deployment}</span>${world === "sandbox" && html`<span class="badge">sandbox</span>`}</p>
<h1 class="${tone}"><span aria-hidden="true">${sign}</span> ${verdict}</h1>
<p class="lede">${says}.</p>
<p class="quiet">${tallyOf(links.map((link) => link.verdict)).join(", ") || "no links"} · checked ${moment(at)} · ${count(links.length, "link")} in ${(ms / 1000).toFixed(1)} s</p></header>`;
}

function alertsOf(at: string, memory: Past | undefined): Markup {
  const alerts = memory?.alerts ?? [];
  if (alerts.length === 0) return html``;
  const rows = alerts.map(
    ({ link, says, since }) =>
      html`<li><span class="verdict bad"><span aria-hidden="true">!</span> alert</span> ${link && html`<strong>${link}</strong> `}${says} <span class="quiet">since ${moment(since)} <span class="ms">(${span(since, at)})</span></span></li>`,
  );
  return html`<section aria-labelledby="alerts"><h2 id="alerts">open alerts</h2><ul class="alerts">${rows}</ul></section>`;
}

/** Nothing to decide: closed, for whoever wants to know. */
function inventoryOf(inventory: readonly Finding[]): Markup {
  if (inventory.length === 0) return html``;
  const rows = inventory.map(
    ({ says, links }) =>
      html`<li>${says}${links && links.length > 0 && html` <span class="quiet">${links.join(", ")}</span>`}</li>`,
  );
  return html`<section aria-labelledby="inventory"><h2 id="inventory">who else may act as the workloads</h2>
<details><summary>${inventory.length} known, as is usual</summary><ul>${rows}</ul></details></section>`;
}

const legend = html`<p class="legend"><span class="good">✓ proved</span> <span class="note">◇ judged</span> <span class="warn">? could not tell</span> <span class="bad">✕ refused</span> <span class="none">– skipped</span> <span class="warn">~ differs</span> <span class="bad">! open</span></p>`;

function footerOf(report: Report): Markup {
  const { document } = report;
  const commands = nextCommands(report.document, report).map((one) => html`<code class="command">${one}</code> `);
  return html`<footer><p>next ${commands}</p>
<p class="quiet">crosstrust ${document.tool} · deployment ${document.deployment} · every verdict comes from what was live at ${moment(document.at)}</p></footer>`;
}
