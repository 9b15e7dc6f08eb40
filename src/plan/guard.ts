import type { Address, Change, Consents, Decision, Finding, Kind, Link, Lookup, Resource } from "../model.ts";
import { acceptLine, finding } from "../model.ts";
import { flagOf } from "./accept.ts";
import { wantOf } from "./compare.ts";
import { kindOf } from "./expand.ts";
import { resolve } from "./refs.ts";

/** What a plan would change, and what its user agreed to. */
export interface Guarded {
  readonly changes: readonly Change[];
  readonly links: readonly Link[];
  readonly consents: Consents;
  readonly kinds: readonly Kind[];
  /** All changes of the plan, those that belong to other links than the named ones included. */
  readonly beside: readonly Change[];
  /** What references resolve to now. */
  readonly lookup: Lookup;
}

/**
 * What must not happen by itself: touching what is not ours, letting more subjects in, deleting a lot. It
 * looks at the plan, before any call; whoever applies stops at findings that ask for `conflict` or `usage`. What was agreed
 * to by an accept is for the caller to mark.
 */
export function guard(input: Guarded): readonly Finding[] {
  return [
    ...input.changes.flatMap((change) => foreign(change, input)),
    ...input.changes.flatMap((change) => [...wider(change, input), ...lifts(change, input)]),
    ...input.changes.flatMap((change) => undecided(change, input)),
    ...input.changes.flatMap((change) => wakes(change, input)),
    ...missing(input),
    ...many(input.changes),
  ];
}

/** Whose consent covers a change: any link that needs it. */
const consented = (change: Change, names: readonly string[]): boolean =>
  change.links.some((link) => names.includes(link));

/** `aws role 111122223333/reports-reader` */
const say = ({ kinds }: Guarded, address: Address): string =>
  `${kindOf(kinds, address).label} ${address.slice(address.indexOf("/") + 1)}`;

/** An adoption, or a write into something that is only used: both need `--adopt` by link name. */
function foreign(change: Change, input: Guarded): readonly Finding[] {
  const { consents } = input;
  const writes = change.verb === "create" || change.verb === "update";
  const small = writes && kindOf(input.kinds, change.address).onUsed === true;
  if (change.verb !== "adopt" && !small) return [];
  if (change.live.state === "present" && change.live.joins) return [];
  if (consented(change, consents.adopt)) return [];
  const other = change.live.state === "present" ? change.live.mark?.owner : undefined;
  const link = change.links[0] ?? "LINK";
  return [
    {
      code: "NOT-OURS",
      severity: "error",
      asks: "conflict",
      at: { address: change.address },
      links: change.links,
      says: small
        ? `${say(input, change.address)}: what it is written into is only used, and does not hold it as the file says`
        : other
          ? `${say(input, change.address)} exists and belongs to the deployment ${other}`
          : `${say(input, change.address)} exists and is not ours`,
      because: [],
      fix: [
        small
          ? `crosstrust apply --adopt ${link}   # writes this one statement and nothing else`
          : `crosstrust apply --adopt ${link}   # takes it over as it is shown here; or give the link another name for it`,
      ],
    },
  ];
}

/** A run that was cut off goes on without a word only where it was about the same file. */
function isEdited({ cause, desired, live }: Change): boolean {
  if (cause === "edited" || cause === "both") return true;
  const want = live.state === "present" ? live.mark?.want : undefined;
  return cause === "unfinished" && desired !== undefined && want !== wantOf(desired);
}

/**
 * Somebody gets in after a change who does not get in now: only by name (reliability-and-security.md, 4.3, T1), whatever
 * verb carries it. Found by outsiders before and after, so what narrows is not asked for, and what cannot be decided is.
 * A repair of drift needs no consent.
 */
function wider(change: Change, input: Guarded): readonly Finding[] {
  const { address, links, verb, desired } = change;
  const { consents, kinds, lookup, beside } = input;
  const kind = kindOf(kinds, address);
  const updates = verb === "update" || verb === "replace";
  const due = verb === "create" || verb === "adopt" || (updates && (isEdited(change) || kind.onUsed === true));
  if (!due || desired === undefined || consented(change, consents.allowWiden)) return [];
  const resolved = <T>(value: T): T => resolve(value, lookup);
  const widening = kind.widens?.(change, { changes: beside, resolve: resolved });
  // Said with the conditions that it would lift.
  if (isBesideNarrower(change)) return [];
  const what = say(input, address);
  const fix = [`crosstrust apply --allow-widen ${links[0] ?? "LINK"}   # if that is meant`];
  const asked = { asks: "usage" as const, at: { address }, links, fix };
  if (widening?.direction === "widens") {
    const example = widening.who === undefined ? "" : `, for example ${widening.who}`;
    const says = `${what} would let somebody in that it does not let in now${example}`;
    return [finding("TRUST-WIDENED", { ...asked, says })];
  }
  if (widening?.direction !== "undecided") return [];
  const says = `whether ${what} would let somebody in that it does not let in now cannot be decided: ${widening.why}`;
  return [finding("WIDENING-UNDECIDED", { ...asked, says })];
}

