import { rememberRun } from "../../crosstrust/memory.ts";
import { reportOf } from "../../crosstrust/report.ts";
import { checkHealth, healthOf, makePlan, proofFirst, proveLinks, watchedFor } from "../../crosstrust.ts";
import type { Federation, Finding, Health, Memory, World } from "../../model.ts";
import { keptPromises } from "../../plan/promises.ts";
import { knownAfter } from "../../plan/refs.ts";
import { troubleOf } from "../../run/trouble.ts";
import { explainText } from "../../say/explain.ts";
import { healthText } from "../../say/health.ts";
import { healthHtml } from "../../say/html/page.ts";
import { document, findingBody, healthBody } from "../../say/json.ts";
import { healthMarkdown } from "../../say/markdown.ts";
import { healthMetrics } from "../../say/metrics.ts";
import { codes } from "../../verdict/exit.ts";
import { concerns } from "../../verdict/link.ts";
import { conclude } from "../../verdict/run.ts";
import { version } from "../../version.ts";
import { dated } from "../../watch/memory.ts";
import { pastOf } from "../../watch/past.ts";
import { checkTarget, writePage } from "../artefact.ts";
import { loadFile } from "../context.ts";
import { UsageError } from "../exit.ts";
import { pageOf } from "../pages.ts";
import type { Command } from "../run.ts";
import { consentsOf, linksOf } from "./plan.ts";

/** The name under which the last report is kept, for those who only want to look. */
export const reportName = "health-last";

/** The links to prove, and further renderings of the report: a page beside the answer, metrics in its place. */
interface HealthAsk {
  readonly links: readonly string[];
  readonly html?: string;
  readonly metrics?: boolean;
  /** Shows the hints that every run gives, too. */
  readonly all?: boolean;
  /** Ends with 0 where something differs, and nothing else is wrong. */
  readonly exitZero?: boolean;
}

/**
 * Proves every link and reports drift; writes nothing in the clouds. Only a check of all links is kept as the
 * last report: one of a few would look like good news about the others.
 */
export const health: Command<HealthAsk> = async ({ flags, world, paper }, ask) => {
  const { html, metrics, all = false } = ask;
  if (metrics && flags.json) throw new UsageError("--metrics and --json are two texts for one stdout: choose one");
  if (html !== undefined) checkTarget(html, { flag: "--html", file: flags.file });
  const { federation } = loadFile(flags);
  const links = linksOf(federation, ask.links);
  const found = await checkHealth({ federation, only: links, consents: consentsOf({}) }, world);
  const { memory, lost } = links.length === 0 ? await remembered(found, federation, world) : {};
  const seen = lost ? { ...found, findings: [...found.findings, lost] } : found;
  const checked = memory ? dated(seen, memory) : seen;
  const exit = ask.exitZero && checked.exit === codes.differs ? codes.fine : checked.exit;
  const body = document(
    { tool: version, world: world.kind, command: "health", exit },
    healthBody(federation.name, checked, knownAfter),
  );
  // Whoever could not keep the memory was told so, and the report stands in the answer.
  if (links.length === 0) await world.store.write(reportName, body).catch(isStoreGone);
  const report = reportOf(body, federation, paper.again);
  const past = pastOf(memory);
  if (html !== undefined) writePage(html, healthHtml(report, past), "--html");
  if (metrics) return { exit, text: healthMetrics(report, past), exact: true };
  if (flags.json) return { exit, text: body };
  const text =
    flags.format === "markdown"
      ? healthMarkdown(checked, world.kind, paper)
      : healthText(checked, world.kind, paper, all);
  return { exit, text };
};

/**
 * For show alone: a memory apart from the schedule's, so that whoever looks by hand takes no alert away from it. No lease
 * and no alerts; where it cannot be kept nothing is lost but `since`.
 */
async function remembered(
  seen: Health,
  { links }: Federation,
  world: World,
): Promise<{ readonly memory?: Memory; readonly lost?: Finding }> {
  const run = { health: seen, links, every: 1 };
  try {
    return { memory: await rememberRun(world, run, { name: "health-seen", to: [] }) };
  } catch (error) {
    // About this folder, and no link fares worse for it.
    const { asks: _, ...trouble } = troubleOf(error, { links: [] });
    return { lost: { ...trouble, severity: "warning" } };
  }
}

/** Throws what is no error of the store. */
function isStoreGone(error: unknown): void {
  troubleOf(error, {});
}

/** A code's page, or one link proved and the first thing that fails explained. */
export const explain: Command<{ what: string }> = async ({ flags, world, paper }, { what }) => {
  const page = pageOf(what);
  if (page !== undefined) {
    const said = { tool: version, world: world.kind, command: "explain", exit: codes.fine };
    return { exit: codes.fine, text: flags.json ? document(said, { findings: [], page }) : page };
  }
  const { federation } = loadFile(flags);
  if (!federation.links.some((link) => link.name === what)) {
    throw new UsageError(`${what} is neither a link of ${federation.file} nor a code of a finding`);
  }
  const ask = { federation, only: [what], consents: consentsOf({}), audit: true };
  const planned = await makePlan(ask, world);
  const { plan, observed, expansion, audited } = planned;
  const [trace] = await proveLinks(
    { federation, expansion, live: observed.live, unread: observed.failed, only: [what], patience: 0, grantMe: false },
    world,
  );
  if (!trace) throw new Error(`${what} was not proved`);
  const changes = plan.changes.filter(({ verb }) => verb !== "keep");
  const link = healthOf({ trace, federation, planned, changes, findings: plan.findings });
  const about = plan.findings.filter((finding) => concerns(finding, what));
  const grave = about.filter(({ severity }) => severity === "error" || severity === "security");
  const promised = { changes: plan.changes, unread: observed.failed };
  const findings = keptPromises(proofFirst(grave, [trace]), promised);
  const { exit, verdict, undecided } = conclude({ links: [link], findings, leftovers: false });
  const whole = { ...trace, findings };
  const inventory = audited.inventory.filter(({ links }) => links?.includes(what) ?? true);
  const seen = [...about, ...(await watchedFor(what, planned, world))];
  const usual = [...inventory, ...seen.filter((one) => one.standing)];
  const said = { crosstrust: 1, tool: version, world: world.kind, command: "explain", exit };
  const json = document(said, {
    link: what,
    verdict,
    hops: trace.hops,
    findings: findings.map(findingBody),
    inventory: usual,
  });
  const view = {
    link: what,
    world: world.kind,
    trace: whole,
    changes: link.changes,
    verdict,
    undecided,
    inventory: usual,
  };
  return { exit, text: flags.json ? json : explainText(view, paper) };
};
