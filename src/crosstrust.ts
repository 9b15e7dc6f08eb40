import { decisionsOf } from "./crosstrust/accepts.ts";
import { type Audited, audit, unaudited } from "./crosstrust/audit.ts";
import { effectsOf } from "./crosstrust/effects.ts";
import { acceptable } from "./file/acceptable.ts";
import { lintFile } from "./file/lint.ts";
import type {
  Address,
  Change,
  Conclusion,
  Consents,
  Federation,
  Finding,
  Health,
  Link,
  LinkHealth,
  Live,
  Lookup,
  Party,
  Plan,
  Preflight,
  Resource,
  Store,
  Stranger,
  Trace,
  World,
} from "./model.ts";
import { finding } from "./model.ts";
import { parties } from "./parties/index.ts";
import { accepted } from "./plan/accept.ts";
import { leavingOf, lookupOf, putOf, wantOf } from "./plan/compare.ts";
import { type Expansion, expand } from "./plan/expand.ts";
import { brief } from "./plan/fingerprint.ts";
import { order } from "./plan/order.ts";
import { planOf } from "./plan/plan.ts";
import { keptPromises } from "./plan/promises.ts";
import { neededBy, refsOf, resolve } from "./plan/refs.ts";
import { settle } from "./plan/settle.ts";
import { type Applied, apply } from "./run/apply.ts";
import { leftOver } from "./run/leftovers.ts";
import { notesOn, type Observed, observe } from "./run/observe.ts";
import { prove } from "./run/prove.ts";
import { troubleOf } from "./run/trouble.ts";
import { type Seen as LinkSeen, linkHealth } from "./verdict/link.ts";
import { conclude } from "./verdict/run.ts";
import { version } from "./version.ts";

/** The verbs of crosstrust, each a list of calls into its rooms. Commands and functions are made of these alone. */

/** In the order of the parties: what is made first comes first, and deletions run backwards. */
export const kinds = parties.flatMap((party) => party.kinds);

/** Which links, and by whose consent; the file is always expanded whole. */
export interface Ask {
  readonly federation: Federation;
  /** The links named on the command line; empty means all. */
  readonly only: readonly string[];
  readonly consents: Consents;
  /** `destroy`: the named links, or all, are no longer wanted. */
  readonly destroy?: boolean;
  /** Only what the named links need is read, and nothing is looked for that no link needs any more: nothing is written. */
  readonly glance?: boolean;
  /**
   * What a former file left is sought in all accounts and projects of this one, whatever kind of thing it is: for whoever
   * writes with an operator's rights. Else only kinds that the file names are looked for.
   */
  readonly sweep?: boolean;
  /** Whether to look who else may act as what the links rely on: for whoever only looks, or may read that much. */
  readonly audit?: boolean;
}

/** Consent to nothing: for whoever has nobody to ask, and for what writes nothing. */
export const noConsents: Consents = {
  adopt: [],
  adoptForget: [],
  replace: [],
  allowWiden: [],
  allowBroadSubject: [],
  allowPrivileged: [],
  undelete: false,
  grantMe: false,
};

/** A plan with what was read, which apply needs, and what was expanded, which the proof needs. */
export interface Planned {
  readonly plan: Plan;
  readonly observed: Observed;
  readonly expansion: Expansion;
  /** Those of the plan's findings that speak of what was read, and not of what the plan would do. */
  readonly state: readonly Finding[];
  /** Marks what was agreed to among findings that come later, such as those of the proof. */
  readonly accept: (findings: readonly Finding[]) => readonly Finding[];
  /** Who else may act as what the links rely on; empty where it was not asked for. */
  readonly audited: Audited;
}

/**
 * Expand the whole file, observe, compare: what would change. Writes nothing. What could not be read is no
 * longer desired either, so that nothing is made or deleted on a guess; a finding says so. For `destroy` the
 * file is expanded twice: whole, for whose each thing is, and without the links that go.
 */
