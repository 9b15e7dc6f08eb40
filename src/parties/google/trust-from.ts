import { renderCondition } from "../../judge/google/condition.ts";
import type { PoolTrust } from "../../judge/google/judge.ts";
import type { PoolProviderSpec } from "./federation/spec.ts";

/** The judge's view of a pool provider; `poolOff`: its pool is disabled. */
export function trustFrom(spec: PoolProviderSpec, name: string | undefined, poolOff: boolean): PoolTrust {
  const off = poolOff ? "the pool is disabled" : spec.disabled ? "the pool provider is disabled" : undefined;
  const uploaded = spec.keys === "issuer" ? undefined : "its keys were uploaded, and not the issuer's";
  const why = off ?? uploaded;
  return {
    type: spec.type === "aws" ? "aws" : "oidc",
    source: String(spec.source),
    audiences: spec.audiences,
    mapping: spec.mapping,
    condition: renderCondition(spec.conditions),
    name,
    ...(why === undefined ? {} : { off: why }),
  };
}
