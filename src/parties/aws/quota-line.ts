import { z } from "zod";
import { countedLength } from "../../judge/aws/grammar/check.ts";
import { renderPolicy } from "../../judge/aws/policy.ts";
import { quotaDefaults } from "../../judge/aws/quotas.ts";
import type { Preflight, Resource, World } from "../../model.ts";
import { CloudError } from "../../run/retry.ts";
import type { Account } from "./client.ts";
import { send } from "./iam-call.ts";
import { type RoleSpec, trustOf } from "./role/spec.ts";

const summary = z.object({ SummaryMap: z.record(z.string(), z.number()) });

/**
 * What the account takes, by its own summary: quotas as they were raised, and what there is already. Nothing is made that would
 * not fit. The summary needs a permission of its own, so without it the question is left open.
 */
export async function quotaLine(world: World, account: Account, resources: readonly Resource[]): Promise<Preflight> {
  const topic = "aws quotas";
  const call = { operation: "GetAccountSummary", effect: "read" } as const;
  try {
    const { SummaryMap } = await send(world, account, { ...call, input: {}, answer: summary });
    return { topic, ...fits({ ...quotaDefaults, Roles: 0, ...SummaryMap }, resources) };
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    return { topic, ok: "unknown", says: "cannot be read with these credentials (iam:GetAccountSummary)", fix: [] };
  }
}

function fits(
  quota: typeof quotaDefaults & { readonly Roles: number },
  resources: readonly Resource[],
): Omit<Preflight, "topic"> {
  const roles = resources
    .filter(({ address, hold }) => address.startsWith("aws:role/") && hold === "own")
    .map(({ spec }) => spec as RoleSpec);
  const over = roles.flatMap((role) => [
    ...more(role, "managed policies", role.managed.length, quota.AttachedPoliciesPerRoleQuota),
    ...more(role, "characters of trust", countedLength(renderPolicy(trustOf(role))), quota.AssumeRolePolicySizeQuota),
  ]);
  if (over.length > 0) {
    return { ok: false, says: over.join("; "), fix: ["have the quota raised, or spread the links over several roles"] };
  }
  const count = `${quota.Roles} of ${quota.RolesQuota} roles are there`;
  if (quota.Roles + roles.length <= quota.RolesQuota) return { ok: true, says: count, fix: [] };
  const says = `${count}, and the file names ${roles.length}: only those that are there already need no room`;
  return { ok: "unknown", says, fix: ["have the quota of roles raised (L-FE177D64)"] };
}

const more = ({ name }: RoleSpec, what: string, count: number, most: number): readonly string[] =>
  count > most ? [`the role ${name} needs ${count} ${what}, and the account takes ${most}`] : [];
