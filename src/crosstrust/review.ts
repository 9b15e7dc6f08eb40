import { makePlan, noConsents } from "../crosstrust.ts";
import { acceptable } from "../file/acceptable.ts";
import type { Address, Consents, Federation, Finding, LivePresent, Remark, Resource, World } from "../model.ts";
import { parties } from "../parties/index.ts";
import { accepted, unused } from "../plan/accept.ts";
import { expand } from "../plan/expand.ts";
import { keptPromises } from "../plan/promises.ts";
import { decisionsOf } from "./accepts.ts";

/** What its party says of one thing; nothing where the party has no such rules. */
function remarks(resource: Resource, live?: LivePresent, absent: readonly Address[] = []): readonly Remark[] {
  const party = parties.find(({ kinds }) => kinds.some(({ name }) => resource.address.startsWith(`${name}/`)));
  return party?.review?.(resource, live, absent) ?? [];
}

/** Everything the file wants, as it would be made: needs no world, so it contacts nothing. */
export function reviewFile({ links }: Federation): readonly Finding[] {
  const { resources } = expand(links, parties);
  return resources.flatMap((resource) => {
    const first = links.find(({ name }) => resource.links.includes(name));
    const place = first?.at(`to.${first.to.party}`);
    const at = { address: resource.address, ...(place ? { place } : {}) };
    return remarks(resource).map((remark) => ({ ...remark, at, links: resource.links }));
  });
}

/** What was found, and apart from it what kept us from finding more. */
export interface Reviewed {
  readonly findings: readonly Finding[];
  readonly trouble: readonly Finding[];
  /** Accepts of the file that match nothing that is live; none where something could not be read. */
  readonly idle: readonly Finding[];
}

/**
 * Everything the file names as it is now, what is only used included. What is not there yet is judged as the file
 * wants it; of what could not be read nothing is said but that.
 */
export async function reviewLive(
  federation: Federation,
  world: World,
  consents: Pick<Consents, "allowBroadSubject" | "allowPrivileged"> = noConsents,
): Promise<Reviewed> {
  const { plan, observed, expansion, audited } = await makePlan(
    { federation, only: [], consents: noConsents, audit: true },
    world,
  );
  const there = (address: Address): LivePresent | undefined => {
    const live = observed.live.get(address);
    return live?.state === "present" ? live : undefined;
  };
  const absent = [...observed.live].flatMap(([address, one]) => (one.state === "absent" ? [address] : []));
  const live = expansion.resources.flatMap((resource) => {
    const found = there(resource.address);
    if (!found) return [];
    const at = { address: resource.address };
    return remarks(resource, found, absent).map((remark) => ({ ...remark, at, links: resource.links }));
  });
  const wanted = reviewFile(federation).filter(({ at }) => {
    const address = at.address as Address;
    return !there(address) && !observed.failed.has(address);
  });
  const trouble = [
    ...new Set([
      ...observed.failed.values(),
      ...observed.findings.filter(({ asks }) => asks !== undefined),
      ...audited.untold,
    ]),
  ];
  const beside = audited.findings.filter((one) => !audited.untold.includes(one));
  const deciding = { ...decisionsOf(federation, expansion, world.clock.now()), consents };
  const promised = { changes: plan.changes, unread: observed.failed };
  const findings = accepted(keptPromises([...wanted, ...live, ...beside], promised), deciding);
  const codes = acceptable.filter(({ seen }) => seen === "live").map(({ code }) => code);
  const idle = trouble.length > 0 ? [] : unused(findings, { ...deciding, codes });
  return { findings, trouble, idle };
}
