import { actionTruth } from "../../../judge/aws/judge.ts";
import type { Policy } from "../../../judge/aws/policy.ts";
import { isPrivilegedPolicy } from "../../../judge/aws/privilege.ts";
import type { Address, LivePresent, Remark, Resource } from "../../../model.ts";
import { remark } from "../../../model.ts";
import { lintTrust } from "../trust/lint.ts";
import { lintDesiredTrust } from "../trust/lint-file.ts";
import { type RoleSpec, trustOf } from "./spec.ts";

/**
 * A role by itself: its trust, how long its sessions last and, of a live one, whether it can open itself further.
 * What the file would grant is told by `AWS-PRIVILEGED` already.
 */
export function reviewRole(
  resource: Resource,
  live: LivePresent | undefined,
  absent: readonly Address[] = [],
): readonly Remark[] {
  const spec = (live?.spec ?? resource.spec) as RoleSpec;
  const { account, partition, maxSession } = spec;
  const head = `aws:oidcProvider/${account}/`;
  const missing = absent
    .filter((address) => address.startsWith(head))
    .map((address) => `arn:${partition}:iam::${account}:oidc-provider/${address.slice(head.length)}`);
  const named = trustOf(resource.spec as RoleSpec).statements.flatMap(({ principal }) => principal?.Federated ?? []);
  const context = { account, partition, maxSession, missing, named };
  return [...lintTrust(trustOf(spec), context), ...(live ? escalation(spec) : lintDesiredTrust(trustOf(spec)))];
}

/** With any of these a session makes itself a lasting way in (aws.md 13.2, T18). */
const doors = [
  "iam:UpdateAssumeRolePolicy",
  "iam:CreateOpenIDConnectProvider",
  "iam:UpdateOpenIDConnectProviderThumbprint",
  "iam:AddClientIDToOpenIDConnectProvider",
];

/** Of managed policies only the well-known ones: their documents are not read. A power user cannot touch IAM. */
function escalation({ managed, inline }: RoleSpec): readonly Remark[] {
  const known = managed.filter((arn) => isPrivilegedPolicy(arn) && !arn.endsWith("/PowerUserAccess"));
  const own = Object.entries(inline).flatMap(([name, document]) => {
    const allows = (document as unknown as Policy).statements.filter(({ effect }) => effect === "Allow");
    const lower = (actions?: readonly string[]) => actions?.map((action) => action.toLowerCase());
    return doors
      .filter((door) =>
        allows.some(({ action, notAction, ...rest }) => {
          const spelled = {
            ...(action ? { action: lower(action) } : {}),
            ...(notAction ? { notAction: lower(notAction) } : {}),
          };
          return actionTruth({ ...rest, ...spelled } as Policy["statements"][number], door.toLowerCase());
        }),
      )
      .map((door) => `${door} (inline policy ${name})`);
  });
  const ways = [...known, ...own];
  if (ways.length === 0) return [];
  return [
    remark("AWS-SELF-ESCALATION", {
      severity: "warning",
      of: ways.join(", "),
      says: `whoever gets in can change who gets in: ${ways.join(", ")}`,
      fix: ["take these actions away from the role"],
    }),
  ];
}