const isBesideNarrower = ({ verb, live }: Change): boolean =>
  verb === "create" && live.state === "absent" && (live.narrower?.length ?? 0) > 0;

/**
 * What is made beside something that admits the same workload under further conditions: these hold nobody any more. The
 * file cannot express them, so it has not decided to drop them. In what is ours they are drift, which a repair takes back.
 */
function lifts({ cause, live, address, links }: Change, input: Guarded): readonly Finding[] {
  const narrower = live.state === "absent" ? (live.narrower ?? []) : [];
  const isRepair = cause === "drifted" && !kindOf(input.kinds, address).onUsed;
  if (narrower.length === 0 || isRepair) return [];
  if (links.some((name) => input.consents.allowWiden.includes(name))) return [];
  const held = narrower.join(", and ");
  return [
    finding("TRUST-WIDENED", {
      asks: "usage",
      at: { address },
      links,
      says: `${say(input, address)} would admit the workload where it is admitted now only under: ${held}`,
      fix: [
        "leave it as it is, if that restriction is wanted: crosstrust cannot write it",
        `crosstrust apply --allow-widen ${links[0] ?? "LINK"}   # if the restriction may go`,
      ],
    }),
  ];
}

/** What was deleted keeps its id, and whoever still names it gets in again when it comes back (fact sheet, 2.3). */
function wakes({ verb, address, links, live }: Change, input: Guarded): readonly Finding[] {
  if (verb !== "restore" || !kindOf(input.kinds, address).wakes || input.consents.undelete) return [];
  const until = live.state === "deleted" && live.outputs.expireTime ? ` until ${live.outputs.expireTime}` : "";
  return [
    {
      ...{ code: "DELETED-HOLDS-ID", severity: "error", asks: "usage", at: { address }, links, because: [] },
      says: `${say(input, address)} was deleted and holds its id${until}; brought back, whatever names it works again`,
      fix: ["crosstrust apply --undelete   # if that is meant", "or give it another id in the file"],
    },
  ];
}

/**
 * Breadth and privilege that a change would make, each of which somebody has to agree to. What is live already is not
 * asked for again. The repair of drift admits only whom the file admitted before, but it may give back a privilege.
 */
function undecided(change: Change, input: Guarded): readonly Finding[] {
  const { desired, verb, cause, address, live } = change;
  if (desired === undefined || verb === "keep") return [];
  const holds = live.state === "present" ? kindOf(input.kinds, address).holds?.(live.spec) : undefined;
  // IAM keeps the spelling of an action, and does not tell one from another.
  const held = new Set(holds?.map((of) => of.toLowerCase()));
  return (desired.decisions ?? [])
    .filter(({ code, of }) => !held.has(of.toLowerCase()) && !(code === "BROAD-SUBJECT" && cause === "drifted"))
    .map((decision) => decisionOf(decision, address, input));
}

function decisionOf(decision: Decision, address: Address, input: Guarded): Finding {
  const { code, of, says, link } = decision;
  const fix = [`accept it in the file, on the link ${link}: ${acceptLine(code, of)}`];
  const flag = flagOf(code);
  return finding(code, {
    severity: "security",
    asks: "usage",
    at: { address },
    links: [link],
    of,
    says: `${say(input, address)}: ${says}`,
    fix: flag ? [...fix, `crosstrust apply ${flag} ${link}   # or once`] : fix,
  });
}

/**
 * All breadth and privilege that the file wants, whether or not it is live: what was agreed to of it is part of the
 * fingerprint.
 */
export const decisionsIn = (resources: readonly Resource[], input: Guarded): readonly Finding[] =>
  resources.flatMap(({ address, decisions = [] }) => decisions.map((one) => decisionOf(one, address, input)));

/** What the file only uses must be there: it is never made here, so no apply would mend it. */
function missing(input: Guarded): readonly Finding[] {
  return input.changes
    .filter((change) => change.desired?.hold === "use" && change.live.state !== "present")
    .map((change) => ({
      code: "USED-MISSING",
      severity: "error",
      asks: "broken",
      at: { address: change.address },
      links: change.links,
      says: `${say(input, change.address)} does not exist; the file uses it, so it is never made here`,
      because: [],
      fix: ["create it, or give a plain name in the file to have it made"],
    }));
}

/** More deletions than a slip of the pen explains (octodns' threshold: a third of what exists). */
function many(changes: readonly Change[]): readonly Finding[] {
  const ours = changes.filter((change) => change.live.state === "present" && change.live.owner !== "foreign");
  const gone = changes.filter((change) => change.verb === "delete" && change.links.length === 0);
  if (gone.length < 4 || gone.length * 3 < ours.length) return [];
  return [
    {
      code: "DELETES-MUCH",
      severity: "warning",
      at: {},
      says: `${gone.length} of ${ours.length} things of this deployment would be deleted, because no link names them`,
      because: [],
      fix: ["look whether links are missing from the file"],
    },
  ];
}
