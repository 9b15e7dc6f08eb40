import { renderCondition } from "../../judge/google/condition.ts";
import type { PoolTrust } from "../../judge/google/judge.ts";
import type { PoolProviderSpec } from "./federation/spec.ts";

/** The judge's view of a pool provider; `poolOff`: its pool is disabled. */
export function trustFrom(spec: PoolProviderSpec, name: string | undefined, poolOff: boolean): PoolTrust {
  const keyless = spec.keys === "none" ? "its keys were replaced by a set that holds none" : undefined;
  const off = poolOff ? "the pool is disabled" : spec.disabled ? "the pool provider is disabled" : keyless;
  return {
    type: spec.type === "aws" ? "aws" : "oidc",
    source: String(spec.source),
    audiences: spec.audiences,
    mapping: spec.mapping,
    condition: renderCondition(spec.conditions),
    name,
    ...(off === undefined ? {} : { off }),
    ...(spec.keys === "uploaded" ? { keys: "uploaded" } : {}),
  };
}
