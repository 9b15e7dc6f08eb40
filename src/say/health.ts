import type { Finding, Health, Hop, LinkHealth, Verdict } from "../model.ts";
import { byWeight, distinct, findingLine } from "./findings.ts";
import { count, heading, ink, type Paper } from "./paper.ts";

const colours = {
  open: "red",
  broken: "red",
  drifted: "yellow",
  unknown: "yellow",
  unproved: "cyan",
  works: "green",
} as const;

/** One line a link, the worst last in the sums, then the next command. */
export function healthText(health: Health, world: "sandbox" | "cloud", paper: Paper): string {
  const when = `${health.at.slice(0, 10)} ${health.at.slice(11, 16)} UTC`;
  const width = Math.max(...health.links.map(({ link }) => link.length), 12);
  const told = new Set<string>();
  const lines = health.links.flatMap((link) => linkLines(link, { health, width, paper, told }));
  const rest = byWeight(distinct(health.findings)).filter((finding) => !told.has(key(finding)));
  return [
    heading([
      when,
      count(health.links.length, "link"),
      `${(health.ms / 1000).toFixed(1)} s`,
      world === "sandbox" ? "sandbox" : undefined,
    ]),
    ...lines,
    ...(rest.length > 0 ? ["", ...rest.map((finding) => findingLine(finding, paper)), ""] : []),
    sums(health),
    ...next(health, paper),
  ].join("\n");
}

const key = (finding: Finding): string => `${finding.code} ${finding.says}`;

interface Page {
  readonly health: Health;
  readonly width: number;
  readonly paper: Paper;
  readonly told: Set<string>;
}

function linkLines(link: LinkHealth, { health, width, paper, told }: Page): readonly string[] {
  const word = link.verdict === "open" ? "OPEN" : link.verdict;
  const head = `  ${ink(paper, colours[link.verdict], word.padEnd(8))}  ${link.link.padEnd(width)}   ${hopsText(link.hops)}${sinceText(link, health.at)}`;
  const indent = " ".repeat(14 + width);
  const drift = link.changes.map((change) => `${indent} ${change.address}: ${change.cause ?? change.verb}`);
  const reasons = link.hops
    .filter((hop) => hop.finding && hop.result !== "ok")
    .flatMap((hop) =>
      health.findings.filter(
        (finding) => finding.code === hop.finding && (finding.links ?? [link.link]).includes(link.link),
      ),
    )
    .filter((finding, at, all) => all.findIndex((other) => key(other) === key(finding)) === at);
  for (const reason of reasons) told.add(key(reason));
  return [head, ...reasons.map((finding) => `${indent} ${finding.says}   ${finding.code}`), ...drift];
}

/** What is not so for the first time, and not as it should be. */
function sinceText({ verdict, since }: LinkHealth, at: string): string {
  if (since === undefined || since === at || verdict === "works" || verdict === "unproved") return "";
  return `   since ${since.slice(0, 10)} ${since.slice(11, 16)}`;
}

/** `mint 84   exchange 212   whoami 95   refused 88 ms` */
export function hopsText(hops: readonly Hop[]): string {
  const [only] = hops;
  if (hops.length === 1 && only?.result === "unknown" && !only.finding) return only.saw;
  const parts = hops.map(hopText).filter(Boolean);
  const timed = hops.some((hop) => hop.result === "ok" && hop.how === "proved");
  return `${parts.join("   ")}${timed ? " ms" : ""}`;
}

function hopText({ step, result, how, ms }: Hop): string {
  const name = step === "refuse" ? "refused" : step;
  if (result === "skipped") return "";
  if (result === "no") return step === "refuse" ? `LET IN ${ms}` : `${step} no`;
  if (result === "unknown") return `${step} ?`;
  return how === "judged" ? `${name} judged` : `${name} ${ms}`;
}

const order: readonly Verdict[] = ["open", "broken", "drifted", "unknown", "unproved", "works"];

const sums = ({ links }: Health): string =>
  order
    .map((verdict) => [links.filter((link) => link.verdict === verdict).length, verdict] as const)
    .filter(([number]) => number > 0)
    .map(([number, verdict]) => `${number} ${verdict}`)
    .join("   ");

function next({ links, verdict }: Health, { again }: Paper): readonly string[] {
  if (verdict === "works") return ["every link works, and turns others away"];
  const worst = links.find((link) => link.verdict === verdict);
  const differs = links.some((link) => link.changes.length > 0 || link.verdict === "open");
  return [`next   crosstrust explain ${worst?.link}${again}${differs ? `        crosstrust plan${again}` : ""}`];
}
