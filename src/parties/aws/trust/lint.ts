import { countedLength } from "../../../judge/aws/grammar/check.ts";
import { type Policy, renderPolicy } from "../../../judge/aws/policy.ts";
import { quotaDefaults } from "../../../judge/aws/quotas.ts";
import type { Remark } from "../../../model.ts";
import { audiences } from "./lint-audience.ts";
import { grantsOf, type LintContext } from "./lint-grants.ts";
import { keys } from "./lint-keys.ts";
import { principals } from "./lint-principals.ts";
import { subjects } from "./lint-subject.ts";
import { sharedIssuer } from "./shared-issuers.ts";

export type { LintContext } from "./lint-grants.ts";

/**
 * What is wrong with a trust policy by its text alone (aws.md 13.2), and what AWS itself would refuse to write (13.1).
 * Pure; the caller says where. It agrees with the judge: whatever is said never to match, the judge refuses, and where
 * the judge admits subjects that nobody named, there is a finding (a property test).
 *
 * T17, to suggest a resource control policy, is left out: nothing here is wrong without one, and every role would get it.
 */
export function lintTrust(policy: Policy, context: LintContext): readonly Remark[] {
  const found = [
    ...grantsOf(policy).flatMap((grant) => [...subjects(grant, policy), ...audiences(grant), ...sharedIssuer(grant)]),
    ...keys(policy, context),
    ...principals(policy, context),
    ...size(policy, context),
    ...session(context),
  ];
  return [...new Map(found.map((remark) => [`${remark.code} ${remark.says}`, remark])).values()];
}

/**
 * T14. AWS counts no whitespace; the default quota can be raised, the second one cannot (aws.md 7). Of a policy that is only
 * desired, Sids come on top.
 */
function size(policy: Policy, { length = countedLength(renderPolicy(policy)) }: LintContext): readonly Remark[] {
  const most = quotaDefaults.AssumeRolePolicySizeQuota;
  if (length <= most) return [];
  const severity = length > 8192 ? "error" : "warning";
  const says = `the trust policy has ${length} characters without blanks; aws takes ${most}, and 8192 at most where the quota was raised`;
  return [{ code: "AWS-TRUST-SIZE", severity, says, because: [], fix: ["spread the links over several roles"] }];
}

/** T15: a workload gets a new session whenever it wants one, so a long one only lives on after the trust is gone. */
function session({ maxSession = 0 }: LintContext): readonly Remark[] {
  if (maxSession <= 3600) return [];
  const says = `sessions may last ${maxSession / 3600} h: they live on for that long after the trust is taken away`;
  return [
    { code: "AWS-LONG-SESSION", severity: "hint", standing: true, says, because: [], fix: ["let maxSession be 1h"] },
  ];
}