export async function makePlan(ask: Ask, world: World): Promise<Planned> {
  const { federation, only, consents } = ask;
  const expanded = expand(federation.links, parties);
  const kept = ask.destroy
    ? federation.links.filter((link) => only.length > 0 && !only.includes(link.name))
    : federation.links;
  const glance = ask.glance === true && only.length > 0;
  const resources = glance ? neededBy(only, expanded.resources) : expanded.resources;
  const { waves } = order(resources);
  const swept = ask.sweep === true && only.length === 0;
  const leftovers = glance ? "none" : swept ? "all" : "named";
  const names = { owner: federation.name, parties, leftovers } as const;
  const question = { ...names, resources, waves, refs: refsIn, resolve: known, hash: brief };
  const observed = await observe(question, world);
  const expansion = { ...expanded, resources: settle(expanded.resources, observed.live) };
  const audited = ask.audit ? await audit({ ask, expansion, resources, observed }, world) : unaudited;
  const desired = ask.destroy
    ? settle(expand(kept.filter(isThere(expansion, observed)), parties).resources, observed.live)
    : expansion.resources;
  const looked = new Set(resources.map(({ address }) => address));
  // After the reading: the clock of a sandbox is known by its answers.
  const deciding = decisionsOf(federation, expansion, world.clock.now());
  const readable = ({ address }: Resource) => looked.has(address) && !observed.failed.has(address);
  const idle = ask.destroy ? unneeded(expansion, observed, kept) : [];
  const state = stateOf(federation, expansion, observed, world.clock.now()).filter((one) => !idle.includes(one));
  const made = planOf({
    ...{ deployment: federation.name, links: federation.links, consents, kinds, only, tool: version, observed },
    swept,
    effects: ask.destroy ? [] : effectsOf(federation, only),
    deciding,
    command: ask.sweep ? (ask.destroy ? "destroy" : "apply") : undefined,
    takes: ask.destroy === true,
    desired: desired.filter(readable),
    named: expansion.resources,
    findings: [...expansion.findings, ...state, ...audited.findings],
  });
  // The functions may not look, and need not: their roles stand beside the boundary.
  const lacking = ask.sweep && !ask.destroy ? await lacks(made.changes, world) : [];
  const said = [...made.findings, ...lacking];
  const told = keptPromises(said, { changes: made.changes, unread: observed.failed });
  const plan = { ...made, findings: told };
  const toldOf = new Map(said.map((one, at) => [one, told[at] ?? one]));
  const accept = (findings: readonly Finding[]) => accepted(findings, { ...deciding, consents });
  return { plan, observed, expansion, state: state.map((one) => toldOf.get(one) ?? one), accept, audited };
}

/**
 * Returns why things could not be read that are only used, and only by links that go: removing does not need them. What is
 * to be removed and could not be read keeps its own reason.
 */
function unneeded({ resources }: Expansion, { failed }: Observed, kept: readonly Link[]): readonly Finding[] {
  const stays = (name: string): boolean => kept.some((link) => link.name === name);
  const isIdle = ({ hold, links }: Resource): boolean => hold === "use" && !links.some(stays);
  const needed = new Set(resources.filter((one) => !isIdle(one)).map(({ address }) => failed.get(address)));
  const used = resources.filter(isIdle).flatMap(({ address }) => failed.get(address) ?? []);
  return used.filter((finding) => !needed.has(finding));
}

/** Returns what the parties miss before a plan can be made so. */
async function lacks(changes: readonly Change[], world: World): Promise<readonly Finding[]> {
  const of = (party: Party) => changes.filter(({ address }) => address.startsWith(`${party.name}:`));
  const found = await Promise.all(parties.map((party) => party.lacks?.(of(party), world) ?? []));
  return found.flat();
}

/** Returns what is to be said of the accounts and projects as they were read: it is asked again once something was written. */
const stateOf = ({ links }: Federation, expansion: Expansion, observed: Observed, now: number): readonly Finding[] => [
  ...unique([...observed.failed.values(), ...observed.findings]),
  ...watch(links, expansion, observed, now),
];

/** A link whose own things are all gone was destroyed before, or never made: another one's destroy brings nothing of it. */
const isThere =
  ({ resources }: Expansion, { live, failed }: Observed) =>
  ({ name }: Link): boolean => {
    const own = resources.filter(({ links, hold }) => hold === "own" && links.length === 1 && links[0] === name);
    return own.length === 0 || own.some(({ address }) => failed.has(address) || live.get(address)?.state === "present");
  };

const refsIn = (resource: Resource) => refsOf(resource.spec);
const known = (resource: Resource, live: ReadonlyMap<Address, Live>): Resource => ({
  ...resource,
  spec: resolve(resource.spec, lookupOf(live)),
});
/** Many things share one reason for not being read, such as credentials of a wrong account. */
const unique = (findings: readonly Finding[]): readonly Finding[] => [...new Set(findings)];

