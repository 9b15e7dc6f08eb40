import type { Change, Finding, Health, Json, LinkHealth, MissingPremise, Plan, Resource, Trace } from "../model.ts";
import { unicodeEscape, withoutHidden } from "../model.ts";

/** What every document starts with (contract, section 4). */
export interface Envelope {
  readonly tool: string;
  readonly world: "sandbox" | "cloud";
  readonly command: string;
  readonly exit: number;
}

/** How a value with references is shown; given by the plan, whose references they are. */
export type Reveal = (value: unknown) => Json;

/** Starts as every document does; `crosstrust` is the number of the format, not of the tool. */
export const document = (envelope: Envelope, body: object): string =>
  `${jsonText({ crosstrust: 1, ...envelope, ...body })}\n`;

/** Returns JSON that a terminal shows as it is: the same values, with hidden characters written as JSON escapes. */
export const jsonText = (value: object): string =>
  withoutHidden(JSON.stringify(value, null, 2), (character) =>
    character === "\n" ? character : unicodeEscape(character),
  );

/** `keep` is listed too: whoever reads this wants to know what was looked at (contract, section 4). */
export const planBody = (plan: Plan, traces: readonly Trace[] | undefined, reveal: Reveal) => ({
  deployment: plan.deployment,
  fingerprint: plan.fingerprint,
  changes: plan.changes.map((change) => changeBody(change, reveal)),
  ...(plan.unread.length > 0 ? { unread: plan.unread.map(({ address }) => address) } : {}),
  findings: plan.findings.map(findingBody),
  ...(plan.effects.length > 0 ? { effects: plan.effects } : {}),
  ...(traces ? { traces: traces.map((trace) => ({ ...trace, findings: trace.findings.map(findingBody) })) } : {}),
});

/** The members that the contract names (section 4): live is told by `differences` alone. */
function changeBody(change: Change, reveal: Reveal) {
  const { address, verb, cause, differences, desired, links } = change;
  return {
    address,
    verb,
    ...(cause ? { cause } : {}),
    ...(differences.length > 0 ? { differences: differences.map((one) => reveal(one)) } : {}),
    ...(desired ? { desired: reveal(resourceBody(desired)) } : {}),
    links,
  };
}

const resourceBody = ({ hold, spec }: Resource) => ({ hold, ...spec });

/** Which exit code a finding asked for is told by the exit code itself. */
export const findingBody = ({ asks: _, ...finding }: Finding) => finding;

/** Also what the health function stores, and gives back as it is. */
export const healthBody = (deployment: string, health: Health, reveal: Reveal) => ({
  deployment,
  at: health.at,
  verdict: health.verdict,
  logSeverity: health.log,
  undecided: health.undecided,
  says: health.says,
  ms: health.ms,
  links: health.links.map((link) => linkBody(link, reveal)),
  findings: health.findings.map(findingBody),
  ...(health.inventory?.length ? { inventory: health.inventory.map(findingBody) } : {}),
});

const premiseBody = ({ asks: _, ...premise }: MissingPremise) => premise;

const linkBody = ({ link, verdict, missing, since, lastGood, hops, changes }: LinkHealth, reveal: Reveal) => ({
  link,
  verdict,
  missing: missing.map(premiseBody),
  ...(since ? { since } : {}),
  ...(lastGood ? { lastGood } : {}),
  hops,
  changes: changes.map((change) => changeBody(change, reveal)),
});
