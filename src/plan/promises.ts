import type { Address, Change, Finding } from "../model.ts";

/** What a plan holds, and what it could not look at. */
export interface Promised {
  readonly changes: readonly Change[];
  /** What could not be read: of its links nobody knows what a plan would hold. */
  readonly unread: ReadonlyMap<Address, Finding>;
}

/** A step that says that the plan, as it is, mends something. One with a consent asks for another plan. */
const promise = /^crosstrust (?:plan|apply)(?: [a-z0-9][a-z0-9-]*)?(?: {3}#.*)?$/;

/**
 * Returns the findings without steps that change nothing: `crosstrust apply` stays only where the plan has a change for what
 * the finding is about. What is left without a step says why.
 */
export const keptPromises = (findings: readonly Finding[], plan: Promised): readonly Finding[] => {
  const byAddress = new Map(plan.changes.map((change) => [change.address, change]));
  return findings.map((finding) => {
    if (!finding.fix.some((step) => promise.test(step)) || isKept(finding, plan, byAddress)) return finding;
    const others = finding.fix.filter((step) => !promise.test(step));
    return { ...finding, fix: others.length > 0 ? others : [insteadOf(finding, plan)] };
  });
};

/** Where the finding names a thing of the plan, only a change of that thing mends it. */
function isKept({ at, links }: Finding, { changes }: Promised, byAddress: ReadonlyMap<Address, Change>): boolean {
  const own = at.address === undefined ? undefined : byAddress.get(at.address);
  if (own) return own.verb !== "keep";
  const mine = (change: Change): boolean => links?.some((link) => change.links.includes(link)) ?? true;
  return changes.some((change) => change.verb !== "keep" && mine(change));
}

function insteadOf({ links }: Finding, { unread }: Promised): string {
  const isUnread = [...unread.values()].some(
    (one) => !one.links || !links || one.links.some((link) => links.includes(link)),
  );
  return isUnread
    ? "crosstrust plan   # says what could not be read, which comes first"
    : "what is live is as the file says, so apply changes nothing here: change the file, or what the finding names";
}
