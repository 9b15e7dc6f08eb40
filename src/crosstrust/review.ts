import { makePlan, noConsents } from "../crosstrust.ts";
import type { Address, Federation, Finding, LivePresent, Remark, Resource, World } from "../model.ts";
import { parties } from "../parties/index.ts";
import { expand } from "../plan/expand.ts";

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
}

/**
 * Everything the file names as it is now, what is only used included. What is not there yet is judged as the file
 * wants it; of what could not be read nothing is said but that.
 */
export async function reviewLive(federation: Federation, world: World): Promise<Reviewed> {
  const ask = { federation, only: [], consents: noConsents, audit: true };
  const { observed, expansion, audited } = await makePlan(ask, world);
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
  return {
    findings: [...wanted, ...live, ...audited.findings.filter((one) => !audited.untold.includes(one))],
    trouble,
  };
}
