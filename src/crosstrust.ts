import type {
  Address,
  Consents,
  Federation,
  Finding,
  Health,
  Link,
  LinkHealth,
  Live,
  Lookup,
  Plan,
  Preflight,
  Resource,
  Trace,
  World,
} from "./model.ts";
import { parties } from "./parties/index.ts";
import { lookupOf, putOf, wantOf } from "./plan/compare.ts";
import { type Expansion, expand } from "./plan/expand.ts";
import { order } from "./plan/order.ts";
import { planOf } from "./plan/plan.ts";
import { refsOf, resolve } from "./plan/refs.ts";
import { type Applied, apply } from "./run/apply.ts";
import { type Observed, observe } from "./run/observe.ts";
import { prove } from "./run/prove.ts";
import { verdictOf, worst } from "./run/verdict.ts";
import { version } from "./version.ts";

/** The verbs of crosstrust, each a list of calls into its rooms. Commands and functions are made of these alone. */

export const kinds = parties.flatMap((party) => party.kinds);

export interface Ask {
  readonly federation: Federation;
  /** The links named on the command line; empty means all. */
  readonly only: readonly string[];
  readonly consents: Consents;
  /** `destroy`: the named links, or all, are no longer wanted. */
  readonly destroy?: boolean;
}

export interface Planned {
  readonly plan: Plan;
  readonly observed: Observed;
  readonly expansion: Expansion;
}

/** Expand the whole file, observe, compare: what would change. Writes nothing. */
export async function makePlan(ask: Ask, world: World): Promise<Planned> {
  const { federation, only, consents } = ask;
  const expansion = expand(federation.links, parties);
  const kept = ask.destroy
    ? federation.links.filter((link) => only.length > 0 && !only.includes(link.name))
    : federation.links;
  const desired = ask.destroy ? expand(kept, parties).resources : expansion.resources;
  const { waves } = order(expansion.resources);
  const question = { resources: expansion.resources, waves, owner: federation.name, parties, refs: refsIn };
  const observed = await observe(question, world);
  const readable = (resource: Resource) => !observed.failed.has(resource.address);
  const plan = planOf({
    ...{ deployment: federation.name, links: federation.links, consents, kinds, only, tool: version, observed },
    desired: desired.filter(readable),
    named: expansion.resources,
    findings: [
      ...expansion.findings,
      ...unique([...observed.failed.values()]),
      ...observed.findings,
      ...watch(federation.links, expansion, observed),
    ],
  });
  return { plan, observed, expansion };
}

const refsIn = (resource: Resource) => refsOf(resource.spec);
const unique = (findings: readonly Finding[]): readonly Finding[] => [...new Set(findings)];

/** Whom the live trust lets in although the file does not: said in every plan, whatever the cause of the drift. */
function watch(links: readonly Link[], expansion: Expansion, { live }: Observed): readonly Finding[] {
  const lookup = lookupOf(live);
  const seen = new Set<string>();
  return links.flatMap((link) => {
    const trust = trustResource(link, expansion, lookup);
    const there = live.get(trust.address) ?? { state: "absent" as const };
    const relying = parties.find((party) => party.name === link.to.party)?.relying;
    if (there.state !== "present" || there.owner === "foreign" || !relying || seen.has(trust.address)) return [];
    seen.add(trust.address);
    return relying.strangers({ link, live: there, lookup }, trust).map(({ who, code, unsure }): Finding => {
      const what = trust.address.replace(/^\w+:(\w+)\/[^/]+\//, "$1 ");
      const fix = ["crosstrust apply repairs it"];
      const at = { address: trust.address, place: link.at(`to.${link.to.party}`) };
      return {
        code,
        severity: "security",
        at,
        links: trust.links,
        says: unsure ? `${what}: ${who}` : `${what} lets ${who} in, now`,
        because: [],
        fix,
      };
    });
  });
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

export interface Proof {
  readonly federation: Federation;
  readonly expansion: Expansion;
  readonly live: ReadonlyMap<Address, Live>;
  readonly only: readonly string[];
  /** Milliseconds. */
  readonly patience: number;
  /** The right to mint is added for the time of the proof (contract, section 7). */
  readonly grantMe: boolean;
}

export function proveLinks(
  { federation, expansion, live, only, patience, grantMe }: Proof,
  world: World,
): Promise<Trace[]> {
  const links = federation.links.filter((link) => only.length === 0 || only.includes(link.name));
  const lookup = lookupOf(live);
  const trust = (link: Link) => trustResource(link, expansion, lookup);
  return prove({ links, all: federation.links, parties, live, lookup, trust, patience, grantMe }, world);
}

/** Takes back what a killed run of `apply --grant-me` granted for its proof. */
export async function recallGrants({ links }: Federation, world: World): Promise<void> {
  for (const link of links) {
    await parties.find((party) => party.name === link.from.party)?.issuer?.recallGrant(link, world);
  }
}

/** Makes a plan so. Changes nothing else, and decides nothing: consents were part of the plan. */
export function applyPlan({ plan, observed }: Planned, keep: boolean, world: World): Promise<Applied> {
  const tools = { resolve, refs: refsOf, want: wantOf, put: putOf };
  return apply({ plan, live: observed.live, kinds, keep, tools }, world);
}

/** What was proved is said; what the plan only judged of the same thing is not said beside it. */
export function proofFirst(findings: readonly Finding[], traces: readonly Trace[]): readonly Finding[] {
  const proved = traces.flatMap((trace) => trace.findings);
  const said = (finding: Finding) =>
    proved.some(({ code, links = [] }) => code === finding.code && links.some((link) => finding.links?.includes(link)));
  return [...findings.filter((finding) => !said(finding)), ...proved];
}

/** The plan is empty and every trace is good: that is health. */
export async function checkHealth(ask: Ask, world: World): Promise<Health> {
  const start = performance.now();
  const { plan, observed, expansion } = await makePlan(ask, world);
  const traces = await proveLinks({ ...ask, expansion, live: observed.live, patience: 0, grantMe: false }, world);
  const links = traces.map((trace): LinkHealth => {
    const changes = plan.changes.filter((change) => change.links.includes(trace.link) && change.verb !== "keep");
    const unread = [...observed.failed].some(([, finding]) => !finding.links || finding.links.includes(trace.link));
    return { link: trace.link, verdict: verdictOf(trace, changes, unread), hops: trace.hops, changes };
  });
  const verdict = worst(links.map((link) => link.verdict));
  const findings = proofFirst(plan.findings, traces);
  return {
    at: new Date(world.clock.now()).toISOString(),
    verdict,
    ms: Math.round(performance.now() - start),
    links,
    findings,
  };
}
