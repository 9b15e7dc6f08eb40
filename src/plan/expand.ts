import type { Address, Finding, Identity, Kind, Link, Party, Resource } from "../model.ts";
import { canonical, equal } from "./fingerprint.ts";

/** All that a file wants, whichever links a command names. */
export interface Expansion {
  readonly resources: readonly Resource[];
  readonly identities: ReadonlyMap<string, Identity>;
  /** The address of the resource that holds the trust of each link. */
  readonly trustOf: ReadonlyMap<string, Address>;
  readonly findings: readonly Finding[];
}

/**
 * Links -> the resources they need. What several links add to one resource is combined by its kind;
 * what cannot be combined is an error that names both places (house.md, "the whole file is always expanded").
 */
export function expand(links: readonly Link[], parties: readonly Party[]): Expansion {
  const byAddress = new Map<Address, { resource: Resource; from: Link }>();
  const identities = new Map<string, Identity>();
  const trustOf = new Map<string, Address>();
  const findings: Finding[] = [];
  for (const link of links) {
    const { identity, resources, trust } = expandOne(link, parties);
    identities.set(link.name, identity);
    if (trust) trustOf.set(link.name, trust);
    for (const resource of resources) {
      const known = byAddress.get(resource.address);
      const merged = known ? merge(known.resource, resource, parties) : resource;
      if ("conflict" in merged) findings.push(conflict(resource.address, merged, [known?.from ?? link, link]));
      else byAddress.set(resource.address, { resource: merged, from: known?.from ?? link });
    }
  }
  return { resources: [...byAddress.values()].map((entry) => entry.resource), identities, trustOf, findings };
}

interface One {
  readonly identity: Identity;
  readonly resources: readonly Resource[];
  readonly trust: Address | undefined;
}

/** One link: the issuer's identity and resources, then what the relying party needs to believe it. */
function expandOne(link: Link, parties: readonly Party[]): One {
  const issuer = partyOf(parties, link.from.party).issuer;
  const relying = partyOf(parties, link.to.party).relying;
  if (!issuer || !relying) throw new Error(`${link.name}: no such pair of parties`);
  const { identity, resources } = issuer.identify(link);
  const trust = relying.trust(link, identity);
  const beside = link.canary ? expandOne(link.canary, parties).resources : [];
  return { identity, resources: [...resources, ...trust, ...beside], trust: trust[0]?.address };
}

/** A name that the file's shape let through, so a miss is a bug and throws a plain error. */
export function partyOf(parties: readonly Party[], name: string): Party {
  const party = parties.find((candidate) => candidate.name === name);
  if (!party) throw new Error(`no party is called ${name}`);
  return party;
}

/** The kind an address belongs to: its head, `party:kind`. */
export function kindOf(kinds: readonly Kind[], address: Address): Kind {
  const kind = kinds.find((candidate) => address.startsWith(`${candidate.name}/`));
  if (!kind) throw new Error(`no kind owns ${address}`);
  return kind;
}

/** A `Conflict`, or one that no kind had to be asked about; `path` is empty where it is the whole thing. */
interface Clash {
  readonly conflict: string;
  readonly path: string;
}

/**
 * Two links on one address. How it is reached and whether it is made or used is not the kind's to combine:
 * there is no middle between two of them. Equal specs need no combining, so a kind without `combine` may
 * still be shared.
 */
function merge(one: Resource, other: Resource, parties: readonly Party[]): Resource | Clash {
  const [a, b] = [yielding(one, other), yielding(other, one)];
  if (a.hold !== b.hold) return { conflict: "one link makes it, another only uses it", path: "" };
  if (!equal(a.access ?? {}, b.access ?? {})) {
    return { conflict: "the links reach its account in different ways (profile, assumeRole, region)", path: "" };
  }
  const links = [...a.links, ...b.links.filter((name) => !a.links.includes(name))];
  const union = (some: readonly string[] = [], more: readonly string[] = []) => [...new Set([...some, ...more])];
  const defaults = a.defaults?.filter((member) => b.defaults?.includes(member));
  const whole = {
    ...a,
    links,
    ...(a.needs || b.needs ? { needs: union(a.needs, b.needs) as Address[] } : {}),
    ...(a.decisions || b.decisions ? { decisions: [...(a.decisions ?? []), ...(b.decisions ?? [])] } : {}),
    ...(a.covers || b.covers ? { covers: union(a.covers, b.covers) as Address[] } : {}),
    ...(defaults ? { defaults } : {}),
  };
  if (canonical(a.spec) === canonical(b.spec)) return whole;
  const kind = kindOf(
    parties.flatMap((party) => party.kinds),
    a.address,
  );
  const spec = kind.combine?.(a.spec, b.spec) ?? { conflict: "the links want it differently", path: "" };
  return isClash(spec) ? spec : { ...whole, spec };
}

/** What one link does not state yields to what another link of the same thing states. */
function yielding(resource: Resource, { defaults = [], spec }: Resource): Resource {
  const stated = (resource.defaults ?? []).filter((member) => !defaults.includes(member));
  const given = stated.flatMap((member) => (spec[member] === undefined ? [] : [[member, spec[member]] as const]));
  return given.length === 0 ? resource : { ...resource, spec: { ...resource.spec, ...Object.fromEntries(given) } };
}

const isClash = (value: object): value is Clash => "conflict" in value && "path" in value;

function conflict(address: Address, clash: Clash, [first, second]: readonly [Link, Link]): Finding {
  const field = clash.path ? ` ${clash.path}:` : "";
  return {
    code: "LINKS-CONFLICT",
    severity: "error",
    at: { address, place: second.at(`to.${second.to.party}`) },
    says: `${first.name} (line ${first.place.line}) and ${second.name} (line ${second.place.line}) share ${address}:${field} ${clash.conflict}`,
    because: [],
    fix: ["give both links the same value, or each its own"],
  };
}
