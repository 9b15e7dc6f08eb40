import { type OtherProvider, type Pool, strangersOf } from "../../judge/google/admits.ts";
import { parseMember } from "../../judge/google/principals.ts";
import { outsiderOf } from "../../judge/issuers/outsiders.ts";
import { awsCallers, issuerOf } from "../../judge/issuers/table.ts";
import type { Identity, Link, Live, RelyingParty, Resource, TrustView } from "../../model.ts";
import { serviceAccountAddress } from "./claims.ts";
import { exchange, whoami } from "./exchange.ts";
import { explain } from "./explain-exchange.ts";
import { type BindingSpec, bindingAddress, bindingResources, onUsed, tailsOf } from "./federation/binding-spec.ts";
import {
  type PoolProviderSpec,
  poolAddress,
  poolName,
  poolProviderAddress,
  poolProviderName,
  poolProviderResource,
  poolResource,
} from "./federation/spec.ts";
import { guardResource } from "./guard.ts";
import { insideOf } from "./inside.ts";
import { judge, trustOf } from "./judge.ts";
import type { AccountSpec } from "./kind.ts";
import { sinkOf, targetOf } from "./shape.ts";
import { trustFrom } from "./trust-from.ts";

/** The pool provider holds the trust, so it comes first; what a link may do stands in bindings of their own. */
function trust(link: Link, identity: Identity): readonly Resource[] {
  const sink = sinkOf(link);
  const spec: AccountSpec | undefined = sink && {
    ...{ project: sink.project, id: sink.id, email: sink.email, disabled: false },
  };
  const bindings = bindingResources(link, identity);
  // An account of ours carries what it was granted itself; one that is only used has no mark to carry anything.
  const own = sink?.hold === "own" ? bindings.filter(({ spec }) => spec.pool === "") : [];
  const addresses = (some: readonly Resource[]) => some.map(({ address }) => address);
  const carried = own.length > 0 ? { covers: addresses(own) } : {};
  const account: readonly Resource[] =
    sink && spec
      ? [{ address: serviceAccountAddress(sink), links: [link.name], hold: sink.hold, spec, ...carried }]
      : [];
  const covers = addresses(bindings.filter((one) => !own.includes(one)));
  const poolProvider = { ...poolProviderResource(link, identity), covers };
  const guard = guardResource(link, targetOf(link).project);
  const pool = { ...poolResource(link), ...(guard.length > 0 ? { covers: addresses(guard) } : {}) };
  return [poolProvider, pool, ...account, ...bindings, ...guard];
}

/** Everything that decides who reaches what a link grants, as the judge takes it; undefined while there is no trust. */
function poolOf(view: TrustView, desired: Resource): Pool | undefined {
  const { link, identity, all, base } = view;
  const live = trustOf(view);
  const wanted = trustOf({ ...view, live: { state: "present", owner: "ours", spec: desired.spec, outputs: {} } });
  if (!live || !wanted || !identity) return undefined;
  const target = targetOf(link);
  const sink = sinkOf(link);
  return {
    live,
    wanted,
    granted: tailsOf(target, identity),
    held: heldBy(view, identity),
    ...besides(view, identity),
    grants: sink
      ? `speaks as ${sink.email}`
      : link.may.map((one) => JSON.stringify(one)).join(", ") || "a token of the pool",
    inside: insideOf(identity),
    others: othersOf(view, all?.get(poolAddress(target))),
    base,
    ...(identity.proof === "aws4_request" && "instance" in identity.who ? { pinned: ["session"] } : {}),
  };
}

/** Whom of the pool the link's own bindings name, as far as they are there. */
function heldBy({ link, all }: TrustView, identity: Identity): readonly string[] {
  const bindings = bindingResources(link, identity).filter(({ spec }) => spec.pool !== "");
  const there = bindings.filter(({ address }) => all === undefined || all.get(address)?.state === "present");
  return [...new Set(there.map(({ spec }) => String(spec.member)))];
}

/**
 * Members to whom somebody else gave what the link gives, and whom no link of the file names: identities of the link's own
 * pool by the ends of their names, and whole pools of others.
 */
function besides({ link, lookup, all, desired }: TrustView, identity: Identity): Pick<Pool, "extra" | "foreign"> {
  const target = targetOf(link);
  const pool = lookup(poolName(target));
  const members = bindingResources(link, identity).flatMap(({ address, spec }) => {
    const live = all?.get(address);
    const seen = live?.state === "present" ? (live.seen ?? []) : [];
    return seen
      .filter(({ role }) => role === spec.role)
      .map(({ member }) => ({ member: String(member), parsed: parseMember(String(member)), spec }));
  });
  const extra = members.flatMap(({ parsed, spec }) => {
    if (!parsed || parsed.pool !== pool) return [];
    const named = bindingAddress({ ...(spec as BindingSpec), member: parsed.tail }, target.pool);
    return (desired?.(named) ?? desired?.(onUsed(named))) ? [] : [parsed.tail];
  });
  const foreign = members.flatMap(({ member, parsed }) =>
    parsed && parsed.pool !== pool && parsed.tail === "*" ? [member] : [],
  );
  return { extra: [...new Set(extra)], foreign: [...new Set(foreign)] };
}

/** The pool providers beside the link's own, as the pool was read. */
function othersOf({ link, lookup, desired }: TrustView, pool: Live | undefined): readonly OtherProvider[] {
  if (pool?.state !== "present") return [];
  const target = targetOf(link);
  const off = lookup({ ...poolName(target), field: "disabled" }) === "true";
  return (pool.seen ?? []).flatMap((seen) => {
    const spec = seen as PoolProviderSpec;
    if (spec.id === target.poolProvider) return [];
    const address = poolProviderAddress({ ...target, poolProvider: spec.id });
    const name = poolProviderName(
      { ...link, to: { ...link.to, spec: { ...link.to.spec, poolProvider: spec.id } } },
      lookup,
    );
    const wanted = desired?.(address);
    return [
      {
        trust: trustFrom(spec, name, off),
        id: spec.id,
        address,
        named: wanted !== undefined,
        ...(wanted ? { wanted: trustFrom(wanted.spec as PoolProviderSpec, name, false) } : {}),
      },
    ];
  });
}

/** Another role of the account, another user; of an issuer somebody of whom the file says nothing. */
function outsider({ link, identity, lookup, base }: TrustView): Readonly<Record<string, unknown>> | undefined {
  if (!identity) return undefined;
  if (identity.proof === "aws4_request") {
    const inside = [{ account: identity.account }];
    const { iss: _, aud: __, ...caller } = outsiderOf({ issuer: awsCallers, iss: "", inside, audiences: [] });
    return { ...caller, ...(base?.aud === undefined ? {} : { aud: base.aud }) };
  }
  const iss = typeof identity.issuer === "string" ? identity.issuer : lookup(identity.issuer);
  if (iss === undefined) return undefined;
  const audience = typeof base?.aud === "string" ? base.aud : link.audience;
  return outsiderOf({ issuer: issuerOf(iss), iss, inside: insideOf(identity), audiences: [audience], base });
}

export const relying: RelyingParty = {
  trust,
  judge,
  outsider,
  undecided: "GOOGLE-CONDITION-UNDECIDED",
  strangers: (view, desired) => {
    const pool = poolOf(view, desired);
    return pool && desired.hold === "own" ? strangersOf(pool) : [];
  },
  exchange,
  whoami,
  explain,
  audience: poolProviderName,
  // Bindings take two minutes as a rule, and seven at worst (google.md, trap 17).
  visibleAfter: 420_000,
};
