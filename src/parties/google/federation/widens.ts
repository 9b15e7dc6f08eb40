import { isSameIssuer } from "../../../judge/google/judge.ts";
import { type Admitting, comparePools, type Granted } from "../../../judge/google/widens.ts";
import type { Around, Change, Resource, Widening } from "../../../model.ts";
import type { BindingSpec } from "./binding-spec.ts";
import { switchedOn } from "./pool-provider-differ.ts";
import { type PoolProviderSpec, poolName } from "./spec.ts";

/**
 * Says whether a change of a pool provider lets somebody in who does not get in now. Where one is taken over, whom it is
 * taken over for is what `--adopt` agrees to: only identities that it decides about already are compared.
 */
export function poolProviderWidens({ verb, desired, live }: Change, around: Around): Widening | undefined {
  if (!desired || live.state !== "present") return undefined;
  const before = live.spec as PoolProviderSpec;
  const after = around.resolve(desired.spec) as PoolProviderSpec;
  const sameSource = before.type === after.type && isSameIssuer(before.source, String(after.source));
  if (verb === "adopt" && !sameSource) return undefined;
  return compare({ before, after }, bindingsOf(after, around));
}

/**
 * The same for a member that takes the place of another one: another attribute of the same pool that may speak as the same
 * account, or hold the same role.
 */
export function bindingWidens({ desired }: Change, around: Around): Widening | undefined {
  if (!desired) return undefined;
  const { on, role, pool } = around.resolve(desired.spec) as BindingSpec;
  if (typeof pool !== "string" || pool === "") return undefined;
  const bindings = bindingsIn(around).filter(({ spec }) => spec.on === on && spec.role === role && spec.pool === pool);
  // Only what is replaced is compared: a first member is what the file makes.
  if (!bindings.some(({ live, wanted }) => live && !wanted)) return undefined;
  const found = around.changes
    .filter(({ address }) => address.startsWith("google:poolProvider/"))
    .flatMap(({ desired: trusting, live }): readonly Widening[] => {
      if (!trusting || live.state !== "present") return [];
      const after = around.resolve(trusting.spec) as PoolProviderSpec;
      if (around.resolve(poolName({ project: after.project, pool: after.pool })) !== pool) return [];
      return [compare({ before: live.spec as PoolProviderSpec, after }, bindings)];
    });
  return (
    found.find(({ direction }) => direction === "widens") ?? found.find(({ direction }) => direction === "undecided")
  );
}

interface Bound {
  readonly spec: BindingSpec;
  /** It is there, and the file wants it. */
  readonly live: boolean;
  readonly wanted: boolean;
}

const isBinding = (resource: Pick<Resource, "address">): boolean =>
  /^google:binding(?:OnUsed)?\//.test(resource.address);

const bindingsIn = ({ changes, resolve }: Around): readonly Bound[] =>
  changes.filter(isBinding).flatMap(({ desired, live }) => {
    const spec = desired ? resolve(desired.spec) : live.state === "present" ? live.spec : undefined;
    if (!spec) return [];
    return [{ spec: spec as BindingSpec, live: live.state === "present", wanted: desired !== undefined }];
  });

/** The members of a pool provider's pool. */
function bindingsOf({ project, pool }: PoolProviderSpec, around: Around): readonly Bound[] {
  const name = around.resolve(poolName({ project, pool }));
  return bindingsIn(around).filter(({ spec }) => spec.pool === name);
}

interface Pair {
  readonly before: PoolProviderSpec;
  readonly after: PoolProviderSpec;
}

function compare({ before, after }: Pair, bindings: readonly Bound[]): Widening {
  const granted = (some: readonly Bound[]) =>
    some.map(({ spec }): Granted => ({ what: `${spec.role} on ${spec.on}`, tail: spec.member }));
  const then: Admitting = { trust: switchedOn(before), granted: granted(bindings.filter(({ live }) => live)) };
  const now: Admitting = { trust: switchedOn(after), granted: granted(bindings.filter(({ wanted }) => wanted)) };
  return comparePools(then, now);
}
