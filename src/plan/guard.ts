import type {
  Address,
  Change,
  Consents,
  Decision,
  Finding,
  Kind,
  Leftovers,
  Link,
  Lookup,
  Resource,
} from "../model.ts";
import { finding } from "../model.ts";
import { consentFixes } from "./accept.ts";
import { putOf, wantOf } from "./compare.ts";
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
  /** Something could not be read, or not all that a former file left could be looked for. */
  readonly isBlind: boolean;
  /** Things that carry our mark, that no link names, and that are not what was last written. */
  readonly contradicted: Leftovers["found"];
  /** The deployment. */
  readonly owner: string;
  /** The command that would prune, as people type it; left out where nobody is there who could. */
  readonly command: string | undefined;
}

/**
 * What must not happen by itself: touching what is not ours, letting more subjects in, deleting a lot. It
 * looks at the plan, before any call; whoever applies stops at findings that ask for `conflict` or `usage`. What was agreed
 * to by an accept is for the caller to mark.
 */
export function guard(input: Guarded): readonly Finding[] {
  return [
    ...input.changes.flatMap((change) => foreign(change, input)),
    ...input.changes.flatMap((change) => [
      ...fixed(change, input),
      ...forgets(change, input),
      ...replaces(change, input),
    ]),
    ...input.changes.flatMap((change) => [...wider(change, input), ...lifts(change, input)]),
    ...input.changes.flatMap((change) => undecided(change, input)),
    ...input.changes.flatMap((change) => wakes(change, input)),
    ...missing(input),
    ...prunes(input),
    ...input.contradicted.map((one) => contradicted(one, input)),
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
  if (isJoined(change)) return [];
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
          ? `${say(input, change.address)} exists and belongs to the deployment ${other}${changedSince(change)}`
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

/**
 * Whether another deployment shares the thing. A mark is a text that others could have written, so it counts only where the
 * thing is as that deployment left it: joining changes nothing but the claim.
 */
function isJoined({ live }: Change): boolean {
  if (live.state !== "present" || live.joins !== true) return false;
  return live.mark === undefined || live.mark.put === putOf(live.spec);
}

const changedSince = ({ live }: Change): string =>
  live.state === "present" && live.joins ? ", and it is not as that deployment left it" : "";

/** What the file states of a thing to be adopted, and what cannot change while it lives. */
function fixed({ verb, address, links, live, differences }: Change, input: Guarded): readonly Finding[] {
  const told = live.state === "present" && live.notes?.some(({ asks }) => asks === "conflict");
  if (verb !== "adopt" || told) return [];
  const { immutable = [] } = kindOf(input.kinds, address);
  return differences
    .filter(({ path }) => immutable.includes(path))
    .map(({ path, desired, live: there }) =>
      finding("ADOPT-IMMUTABLE", {
        asks: "conflict",
        at: { address },
        links,
        says: `${say(input, address)} has the ${path} ${there}, the file states ${desired}, and a ${path} cannot change`,
        fix: [`state ${path}: ${there} in the file, or leave it out; then the plan adopts it as it is`],
      }),
    );
}

/** What would be lost for good by taking a thing over, or by changing more of it later. */
function forgets(change: Change, input: Guarded): readonly Finding[] {
  const { verb, address, links, live, cause } = change;
  const isTaken = verb === "adopt" || (verb === "update" && isEdited(change));
  if (!isTaken || live.state !== "present" || live.owner === "ours") return [];
  const former = live.former?.(input.owner);
  if (former?.blocked !== undefined)
    return [
      finding("ADOPT-NO-ROOM", {
        asks: "conflict",
        at: { address },
        links,
        says: `${say(input, address)} cannot be ${live.joins ? "shared" : "adopted"}: ${former.blocked}`,
        fix: [`make room for the ${live.joins ? "claim" : "mark"}, or give the link another name for it`],
      }),
    ];
  if (isJoined(change)) return [];
  // Of what drifted nobody knows any more what it was, so it is not recorded.
  const drifted =
    cause === "both" && former?.was !== live.mark?.was ? ["what the file changes now and somebody changed"] : [];
  const lost = [...(former?.lost ?? []), ...drifted];
  if (lost.length === 0 || consented(change, input.consents.adoptForget)) return [];
  const link = links[0] ?? "LINK";
  const adopt = verb === "adopt" ? ` --adopt ${link}` : "";
  return [
    finding("ADOPT-FORGETS", {
      asks: "usage",
      at: { address },
      links,
      says: `${say(input, address)}: ${lost.join(" and ")} cannot be remembered, so destroy could not bring that back`,
      fix: ["save it first", `crosstrust apply${adopt} --adopt-forget ${link}   # if it may be lost`],
    }),
  ];
}

/** A thing is deleted and made anew only by name: whatever refers to the old one by its id stops working. */
function replaces({ verb, address, links, differences, live }: Change, input: Guarded): readonly Finding[] {
  if (verb !== "replace" || input.consents.replace.includes(address)) return [];
  const { immutable = [] } = kindOf(input.kinds, address);
  const isAdopted = live.state === "present" && live.owner === "adopted";
  const lost = isAdopted ? "; its id, its description and its own tags do not come back" : "";
  const paths = differences.map(({ path }) => path).filter((path) => immutable.includes(path));
  return [
    finding("REPLACES", {
      asks: "usage",
      at: { address },
      links,
      says: `${say(input, address)} would be deleted and made anew, because its ${paths.join(" and ")} cannot change${lost}`,
      fix: ["put the former value back into the file", `crosstrust apply --replace ${address}   # if that is meant`],
    }),
  ];
}

/** What becomes of something that no link names. It may be another file's, so giving it back counts as well. */
export const isPruned = ({ verb, links }: Change): boolean =>
  (verb === "delete" || verb === "release") && links.length === 0;

/** Another number than the plan shows means that somebody counted other things: then nothing at all is written. */
function prunes({ changes, consents, command, isBlind }: Guarded): readonly Finding[] {
  const gone = changes.filter(isPruned);
  // Nobody could count everything, which is told: then nothing is pruned, and no other number is asked for.
  if (isBlind && consents.prune !== gone.length) return [];
  const number = gone.length === 1 ? "1 thing" : `${gone.length} things`;
  if (consents.prune !== undefined && consents.prune !== gone.length)
    return [
      finding("PRUNE-ASKED", {
        asks: "usage",
        says: `--prune ${consents.prune} was given, and ${number} of this deployment would be deleted or given back`,
        fix:
          gone.length > 0
            ? ["look at them in the plan", `crosstrust ${command ?? "apply"} --prune ${gone.length}`]
            : ["leave --prune out"],
      }),
    ];
  if (gone.length === 0 || consents.prune !== undefined || command === undefined) return [];
  return [
    finding("PRUNE-ASKED", {
      severity: "warning",
      says: `${number} of this deployment ${gone.length === 1 ? "is" : "are"} named by no link and ${gone.length === 1 ? "stays" : "stay"}`,
      fix: [
        "look whether another file has the name of this one",
        `crosstrust ${command} --prune ${gone.length}   # if none has: deletes ${gone.length === 1 ? "it" : "them"}`,
      ],
    }),
  ];
}

function contradicted({ address, live }: Guarded["contradicted"][number], input: Guarded): Finding {
  const begun =
    live.mark?.put === "-"
      ? "a run was cut off while it was made, or the mark was put there by hand"
      : "it was changed since, or the mark was put there by hand";
  return finding("LEFTOVERS-CHANGED", {
    severity: "warning",
    at: { address },
    says: `${say(input, address)} carries the mark of this deployment, and is not what crosstrust last wrote: it stays (${begun})`,
    fix: ["delete it by hand if it is yours", "crosstrust destroy LINK   # or so, once its link is back in the file"],
  });
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
  return finding(code, {
    severity: "security",
    asks: "usage",
    at: { address },
    links: [link],
    of,
    says: `${say(input, address)}: ${says}`,
    fix: consentFixes(code, of, [link]),
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