/** Returns a finding for each identity that the live trust admits and the file does not mean, whatever the cause. */
function watch(
  links: readonly Link[],
  expansion: Expansion,
  { live, failed }: Observed,
  now: number,
): readonly Finding[] {
  const lookup = lookupOf(live);
  const desired = desiredBy(expansion, lookup);
  const found = links.flatMap((link) => {
    const trust = trustResource(link, expansion, lookup);
    const there = live.get(trust.address) ?? { state: "absent" as const };
    const relying = parties.find((party) => party.name === link.to.party)?.relying;
    if (there.state !== "present" || there.owner === "foreign" || !relying) return [];
    // Whom the file means is not known then, and everybody would look like somebody else.
    if (trustUnread(trust, failed).wanted !== undefined) return [];
    const identity = expansion.identities.get(link.name);
    const view = { link, live: there, lookup, now, all: live, desired, ...(identity ? { identity } : {}) };
    return relying.strangers(view, trust).map((stranger) => strangerSaid(stranger, link, trust));
  });
  // Links that share a trust share what is said of it.
  const grouped = Map.groupBy(found, ({ code, says, at }) => `${code} ${at.address} ${says}`);
  return [...grouped.values()].flatMap((alike) => {
    const [first] = alike;
    return first ? [{ ...first, links: [...new Set(alike.flatMap(({ links: some = [] }) => some))] }] : [];
  });
}

function strangerSaid(stranger: Stranger, link: Link, trust: Resource): Finding {
  const { who, code, unsure, enters, within, of, at, path, claims, example } = stranger;
  const address = at ?? trust.address;
  const what = address.replace(/^\w+:(\w+)\/[^/]+\//, "$1 ");
  const witness = { outsider: who, path: path ?? [who, what, `what ${link.name} grants`], how: "judged" as const };
  const grave = unsure || enters || within ? {} : { witness: claims ? { ...witness, claims } : witness };
  return finding(code, {
    severity: unsure || enters ? "warning" : "security",
    at: { address, place: link.at(`to.${link.to.party}`) },
    links: [link.name],
    says: unsure
      ? `whether ${what} admits ${who} is not known`
      : enters
        ? `${what} gives a token of the pool to ${example ? "identities that the file does not name, for example " : ""}${who}; that token does not reach what the link grants`
        : `${what} currently admits more than the file names${example ? ", for example" : ":"} ${who}`,
    fix: stranger.fix ?? (trust.hold === "use" ? ofUsed : ["crosstrust apply   # repairs it"]),
    ...(of === undefined ? {} : { of }),
    ...grave,
  });
}

/** A role that is only used has an owner, who decides about what is not in the plan. */
const ofUsed = ["crosstrust plan   # shows what crosstrust can repair", "the owner of the role has to change the rest"];

/** What the file wants at an address, as far as its references are known. */
function desiredBy({ resources }: Expansion, lookup: Lookup): (address: Address) => Resource | undefined {
  const byAddress = new Map(resources.map((resource) => [resource.address, resource]));
  return (address) => {
    const resource = byAddress.get(address);
    return resource && { ...resource, spec: resolve(resource.spec, lookup) };
  };
}

/** Line by line, what must be in place before anything is made. Changes nothing. */
export async function preflight(federation: Federation, world: World): Promise<readonly Preflight[]> {
  const { resources } = expand(federation.links, parties);
  const lines = await Promise.all(
    parties.map((party) => {
      const mine = resources.filter(({ address }) => party.kinds.some((kind) => address.startsWith(`${kind.name}/`)));
      return mine.length > 0 ? party.preflight(mine, world) : [];
    }),
  );
  return lines.flat();
}

/** The resource that holds a link's trust, its references resolved. */
function trustResource(link: Link, { resources, trustOf }: Expansion, lookup: Lookup): Resource {
  const resource = resources.find(({ address }) => address === trustOf.get(link.name));
  if (!resource) throw new Error(`${link.name} has no trust`);
  return { ...resource, spec: resolve(resource.spec, lookup) };
}

/** Which links to prove, over what is live. */
export interface Proof {
  readonly federation: Federation;
  readonly expansion: Expansion;
  readonly live: ReadonlyMap<Address, Live>;
  readonly only: readonly string[];
  /** Milliseconds that a refusal may be taken for lag: 0 unless something was written just now. */
  readonly patience: number | ((link: Link) => number);
  /** The right to mint is added for the time of the proof (contract, section 7). */
  readonly grantMe: boolean;
  /** What could not be read. A proof that would need its name is not made. */
  readonly unread: ReadonlyMap<Address, Finding>;
  /** Links of which a part could not be made just now, with why: to find them broken would say less than that. */
  readonly unmade?: ReadonlyMap<string, string>;
}

/** Uses the named links, or all, for real. A link that fails throws nothing: its trace says so. */
export async function proveLinks(
  { federation, expansion, live, only, patience, grantMe, unread, unmade }: Proof,
  world: World,
): Promise<Trace[]> {
  const named = federation.links.filter((link) => only.length === 0 || only.includes(link.name));
  const lookup = lookupOf(live);
  const why = (link: Link) => unmade?.get(link.name) ?? unnamed(link, { expansion, unread, lookup });
  const links = named.filter((link) => why(link) === undefined);
  const trust = (link: Link) => trustResource(link, expansion, lookup);
  const desired = desiredBy(expansion, lookup);
  const asked = {
    ...{ links, all: federation.links, parties, live, lookup, trust, desired, patience, grantMe },
    unread: (link: Link) => trustUnread(trust(link), unread),
  };
  const traces = await prove(asked, world);
  return named.map((link) => traces.find((trace) => trace.link === link.name) ?? unproved(link.name, why(link) ?? ""));
}

/** Returns what could not be read of a trust: itself, and what the file's own version of it refers to. */
const trustUnread = ({ address, spec }: Resource, unread: ReadonlyMap<Address, Finding>) => ({
  live: unread.has(address) ? address : undefined,
  wanted: refsOf(spec).find(({ $ref }) => unread.has($ref))?.$ref,
});

const unproved = (link: string, why: string): Trace => ({
  link,
  hops: [{ step: "mint", result: "unknown", ms: 0, saw: `not proved: ${why}` }],
  findings: [],
});

/** Returns what could not be read of a link without which nobody knows what its proof has to be made for. */
function unnamed(
  link: Link,
  { expansion, unread, lookup }: Pick<Proof, "expansion" | "unread"> & { readonly lookup: Lookup },
): string | undefined {
  const relying = parties.find(({ name }) => name === link.to.party)?.relying;
  const named = relying?.audience === undefined || relying.audience(link, lookup) !== undefined;
  if (named || expansion.identities.get(link.name)?.proof !== "aws4_request") return undefined;
  return partUnread(link.name, { expansion, unread });
}

/** Returns in words what could not be read of a link; undefined where everything was. */
function partUnread(link: string, { expansion, unread }: Pick<Proof, "expansion" | "unread">): string | undefined {
  const found = expansion.resources.find(({ address, links }) => links.includes(link) && unread.has(address));
  return found && `${found.address} could not be read`;
}

/**
 * Takes back what a killed run of `apply --grant-me` granted for its proof. What could not be looked at or taken back is a
 * warning: the run itself does not depend on it.
 */
export async function recallGrants({ links }: Federation, world: World): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const link of links) {
    const issuer = parties.find((party) => party.name === link.from.party)?.issuer;
    try {
      found.push(...((await issuer?.recallGrant(link, world)) ?? []));
    } catch (error) {
      const { asks: _, ...trouble } = troubleOf(error, { links: [] });
      found.push({ ...trouble, severity: "warning" });
    }
  }
  return found;
}

