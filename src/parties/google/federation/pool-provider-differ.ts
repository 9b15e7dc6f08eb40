import { comparePools } from "../../../judge/google/widens.ts";
import type { Difference, Equal } from "../../../model.ts";
import { trustFrom } from "../trust-from.ts";
import type { PoolProviderSpec } from "./spec.ts";

/**
 * Compares a live pool provider with the desired one member by member, with what the difference does (fact sheet, 6.4).
 * Source, mapping and condition act together, so they carry one weight, found by outsiders before and after.
 */
export function differPoolProviders(
  desired: PoolProviderSpec,
  live: PoolProviderSpec,
  equal: Equal,
): readonly Difference[] {
  const plain = (["type", "disabled"] as const)
    .filter((member) => !equal(desired[member], live[member]))
    .map((member): Difference => ({ path: member, desired: desired[member], live: live[member] }));
  // Whoever has the private halves of stored keys signs in as anybody.
  const keys: readonly Difference[] =
    desired.keys === live.keys ? [] : [{ path: "keys", desired: desired.keys, live: live.keys, weight: "opens" }];
  const trusting = [...source(desired, live), ...mappings(desired, live), ...conditions(desired, live)];
  const weighed = trusting.length > 0 ? weigh(desired, live) : {};
  return [
    ...plain,
    ...keys,
    ...audiences(desired, live),
    ...trusting.map((difference): Difference => ({ ...difference, ...weighed })),
  ];
}

/** What is not known to keep everybody out counts as open. */
function weigh(desired: PoolProviderSpec, live: PoolProviderSpec): Pick<Difference, "weight"> {
  const { direction } = comparePools(
    { trust: switchedOn(desired), granted: [] },
    { trust: switchedOn(live), granted: [] },
  );
  if (direction === "neutral") return {};
  return { weight: direction === "narrows" ? "narrows" : "opens" };
}

/** A pool provider as it decides when nothing stops it; its own name stands for the audience where it has none. */
export function switchedOn(spec: PoolProviderSpec) {
  const name = `//iam.googleapis.com/${spec.project}/${spec.pool}/${spec.id}`;
  return trustFrom({ ...spec, disabled: false, keys: "issuer" }, name, false);
}

type Plain = readonly Omit<Difference, "weight">[];

const source = ({ source: wanted }: PoolProviderSpec, { source: there }: PoolProviderSpec): Plain =>
  wanted === there ? [] : [{ path: "source", desired: wanted, live: there }];

/** Without any the pool provider's own name is the audience, which nobody's token has by accident. */
function audiences({ audiences: wanted }: PoolProviderSpec, { audiences: there }: PoolProviderSpec) {
  const extra = there.filter((one) => !wanted.includes(one));
  const missing = wanted.filter((one) => !there.includes(one));
  if (extra.length + missing.length === 0) return [];
  const weight = extra.length > 0 ? "loosens" : "narrows";
  return [{ path: "audiences", desired: [...wanted], live: [...there], weight } as const];
}

function mappings({ mapping: wanted }: PoolProviderSpec, { mapping: there }: PoolProviderSpec): Plain {
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(there)])].sort();
  return keys
    .filter((key) => wanted[key] !== there[key])
    .map((key) => ({ path: `mapping.${key}`, desired: wanted[key], live: there[key] }));
}

function conditions({ conditions: wanted }: PoolProviderSpec, { conditions: there }: PoolProviderSpec): Plain {
  const extra = there.filter((one) => !wanted.includes(one));
  const missing = wanted.filter((one) => !there.includes(one));
  if (extra.length + missing.length === 0) return [];
  return [{ path: "condition", desired: [...wanted], live: [...there] }];
}
