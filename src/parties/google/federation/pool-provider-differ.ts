import type { Difference, Equal } from "../../../model.ts";
import type { PoolProviderSpec } from "./spec.ts";

/**
 * Member by member, with what each difference does: a condition or audience that live has and the file has not lets
 * somebody in, one that is missing shuts somebody out (fact sheet, 6.4).
 */
export function differPoolProviders(
  desired: PoolProviderSpec,
  live: PoolProviderSpec,
  equal: Equal,
): readonly Difference[] {
  const plain = (["type", "disabled"] as const)
    .filter((member) => !equal(desired[member], live[member]))
    .map((member): Difference => ({ path: member, desired: desired[member], live: live[member] }));
  const opening = (["source", "keys"] as const)
    .filter((member) => !equal(desired[member], live[member]))
    .map((member): Difference => ({ ...sides(member, desired, live), weight: "opens" }));
  return [...plain, ...opening, ...audiences(desired, live), ...mappings(desired, live), ...conditions(desired, live)];
}

const sides = (path: keyof PoolProviderSpec & string, desired: PoolProviderSpec, live: PoolProviderSpec) => ({
  path,
  desired: desired[path] as string,
  live: live[path] as string,
});

/** Without any the pool provider's own name is the audience, which nobody's token has by accident. */
function audiences({ audiences: wanted }: PoolProviderSpec, { audiences: there }: PoolProviderSpec) {
  const extra = there.filter((one) => !wanted.includes(one));
  const missing = wanted.filter((one) => !there.includes(one));
  if (extra.length + missing.length === 0) return [];
  const weight = extra.length > 0 ? "loosens" : "narrows";
  return [{ path: "audiences", desired: [...wanted], live: [...there], weight } as const];
}

/** What a mapping does to principals cannot be told from its text: another one may make anybody the right one. */
function mappings({ mapping: wanted }: PoolProviderSpec, { mapping: there }: PoolProviderSpec): readonly Difference[] {
  const keys = [...new Set([...Object.keys(wanted), ...Object.keys(there)])].sort();
  return keys
    .filter((key) => wanted[key] !== there[key])
    .map((key) => ({ path: `mapping.${key}`, desired: wanted[key], live: there[key], weight: "opens" }));
}

function conditions({ conditions: wanted }: PoolProviderSpec, { conditions: there }: PoolProviderSpec) {
  const extra = there.filter((one) => !wanted.includes(one));
  const missing = wanted.filter((one) => !there.includes(one));
  if (extra.length + missing.length === 0) return [];
  // Without a condition every valid token comes in (google.md 6.1): nothing opens wider than that.
  const opens = there.length === 0 || (extra.length > 0 && wanted.length > 0);
  const weight = opens ? "opens" : "narrows";
  return [{ path: "condition", desired: [...wanted], live: [...there], weight } as const];
}
