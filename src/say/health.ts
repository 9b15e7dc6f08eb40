import { type Finding, type Health, type Hop, type LinkHealth, verdicts } from "../model.ts";
import { concerns, isWitnessed } from "../verdict/link.ts";
import { toDecide } from "../verdict/run.ts";
import { ratings, tallyOf } from "../verdict/table.ts";
import { byWeight, distinct, findingLine, standingCount, withoutStanding } from "./findings.ts";
import { commandLine, count, heading, ink, type Paper, toned } from "./paper.ts";
import { displayed } from "./visible.ts";

/** More good links than this are one line: whoever looks at a terminal looks for what is not. */
const fewGood = 12;

/**
 * Problems first, each with its reasons, then the good links, then the sums and the next command. `all`: each good link on a line
 * of its own, and the hints that every run gives.
 */
export function healthText(given: Health, world: "sandbox" | "cloud", paper: Paper, all = false): string {
  const health = displayed(given);
  const when = `${health.at.slice(0, 10)} ${health.at.slice(11, 16)} UTC`;
  const width = Math.max(...health.links.map(({ link }) => link.length), 12);
  const told = new Set<string>();
  const good = health.links.filter(isGood);
  const bad = health.links
    .filter((link) => !isGood(link))
    .sort((one, other) => verdicts.indexOf(one.verdict) - verdicts.indexOf(other.verdict));
  const summed = !all && good.length > fewGood;
  const lines = [
    ...[...bad, ...(summed ? [] : good)].flatMap((link) => linkLines(link, { health, width, paper, told })),
    ...(summed ? goodLines(good, paper) : []),
  ];
  const rest = byWeight(distinct(withoutStanding(health.findings, all))).filter((finding) => !told.has(key(finding)));
  return [
    heading([
      when,
      count(health.links.length, "link"),
      `${(health.ms / 1000).toFixed(1)} s`,
      world === "sandbox" ? "sandbox" : undefined,
    ]),
    ...lines,
    ...(rest.length > 0 ? ["", ...rest.map((finding) => findingLine(finding, paper)), ""] : []),
    ...standingCount(health.findings, commandLine("health --all", paper), all),
    tallyOf(health.links.map(({ verdict }) => verdict)).join("   "),
    ...lastLines(health, paper),
  ].join("\n");
}

/** Nothing about it is worth a line of its own. */
const isGood = ({ verdict, changes, missing }: LinkHealth): boolean =>
  ratings[verdict].standing === "well" && changes.length === 0 && missing.length === 0;

/** One line for each good verdict that occurs: `works     30 links   each: crosstrust health --all`. */
function goodLines(good: readonly LinkHealth[], paper: Paper): readonly string[] {
  const all = commandLine("health --all", paper);
  return verdicts.flatMap((verdict) => {
    const { length } = good.filter((link) => link.verdict === verdict);
    if (length === 0) return [];
    return [
      `  ${ink(paper, toned[ratings[verdict].tone], verdict.padEnd(8))}  ${count(length, "link")}   each: ${all}`,
    ];
  });
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
  const head = `  ${ink(paper, toned[ratings[link.verdict].tone], word.padEnd(8))}  ${link.link.padEnd(width)}   ${hopsText(link.hops)}${sinceText(link, health.at)}`;
  const indent = " ".repeat(14 + width);
  const drift = link.changes.map((change) => `${indent} ${change.address}: ${change.cause ?? change.verb}`);
  const reasons = reasonsOf(link, health.findings);
  for (const reason of reasons) told.add(key(reason));
  const unread = link.missing.filter(({ premise }) => premise === "read");
  return [
    head,
    ...reasons.flatMap((finding) => [
      `${indent} ${finding.says}   ${finding.code}`,
      ...(finding.witness ? [`${indent} ${finding.witness.how}: ${finding.witness.path.join(" -> ")}`] : []),
    ]),
    ...unread.map(
      ({ finding }) => `${indent} part of it could not be read, so nothing is concluded from that   ${finding}`,
    ),
    ...drift,
  ];
}

/** Returns what decides a verdict: each witness of an outsider, then what each step ended with. */
function reasonsOf({ link, hops }: LinkHealth, findings: readonly Finding[]): readonly Finding[] {
  const mine = findings.filter((finding) => concerns(finding, link));
  const steps = hops.filter((hop) => hop.finding && hop.result !== "ok");
  const told = steps.flatMap((hop) => mine.filter(({ code }) => code === hop.finding));
  return distinct([...mine.filter(isWitnessed), ...told]);
}

/** What is not so for the first time, and not as it should be. */
function sinceText({ verdict, since }: LinkHealth, at: string): string {
  if (since === undefined || since === at || ratings[verdict].standing === "well") return "";
  return `   since ${since.slice(0, 10)} ${since.slice(11, 16)}`;
}

/** `mint 84   exchange 212   whoami 95   refused 88 ms` */
export function hopsText(hops: readonly Hop[]): string {
  const [only] = hops;
  if (hops.length === 1 && only?.result === "unknown" && !only.finding) return only.saw;
  const parts = hops.map(hopText).filter(Boolean);
  // The unit stands behind the last number, and not behind a word.
  const last = parts.findLastIndex((part) => /\d$/.test(part));
  return parts.map((part, at) => (at === last ? `${part} ms` : part)).join("   ");
}

function hopText({ step, result, how, ms }: Hop): string {
  const name = step === "refuse" ? "refused" : step;
  if (result === "skipped") return "";
  if (result === "no") return step === "refuse" ? `LET IN ${ms}` : `${step} no`;
  if (result === "unknown") return `${step} ?`;
  return how === "judged" ? `${name} judged` : `${name} ${ms}`;
}

/** What the run comes to, where that is good news; else what is left to decide, and the next command. */
function lastLines({ links, verdict, undecided, says }: Health, paper: Paper): readonly string[] {
  if (verdict === "works") return [says];
  const decide = undecided > 0 ? [toDecide(undecided)] : [];
  if (verdict === "unproved" && undecided > 0) return decide;
  const worst = links.find((link) => link.verdict === verdict);
  const differs = links.some((link) => link.changes.length > 0 || link.verdict === "open");
  const explain = worst ? commandLine(`explain ${worst.link}`, paper) : "";
  const plan = differs || !worst ? commandLine("plan", paper) : "";
  const next = [explain, plan].filter(Boolean);
  return [...decide, ...next.map((line, at) => `${at === 0 ? "next   " : "       "}${line}`)];
}
