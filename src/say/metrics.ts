import { type Finding, type Past, type Report, type Severity, verdicts } from "../model.ts";
import { undecidedOf } from "../verdict/run.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

const severities: readonly Severity[] = ["security", "error", "warning", "hint"];

/**
 * A health report for whoever scrapes or collects it: OpenMetrics 1.0 text. The verdicts of a link are 0 or 1 each, as
 * in a state set, but declared as gauges: a state set would have to call its label like the metric.
 */
export function healthMetrics({ document }: Report, memory?: Past): string {
  const { tool, world, deployment, findings } = document;
  const families = [
    ...ofLinks(document),
    gauge("crosstrust_findings", "Findings by severity.", severityCounts(findings)),
    gauge("crosstrust_findings_undecided", "Security findings that somebody has to decide about.", [
      [{}, undecidedOf(findings).length],
    ]),
    gauge("crosstrust_health_timestamp_seconds", "When the check was made.", [[{}, seconds(document.at)]]),
    gauge("crosstrust_health_duration_seconds", "How long the check took.", [[{}, document.ms / 1000]]),
    ...(memory ? remembered(memory) : []),
    info("crosstrust_tool", "Which tool looked, where, and at which deployment.", { version: tool, world, deployment }),
  ];
  return `${families.join("")}# EOF\n`;
}

function ofLinks({ links }: Report["document"]): readonly string[] {
  const told = links.flatMap(({ link, verdict }) =>
    verdicts.map((each): Sample => [{ link, verdict: each }, each === verdict ? 1 : 0]),
  );
  const proved = links.flatMap(({ link, hops }) =>
    hops.filter(({ how }) => how === "proved").map(({ step, ms }): Sample => [{ link, step }, ms]),
  );
  const sums = verdicts.map((each): Sample => [{ verdict: each }, links.filter((one) => one.verdict === each).length]);
  return [
    gauge(
      "crosstrust_link_verdict",
      "Whether this is the verdict of the link: 1 for one of them, 0 for the others.",
      told,
    ),
    gauge("crosstrust_link_hop_milliseconds", "How long a step took, where it was really made.", proved),
    gauge("crosstrust_links", "Links by verdict.", sums),
  ];
}

const severityCounts = (findings: readonly Finding[]): readonly Sample[] =>
  severities.map((severity) => [{ severity }, findings.filter((finding) => finding.severity === severity).length]);

/** Only with a memory: since when, which no single check can know. */
function remembered({ links }: Past): readonly string[] {
  const all = Object.entries(links);
  const good = all.flatMap(([link, { lastGood }]): Sample[] => (lastGood ? [[{ link }, seconds(lastGood)]] : []));
  return [
    gauge("crosstrust_link_since_timestamp_seconds", "Since when the verdict is what it is.", [
      ...all.map(([link, { since }]): Sample => [{ link }, seconds(since)]),
    ]),
    gauge("crosstrust_link_last_good_timestamp_seconds", "The last check in which the link worked.", good),
  ];
}

const seconds = (iso: string): number => Date.parse(iso) / 1000;

/** The unit is told where the name ends in one, as the format wants it. */
function gauge(name: string, help: string, samples: readonly Sample[]): string {
  const unit = /_(seconds|milliseconds)$/.exec(name)?.[1];
  const head = [`# TYPE ${name} gauge`, ...(unit ? [`# UNIT ${name} ${unit}`] : []), `# HELP ${name} ${help}`];
  return [...head, ...samples.map((sample) => line(name, sample)), ""].join("\n");
}

/** Its one sample ends in `_info` and is always 1: what it says is in its labels. */
const info = (name: string, help: string, labels: Labels): string =>
  `# TYPE ${name} info\n# HELP ${name} ${help}\n${line(`${name}_info`, [labels, 1])}\n`;

const line = (name: string, [labels, value]: Sample): string => `${name}${labelText(labels)} ${value}`;

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

/** Three signs end a value or a line; everything else is allowed as it is. */
const escaped = (text: string): string =>
  text.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
