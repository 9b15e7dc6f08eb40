import {
  type Address,
  type Change,
  type Finding,
  type Hop,
  type Link,
  type LinkHealth,
  type MissingPremise,
  type Trace,
  unreadAsks,
  type Verdict,
} from "../model.ts";

/** What is known of one link after its proof. Changes and findings of other links may be among the lists. */
export interface Seen {
  readonly link: Pick<Link, "name" | "from">;
  readonly trace: Trace;
  /** What differs from the file now. `keep` is not among them. */
  readonly changes: readonly Change[];
  /** What was found beside the proof: by planning, by watching, by writing. */
  readonly findings: readonly Finding[];
  /** One finding for each thing that could not be read. */
  readonly unread: readonly Finding[];
  /**
   * How much of the link is there. `new`: nothing that only this link needs. `whole`: its trust is as the file says, and no
   * other link needs it; it is made after what it refers to, so what is missing now was lost. `part`: anything else.
   */
  readonly stage: "new" | "part" | "whole";
}

/** Whether a finding concerns a link. Without `links` it concerns every link; with an empty list it concerns none. */
export const concerns = ({ links }: Pick<Finding, "links">, name: string): boolean => links?.includes(name) ?? true;

/** Whether a finding shows that an outsider gets in. The file may accept it: then it shows nothing. */
export const isWitnessed = ({ witness, accepted }: Finding): boolean => witness !== undefined && accepted === undefined;

/**
 * Returns how one link fares, with every premise of `works` that is missing. A verdict is a conclusion (house rule 1):
 * `works` and `unproved` need every premise, and nothing is well because nobody looked.
 */
export function linkHealth(seen: Seen): LinkHealth {
  const own = narrowed(seen);
  const missing = missingOf(own);
  const verdict = verdictOf(own, missing);
  return {
    link: own.link.name,
    verdict,
    // Nothing can be proved of what is not made, so a proof that could not be made asks for no exit code of its own.
    missing: verdict === "absent" ? missing.map((one) => (isStep(one) ? withoutAsks(one) : one)) : missing,
    hops: own.trace.hops,
    changes: own.changes,
  };
}

/** Keeps only what concerns the link. */
function narrowed({ link, trace, changes, findings, unread, stage }: Seen): Seen {
  const mine = (finding: Finding) => concerns(finding, link.name);
  return {
    link,
    trace,
    changes: changes.filter(({ links }) => links.includes(link.name)),
    findings: findings.filter((finding) => mine(finding) && !unread.includes(finding)),
    unread: unread.filter(mine),
    stage,
  };
}

/** Worst first, in the order of contract section 4. */
function verdictOf(seen: Seen, missing: readonly MissingPremise[]): Verdict {
  if (missing.some(({ premise }) => premise === "closed")) return "open";
  if (isRefused(seen)) return "broken";
  if (seen.changes.length > 0) return isUnmade(seen) ? "absent" : "drifted";
  if (missing.length > 0) return "unknown";
  return isJudged(seen) ? "unproved" : "works";
}

/** A definite no: of a step, or of a finding that no step tells of. */
function isRefused(seen: Seen): boolean {
  const steps = seen.trace.hops.filter(({ step, result }) => step !== "refuse" && result === "no");
  return steps.some((hop) => !isExplained(hop, seen)) || faultsOf(seen).some(({ asks }) => asks === "broken");
}

/**
 * Everything that differs is only to be made, brought back or finished. A new link also waits for what the file says now of
 * things that other links have already.
 */
const isUnmade = ({ changes, stage }: Seen): boolean =>
  changes.length > 0 &&
  changes.every(
    ({ verb, cause, links }) =>
      verb === "create" ||
      verb === "restore" ||
      cause === "unfinished" ||
      (stage === "new" && cause === "edited" && links.length > 1),
  );

/**
 * Whether a step was refused because something of the link is not made, or not read where the trust was only judged. What
 * was lost since the link was whole explains nothing: the link is broken. A comparison that failed on something that is there is a reason of its own.
 */
function isExplained(hop: Hop, seen: Seen): boolean {
  const { link, trace, changes, unread, stage } = seen;
  if (hop.how === "judged" && unread.length > 0) return true;
  // Whoever was never made cannot mint, and whether that is so was not read.
  if (hop.step === "mint" && unread.some(({ at }) => isOf(at.address, link.from.party))) return true;
  if (stage === "whole" || !isUnmade(seen)) return false;
  const sources = changes.filter(({ address }) => isOf(address, link.from.party));
  if (hop.step === "mint" && sources.length === 0) return false;
  if (stage === "new") return true;
  const rows = trace.findings.filter(({ code }) => code === hop.finding).flatMap(({ because }) => because);
  return rows.every(({ ok, readFrom, says }) => ok !== false || (readFrom === "iam" && isGone.test(says)));
}

