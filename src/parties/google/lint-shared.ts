import { yields } from "../../judge/google/admits.ts";
import { syntaxError } from "../../judge/google/cel.ts";
import type { PoolTrust } from "../../judge/google/judge.ts";
import { type Finding, finding, type Identity, type Link } from "../../model.ts";
import { tailsOf } from "./federation/binding-spec.ts";
import { grantedToAll } from "./federation/lint-expressions.ts";
import { breadth } from "./federation/review.ts";
import { poolProviderAddress, poolProviderResource } from "./federation/spec.ts";
import { insideOf } from "./inside.ts";
import { sinkOf, targetOf } from "./shape.ts";
import { trustFrom } from "./trust-from.ts";

type IdentityOf = (link: Link) => Identity;

/** Rules over all links that end at Google: what only several of them together say. */
export function lintShared(links: readonly Link[], identityOf: IdentityOf): readonly Finding[] {
  const here = links.filter(({ to }) => to.party === "google");
  return [...lintAccounts(here), ...lintConditions(here, identityOf), ...lintPrincipals(here, identityOf)];
}

/** One account for several workloads: each of them has what any of them was given, and logs tell them apart by little. */
function lintAccounts(links: readonly Link[]): readonly Finding[] {
  const spoken = links.filter(({ to }) => to.spec.serviceAccount !== undefined);
  return [...Map.groupBy(spoken, (link) => sinkOf(link)?.email ?? "")].flatMap(([email, sharing]) => {
    const whose = new Set(sharing.map(({ from }) => JSON.stringify(from)));
    const [, second] = sharing;
    if (whose.size < 2 || !second) return [];
    const names = sharing.map(({ name }) => name);
    return [
      {
        ...({ code: "GOOGLE-SHARED-ACCOUNT", severity: "warning", because: [], links: names } as const),
        at: { place: second.at("to.google.serviceAccount") },
        of: email,
        says: `${names.join(", ")} all speak as ${email}: each workload has what any of them was given`,
        fix: ["a service account for each, or direct access without one"],
      },
    ];
  });
}

/** Whom the conditions of the file let into a pool, once for each pool provider however many links share it. */
function lintConditions(links: readonly Link[], identityOf: IdentityOf): readonly Finding[] {
  const own = links.filter((link) => targetOf(link).condition !== undefined && link.from.party !== link.to.party);
  const shared = Map.groupBy(own, (link) => `${poolProviderAddress(targetOf(link))} ${targetOf(link).condition}`);
  return [...shared.values()].flatMap((sharing) => {
    const [first] = sharing;
    if (!first || syntaxError(targetOf(first).condition ?? "") !== undefined) return [];
    const { spec } = poolProviderResource(first, identityOf(first));
    const at = { place: first.at("to.google.condition") };
    // Where everybody is granted something, too, the link says so already.
    const worse = sharing.some(
      (link) => grantedToAll(targetOf(link).condition ?? "", link, identityOf(link)).length > 0,
    );
    const told = breadth(spec).filter(({ severity }) => severity !== "warning" || !worse);
    return told.map((remark) => ({ ...remark, at, links: sharing.map(({ name }) => name) }));
  });
}

/**
 * A member names a pool and no pool provider (google.md 6.3), so one principal has two ways in where the mapping of
 * another link can yield what this link grants to. Each link's own part of the condition is asked: links that share a
 * pool provider under one condition are not ways into each other.
 */
function lintPrincipals(links: readonly Link[], identityOf: IdentityOf): readonly Finding[] {
  const pools = Map.groupBy(links, (link) => `${targetOf(link).project}/${targetOf(link).pool}`);
  return [...pools.values()].flatMap((sharing) => {
    const doors = sharing.map((link) => doorOf(link, identityOf(link)));
    return doors.flatMap((door, at) =>
      doors.slice(at + 1).flatMap((other) => {
        const yielded = yieldedBy(other, door) ?? yieldedBy(door, other);
        return yielded === undefined ? [] : [sharedPrincipal(door, other, yielded)];
      }),
    );
  });
}

interface Door {
  readonly link: Link;
  readonly identity: Identity;
  readonly trust: PoolTrust;
  readonly tails: readonly string[];
}

/** A link as its own part of its pool provider. */
function doorOf(link: Link, identity: Identity): Door {
  const { spec } = poolProviderResource(link, identity);
  const trust = trustFrom(spec, undefined, false);
  const name = `//iam.googleapis.com/${spec.pool}/${spec.id}`;
  return {
    link,
    identity,
    trust: { ...trust, name },
    tails: tailsOf(targetOf(link), identity).filter((tail) => tail !== "*"),
  };
}

/** The grant of `door` that somebody who comes through `by` can have; undefined where there is none. */
function yieldedBy(by: Door, door: Door): string | undefined {
  if (JSON.stringify(by.link.from) === JSON.stringify(door.link.from)) return undefined;
  const sameDoor = targetOf(by.link).poolProvider === targetOf(door.link).poolProvider;
  if (sameDoor && by.trust.condition === door.trust.condition) return undefined;
  const both = by.tails.find((tail) => door.tails.includes(tail));
  if (both !== undefined) return both;
  return yields(by.trust, door.tails, insideOf(by.identity)).length > 0 ? door.tails.join(", ") : undefined;
}

function sharedPrincipal(door: Door, other: Door, tail: string): Finding {
  const [first, second] = [door.link.name, other.link.name];
  return finding("GOOGLE-SHARED-PRINCIPAL", {
    severity: "security",
    at: { place: other.link.at("to.google.pool") },
    links: [first, second],
    says: `${tail} of the pool ${targetOf(door.link).pool} can be an identity of ${sourceOf(door.identity)} and one of ${sourceOf(other.identity)}: either of them has what ${first} and ${second} give`,
    fix: ["a pool for each of them", "or a mapping that tells them apart: google.subject: \"'a:' + assertion.sub\""],
  });
}

/** An AWS account or an issuer: who vouches for the name. */
const sourceOf = (identity: Identity): string =>
  identity.proof === "aws4_request"
    ? `the aws account ${identity.account}`
    : typeof identity.issuer === "string"
      ? identity.issuer
      : JSON.stringify(identity.issuer);
