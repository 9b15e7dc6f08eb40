import type { Address, Change, Consents, Finding, Json, Kind, Link, LocalEffect, Plan, Resource } from "../model.ts";
import { accepted, type Deciding, effective, expired, oncePerTrust } from "./accept.ts";
import { compare, contradictedOf, lookupOf, type Observation } from "./compare.ts";
import { fingerprint } from "./fingerprint.ts";
import { decisionsIn, guard, isPruned } from "./guard.ts";
import { order } from "./order.ts";

/** Everything a plan depends on: the same input gives the same fingerprint. */
export interface PlanInput {
  readonly deployment: string;
  /** What the file wants now: all links, or for destroy the links that stay. */
  readonly desired: readonly Resource[];
  /** What the whole file wants, also what is being destroyed: whose each thing is, and what goes. */
  readonly named: readonly Resource[];
  readonly observed: Observation;
  readonly links: readonly Link[];
  readonly consents: Consents;
  readonly kinds: readonly Kind[];
  /** What was found before: by expanding, reading, watching. They are told with the plan's own. */
  readonly findings: readonly Finding[];
  /** The links named on the command line; empty means all. */
  readonly only: readonly string[];
  /** Whether all was looked for that a former file may have left. */
  readonly swept: boolean;
  /** Destroy: nothing is made, brought back or taken over for the links that stay. */
  readonly takes: boolean;
  /** The decisions of the file, and where and when they hold; left out, the file decides nothing. */
  readonly deciding?: Omit<Deciding, "consents">;
  /** What proving the links does on this machine. */
  readonly effects?: readonly LocalEffect[];
  /** The command that carries it out, as people type it; left out for functions, and for whoever only looks. */
  readonly command?: string | undefined;
  /** The version: another one may write the same wish differently, so it makes plans stale. */
  readonly tool: string;
}

const undecided: Omit<Deciding, "consents"> = { accepts: [], now: 0, sharing: (link) => [link] };

/** A list that is empty says as little as one that is left out. */
const given = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined);

/** Breadth and privilege count by what was agreed to, whether a flag says so or the file; the other consents as given. */
const agreed = (consents: Consents, set: readonly string[]) => ({
  ...consents,
  adoptForget: given(consents.adoptForget),
  replace: given(consents.replace),
  allowBroadSubject: [],
  allowPrivileged: [],
  ...(set.length > 0 ? { accepted: set } : {}),
});

/** Everything thought through once: what changes, in which order, what stands against it, and its fingerprint. */
export function planOf(input: PlanInput): Plan {
  const { deployment, desired, consents, kinds } = input;
  const compared = compare({ ...input, owner: deployment });
  const all = input.takes ? compared.filter(({ verb }) => !["create", "restore", "adopt"].includes(verb)) : compared;
  const changes = limit(all, input.only);
  const lookup = lookupOf(input.observed.live);
  const contradicted = input.only.length === 0 ? contradictedOf(input) : [];
  const guarding = {
    changes,
    beside: compared,
    links: input.links,
    consents,
    kinds,
    lookup,
    contradicted,
    owner: deployment,
    command: input.command,
    isBlind:
      (input.observed.failed?.size ?? 0) > 0 ||
      input.findings.some(({ code, asks }) => code === "LEFTOVERS-UNSEEN" && asks !== undefined),
  };
  const ordered = order(desired);
  const deciding = { ...undecided, ...input.deciding, consents };
  const judged = accepted([...input.findings, ...ordered.findings, ...guard(guarding)], deciding);
  const findings = [...judged, ...expired(deciding)];
  const wanted = changes.flatMap((change) => change.desired ?? []);
  const decided = [...accepted(decisionsIn(wanted, guarding), deciding), ...findings];
  const { effects = [] } = input;
  const digest = fingerprint({
    deployment,
    tool: input.tool,
    consents: agreed(consents, effective(decided)),
    only: input.only,
    changes: changes.map(essence),
    ...(effects.length > 0 ? { effects } : {}),
  });
  return {
    deployment,
    fingerprint: digest,
    changes,
    waves: ordered.waves,
    open: openOf(all),
    prunes: prunesOf(changes, consents),
    replaces: consents.replace,
    swept: input.swept,
    effects,
    unread: unreadOf(input),
    findings: oncePerTrust(findings, deciding),
  };
}

/** What could not be read of the named links, or of all. */
function unreadOf({ named, only, observed }: PlanInput): Plan["unread"] {
  const mine = ({ links }: Resource) => only.length === 0 || links.some((link) => only.includes(link));
  return named
    .filter((one) => mine(one) && observed.failed?.has(one.address))
    .map(({ address, links }) => ({ address, links }));
}

/** Only what the consent counts exactly is deleted without a link that names it; nothing is, where the number differs. */
const prunesOf = (changes: readonly Change[], { prune }: Consents): boolean =>
  prune !== undefined && prune === changes.filter(isPruned).length;

/** What carries something that is yet to be made, whichever links are named. */
function openOf(changes: readonly Change[]): readonly Address[] {
  const made = new Set(changes.filter(({ verb }) => verb === "create").map(({ address }) => address));
  const carriers = changes.filter(({ desired }) => desired?.covers?.some((address) => made.has(address)));
  return carriers.map(({ address }) => address);
}

/** Only what the named links need; what nobody needs any more goes only when no link is named. */
function limit(changes: readonly Change[], only: readonly string[]): readonly Change[] {
  if (only.length === 0) return changes;
  return changes.filter((change) => change.links.some((link) => only.includes(link)));
}

/** What a plan promises, without etags and times: desired with its references symbolic, and live. */
function essence(change: Change): Json {
  const live = change.live;
  const seen = live.state === "present" ? { ...live, notes: undefined, seen: undefined, former: undefined } : live;
  const { decisions: _, defaults: __, ...desired } = change.desired ?? {};
  return { ...change, ...(change.desired ? { desired } : {}), live: seen } as unknown as Json;
}

/** Changes by address, for those who look one up. */
export const byAddress = (plan: Plan): ReadonlyMap<Address, Change> =>
  new Map(plan.changes.map((change) => [change.address, change]));