/** What it takes to make a plan so. */
export interface Applicable extends Pick<Planned, "plan" | "observed"> {
  readonly expansion: Pick<Expansion, "resources">;
}

/** Makes a plan so. Changes nothing else, and decides nothing: consents were part of the plan. */
export function applyPlan({ plan, observed, expansion }: Applicable, keep: boolean, world: World): Promise<Applied> {
  const tools = { resolve, refs: refsOf, want: wantOf, put: putOf, leaving: leavingOf, hash: brief };
  const [named, unread] = [expansion.resources, new Set(observed.failed.keys())];
  return apply({ plan, live: observed.live, named, unread, kinds, keep, tools }, world);
}

/** What `apply` does once a plan is agreed to. */
export interface Work {
  readonly federation: Federation;
  readonly planned: Planned;
  /** The links to prove; empty means all. */
  readonly only: readonly string[];
  readonly grantMe: boolean;
}

/** What was done, what each link is like now, and what is still different. */
export interface Done extends Conclusion {
  readonly applied: Applied;
  readonly traces: readonly Trace[];
  readonly health: readonly LinkHealth[];
  /** Of the state after the run: what the plan said of a thing that was repaired is not among them. */
  readonly findings: readonly Finding[];
  readonly left: readonly Change[];
}

/** Milliseconds until a write must have become visible to the cloud that believes it (fact sheet, 2.1). */
const untilVisible = 120_000;

