import type { Address, Identity, Link, Live, Lookup, Party, Resource, TrustView, World } from "../model.ts";
import { fitting } from "./minting.ts";

/** Which links to prove, over what was read and against what the file wants. */
export interface ProveAsk {
  readonly links: readonly Link[];
  /** All links of the file: each may serve as the stranger of another. */
  readonly all: readonly Link[];
  readonly parties: readonly Party[];
  readonly live: ReadonlyMap<Address, Live>;
  readonly lookup: Lookup;
  /** The resource that holds a link's trust, as the file wants it, references resolved. */
  readonly trust: (link: Link) => Resource;
  /**
   * What could not be read of a link's trust, as it is or as the file wants it; undefined where all of it is known. Nothing
   * is concluded from a trust that nobody read.
   */
  readonly unread: (link: Link) => { readonly live?: Address | undefined; readonly wanted?: Address | undefined };
  /** What the file wants at an address, references resolved. */
  readonly desired: (address: Address) => Resource | undefined;
  /** Milliseconds to wait until our own writes are visible (reliability-and-security.md, 2.1: AWS 120 s). */
  readonly patience: number | ((link: Link) => number);
  /** Whether the operator is given the right to mint for the time of the proof. */
  readonly grantMe: boolean;
}

/** One link being proved, with everything its hops need. */
export interface Proving extends ProveAsk {
  readonly link: Link;
  readonly view: TrustView;
  readonly world: World;
}

/**
 * The claims that the file declares, `iss` included; of several values the first; of a signed request what its
 * answer might be. Undefined where one is not known yet: a judge must not be asked with half of the claims.
 */
export function declared({ link, parties, lookup }: Proving): Readonly<Record<string, string>> | undefined {
  const identity = identityOf({ link, parties });
  if (!identity) return undefined;
  if (identity.proof === "aws4_request") return { ...identity.example };
  const known = Object.entries({ ...identity.claims, iss: identity.issuer }).map(([claim, value]) => {
    const one = Array.isArray(value) ? value[0] : value;
    return [claim, typeof one === "string" ? one : one && "$ref" in one ? lookup(one) : undefined] as const;
  });
  if (known.some(([, value]) => value === undefined)) return undefined;
  // Of a pattern somebody who fits it, and with the tags that the token must carry.
  const like = identity.like?.[0];
  const tags = Object.entries(identity.tags ?? {}).map(
    ([tag, values]) => [`https://aws.amazon.com/tags/principal_tags/${tag}`, values[0] ?? ""] as const,
  );
  const claims = Object.fromEntries(known) as Record<string, string>;
  return { ...claims, ...(like ? { sub: fitting(like) } : {}), ...Object.fromEntries(tags) };
}

/** What is proved in the place of a link that says `prove: canary`: the checker's own way to a role of its own. */
export function asCanary(proving: Proving, canary: Link): Proving {
  const identity = party(proving, canary.from.party).issuer?.identify(canary).identity;
  const [trust] = (identity && party(proving, canary.to.party).relying?.trust(canary, identity)) ?? [];
  const live = (trust && proving.live.get(trust.address)) ?? ({ state: "absent" } as const);
  return { ...proving, link: canary, view: { ...proving.view, link: canary, live } };
}

/** Whom a link is for, as its issuer says it. */
export const identityOf = ({ link, parties }: Pick<Proving, "link" | "parties">): Identity | undefined =>
  parties.find(({ name }) => name === link.from.party)?.issuer?.identify(link).identity;

/** What a proof of a link is made for: the relying party says so where it is not the link's own audience. */
export function audienceOf({ link, lookup, parties }: Pick<Proving, "link" | "lookup" | "parties">): string {
  const identity = identityOf({ link, parties });
  // A token is asked for the audience of the file; what is signed has to name the very door it is for.
  if (identity?.proof !== "aws4_request") return link.audience;
  const relying = parties.find(({ name }) => name === link.to.party)?.relying;
  return relying?.audience?.(link, lookup) ?? link.audience;
}

/** Whole milliseconds since a `performance.now()`. */
export const since = (start: number): number => Math.round(performance.now() - start);

/** Links name only parties that the shape let through, so there is always one. */
export function party({ parties }: Pick<ProveAsk, "parties">, name: string): Party {
  return parties.find((candidate) => candidate.name === name) as Party;
}
