import { parseCondition } from "../../judge/google/condition.ts";
import type { PoolTrust } from "../../judge/google/judge.ts";
import type { Remark } from "../../model.ts";
import { breadth, reviewPoolProvider } from "./federation/review.ts";
import type { PoolProviderSpec } from "./federation/spec.ts";

/** What `lint --live` says of a pool provider that no file names: errors and what is about security. */
export function lintPoolTrust(trust: PoolTrust): readonly Remark[] {
  const [, project = "", pool = "", id = ""] =
    /projects\/([^/]+)\/locations\/[^/]+\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(trust.name ?? "") ??
    [];
  const spec: PoolProviderSpec = {
    project,
    pool,
    id,
    disabled: trust.off !== undefined,
    type: trust.type,
    source: trust.source,
    audiences: trust.audiences,
    mapping: trust.mapping,
    conditions: parseCondition(trust.condition),
    keys: trust.keys ?? "issuer",
  };
  const address = `google:poolProvider/${project}/${pool}/${id}` as const;
  const resource = { address, links: [], hold: "own", spec } as const;
  const remarks = [...reviewPoolProvider(resource), ...breadth(spec)];
  return remarks.filter(({ severity }) => severity === "error" || severity === "security");
}