/** Makes a plan so, waits until it is visible, proves it. Without a write there is nothing to wait for. */
export async function carryOut(work: Work, world: World): Promise<Done> {
  const { federation, planned, only, grantMe } = work;
  const { plan, expansion, observed, accept } = planned;
  const recalled = await recallGrants(federation, world);
  const applied = await applyPlan(planned, false, world);
  const visibleAfter = ({ to }: Link) => parties.find(({ name }) => name === to.party)?.relying?.visibleAfter;
  const patience = applied.done.length > 0 ? (link: Link) => visibleAfter(link) ?? untilVisible : 0;
  const live = withSeen(observed.live, applied.live);
  const left = plan.changes.filter((change) => change.verb !== "keep" && !applied.done.includes(change));
  const unread = observed.failed;
  const unmade = unmadeOf(plan, { left, expansion, unread });
  const proved = await proveLinks({ federation, expansion, live, only, patience, grantMe, unread, unmade }, world);
  const traces = proved.map((trace) => ({ ...trace, findings: accept(trace.findings) }));
  const still = accept([...stillSaid(work, applied, live, world.clock.now()), ...applied.findings, ...recalled]);
  const health = traces.map((trace) => healthOf({ trace, federation, planned, changes: left, findings: still }));
  const findings = keptPromises(proofFirst(still, traces), { changes: left, unread: observed.failed });
  const beside = left.some(({ links }) => !traces.some(({ link }) => links.includes(link)));
  return { applied, traces, health, findings, left, ...conclude({ links: health, findings, leftovers: beside }) };
}

/** Links of which a part was not made now, or that were being made while a part of them could not be read. */
function unmadeOf(
  { changes }: Plan,
  { left, expansion, unread }: Pick<Proof, "expansion" | "unread"> & { readonly left: readonly Change[] },
): ReadonlyMap<string, string> {
  const made = (all: readonly Change[]) =>
    all.flatMap(({ verb, links }) => (verb === "create" || verb === "restore" ? links : []));
  const begun = made(changes).flatMap((link): [string, string][] => {
    const part = partUnread(link, { expansion, unread });
    return part === undefined ? [] : [[link, part]];
  });
  return new Map([...begun, ...made(left).map((link) => [link, "a part of it could not be made"] as const)]);
}

/** What is live after a run. A write does not read what is beside a thing, so that stays as it was read. */
function withSeen(before: Observed["live"], written: Observed["live"]): Observed["live"] {
  const now = [...written].map(([address, live]): [Address, Live] => {
    const there = before.get(address);
    const seen = there?.state === "present" ? there.seen : undefined;
    return [address, live.state === "present" && seen && !live.seen ? { ...live, seen } : live];
  });
  return new Map([...before, ...now]);
}

/**
 * Returns what is still to be said after a run. What was read is judged again over what is there now. Of what the plan
 * warned of, only what it could not change is left.
 */
function stillSaid(
  { federation, planned }: Work,
  { done }: Applied,
  live: Observed["live"],
  now: number,
): readonly Finding[] {
  const { plan, expansion, observed, state } = planned;
  const isWritten = ({ at }: Finding) => done.some(({ address }) => address === at.address);
  const about = plan.findings.filter(
    (finding) => !state.includes(finding) && (finding.asks !== undefined || isLeft(finding)) && !isWritten(finding),
  );
  const seen = observed.findings.filter((finding) => !observed.notes.includes(finding));
  const findings = [...seen, ...notesOn(live, expansion.resources)];
  return [...about, ...stateOf(federation, expansion, { ...observed, live, findings }, now)];
}

/** What is said of things that no link names and that stay. */
const isLeft = ({ code }: Finding): boolean => code === "PRUNE-ASKED" || code === "LEFTOVERS-CHANGED";