/** Whether an address is of a party. A finding without an address is about everything. */
const isOf = (address: Address | undefined, party: string): boolean =>
  address === undefined || address.startsWith(`${party}:`);

/** How a judge shows that the role or pool provider that it should judge is not there. */
const isGone = /^\((absent|deleted)\)$/;

/** Nothing can mint for the link, and the judge admits what the file declares. */
const isJudged = ({ trace }: Seen): boolean =>
  trace.hops.some(({ step, result, how }) => step === "exchange" && result === "ok" && how === "judged");

function missingOf(seen: Seen): readonly MissingPremise[] {
  return [
    ...openings(seen),
    ...faultsOf(seen).map((finding) => premiseOf("faultless", finding)),
    ...seen.unread.map((finding) => ({ ...premiseOf("read", finding), asks: unreadAsks(finding) })),
    ...seen.changes.map(
      ({ address, cause, verb }): MissingPremise => ({ premise: "unchanged", says: `${address}: ${cause ?? verb}` }),
    ),
    ...(["mint", "exchange", "whoami"] as const).flatMap((step) => missingStep(step, seen)),
    ...missingRefusal(seen),
  ];
}

function premiseOf(premise: MissingPremise["premise"], { says, code, asks }: Finding): MissingPremise {
  return { premise, says, finding: code, ...(asks ? { asks } : {}) };
}

/** Findings of errors that no step and no change tells of. A consent is asked of whoever writes, and of no check. */
function faultsOf({ findings, trace }: Seen): readonly Finding[] {
  const told = new Set(trace.hops.map(({ finding }) => finding));
  const others = [...findings, ...trace.findings].filter(({ code }) => !told.has(code));
  return [...new Set(others)].filter(
    ({ severity, asks, accepted, witness }) =>
      severity === "error" && asks !== undefined && asks !== "usage" && accepted === undefined && witness === undefined,
  );
}

/** Each outsider who gets in: by a witness, or because an attempt that had to fail did not. */
function openings(seen: Seen): readonly MissingPremise[] {
  const witnessed = [...new Set([...seen.findings, ...seen.trace.findings])].filter(isWitnessed);
  const found = witnessed.map((finding) => premiseOf("closed", finding));
  const hop = seen.trace.hops.find(({ step, result }) => step === "refuse" && result === "no");
  if (!hop || isAccepted(hop, seen) || found.some(({ finding }) => finding === hop.finding)) return found;
  return [...found, { premise: "closed", says: hop.saw, ...(hop.finding ? { finding: hop.finding } : {}) }];
}

/** The file accepts every finding by which the attempts that got through are told. */
function isAccepted(hop: Hop, { trace }: Seen): boolean {
  const told = trace.findings.filter(({ severity, code }) => severity === "security" || code === hop.finding);
  return told.length > 0 && told.every(({ accepted }) => accepted !== undefined);
}

/** `judge` links mint nothing and have no session, and the judge's yes stands in for both. */
function missingStep(step: "mint" | "exchange" | "whoami", seen: Seen): readonly MissingPremise[] {
  const hop = seen.trace.hops.find((one) => one.step === step);
  if (hop?.result === "ok" || (hop?.result === "skipped" && isJudged(seen))) return [];
  return [stepOf(step, hop, seen)];
}

/** Whoever admits somebody must be shown to refuse others. An attempt that the file accepts shows that too. */
function missingRefusal(seen: Seen): readonly MissingPremise[] {
  const hop = seen.trace.hops.find(({ step }) => step === "refuse");
  if (hop?.result === "ok" || hop?.result === "no") return [];
  return [stepOf("refuse", hop, seen)];
}

function stepOf(premise: Hop["step"], hop: Hop | undefined, { trace }: Seen): MissingPremise {
  const says = hop?.saw || "not tried";
  if (!hop?.finding) return { premise, says };
  const asks = hop.result === "unknown" ? trace.findings.find(({ code }) => code === hop.finding)?.asks : undefined;
  return { premise, says, finding: hop.finding, ...(asks && asks !== "broken" ? { asks } : {}) };
}

const isStep = ({ premise }: MissingPremise): boolean =>
  premise === "mint" || premise === "exchange" || premise === "whoami" || premise === "refuse";

const withoutAsks = ({ asks: _, ...rest }: MissingPremise): MissingPremise => rest;