/** One link after its proof, and what was found and changed beside it, of any link. */
interface Checked {
  readonly trace: Trace;
  readonly federation: Federation;
  readonly planned: Planned;
  /** Whatever differs from the file. */
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

/** Returns how one link fares. */
export function healthOf({ trace, federation, planned, changes, findings }: Checked): LinkHealth {
  const { plan, observed, expansion } = planned;
  const link = federation.links.find(({ name }) => name === trace.link);
  if (!link) throw new Error(`${trace.link} is no link of the file`);
  const stage = stageOf(plan, { link: link.name, trust: expansion.trustOf.get(link.name), changes });
  return linkHealth({ link, trace, changes, findings, unread: unique([...observed.failed.values()]), stage });
}

/** A link, where its trust is, and whatever still differs from the file. */
interface Staged {
  readonly link: string;
  readonly trust: Address | undefined;
  readonly changes: readonly Change[];
}

/** Returns how much of a link is there, by what no other link needs. */
function stageOf({ changes: all }: Plan, { link, trust, changes }: Staged): LinkSeen["stage"] {
  const own = all.filter(({ links, desired }) => links.length === 1 && links[0] === link && desired?.hold === "own");
  if (own.length > 0 && own.every((change) => change.verb === "create" && changes.includes(change))) return "new";
  return own.some((change) => change.address === trust && isWhole(change)) ? "whole" : "part";
}

/** As the file says, by a run that came to its end: a destroy that was cut off leaves a mark that says otherwise. */
const isWhole = ({ verb, live }: Change): boolean =>
  verb === "keep" && live.state === "present" && live.mark?.put !== "-";

/** What was proved of each of its links is said; what was only judged of the same thing is not said beside it. */
export function proofFirst(findings: readonly Finding[], traces: readonly Trace[]): readonly Finding[] {
  const proved = traces.flatMap((trace) => trace.findings);
  const isProved = (code: Finding["code"], link: string) =>
    proved.some((finding) => finding.code === code && finding.links?.includes(link));
  const said = ({ code, links = [] }: Finding) => links.length > 0 && links.every((link) => isProved(code, link));
  return [...findings.filter((finding) => !said(finding)), ...proved];
}

/** Breadth and privilege that the file itself asks for: a health check that says nothing of them would be reassuring. */
function toDecide({ federation, only }: Ask): readonly Finding[] {
  const found = lintFile({ federation, parties, allowPrivileged: "all", maxLinks: federation.links.length });
  const decided = new Set<string>(acceptable.map(({ code }) => code));
  const mine = ({ links }: Finding) => only.length === 0 || (links?.some((link) => only.includes(link)) ?? true);
  return found.filter((one) => one.severity === "security" && decided.has(one.code) && mine(one));
}

/** Returns what the parties have seen happen to the things that one link needs. Nothing is remembered of it. */
export async function watchedFor(
  link: string,
  { observed, expansion }: Planned,
  world: World,
): Promise<readonly Finding[]> {
  const needed = new Set(neededBy([link], expansion.resources).map(({ address }) => address));
  const live = new Map([...observed.live].filter(([address]) => needed.has(address)));
  const found = await Promise.all(
    parties.map((party) => party.watch?.(live, { ...world, store: readOnly(world.store) }) ?? []),
  );
  return found.flat();
}

/** A store that takes whatever is written, and keeps nothing of it. */
const readOnly = (store: Store): Store => ({
  read: (name) => store.read(name),
  open: (name) => store.open(name),
  write: async () => {},
  remove: async () => {},
  swap: async () => true,
});

/** The plan is empty and every trace is good: that is health. Nothing is waited for: nothing was written. */
export async function checkHealth(ask: Ask, world: World): Promise<Health> {
  const start = performance.now();
  const planned = await makePlan({ ...ask, glance: true, audit: true }, world);
  const { plan, observed, expansion, accept, audited } = planned;
  const watched = await Promise.all(parties.map((party) => party.watch?.(observed.live, world) ?? []));
  const unread = observed.failed;
  const proved = await proveLinks(
    { ...ask, expansion, live: observed.live, unread, patience: 0, grantMe: false },
    world,
  );
  const traces = proved.map((trace) => ({ ...trace, findings: accept(trace.findings) }));
  const changes = plan.changes.filter(({ verb }) => verb !== "keep");
  const decisions = accept(toDecide(ask));
  const found = [...plan.findings, ...accept(watched.flat()), ...decisions];
  const { federation } = ask;
  const links = traces.map((trace) => healthOf({ trace, federation, planned, changes, findings: found }));
  const left = changes.filter((change) => change.links.length === 0);
  const all = [
    ...proofFirst(plan.findings, traces),
    ...found.filter((one) => !plan.findings.includes(one)),
    ...leftOver(left),
  ];
  const findings = keptPromises(all, { changes: plan.changes, unread: observed.failed });
  return {
    at: new Date(world.clock.now()).toISOString(),
    ms: Math.round(performance.now() - start),
    fingerprint: plan.fingerprint,
    links,
    findings,
    ...conclude({ links, findings, leftovers: left.length > 0 }),
    inventory: audited.inventory,
    unwatched: audited.unwatched,
  };
}
