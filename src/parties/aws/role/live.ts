import { parsePolicy } from "../../../judge/aws/policy.ts";
import type { LivePresent } from "../../../model.ts";
import { CloudError } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import type { LiveRole } from "./calls.ts";
import { respell } from "./respell.ts";
import { markOf, type RoleSpec } from "./spec.ts";

/** Which role to read. */
export interface Wanted {
  readonly account: Account;
  readonly name: string;
  /** Gives the spelling of actions; IAM does not care about their case. */
  readonly like?: RoleSpec;
}

/** What a role may do, as read: documents still in somebody's spelling. */
export interface Permissions {
  readonly inline: readonly (readonly [name: string, document: string])[];
  readonly managed: readonly string[];
}

/** In the members of a desired spec. Whose mark it is, `observe` looks at: another's role is foreign. */
export function present(wanted: Wanted, role: LiveRole, { inline, managed }: Permissions): LivePresent<RoleSpec> {
  const trust = parsePolicy(decodeURIComponent(role.AssumeRolePolicyDocument));
  if (!trust) throw unreadable("its trust policy is not a policy document");
  const documents = inline.map(([name, text]) => {
    const policy = parsePolicy(text);
    if (!policy) throw unreadable(`its inline policy ${name} is not a policy document`);
    return [name, respell(policy, wanted.like?.inline[name])] as const;
  });
  const mark = markOf(role.Tags ?? []);
  const spec = {
    account: wanted.account.account,
    partition: role.Arn.split(":")[1] ?? "aws",
    name: role.RoleName,
    path: role.Path,
    maxSession: role.MaxSessionDuration,
    boundary: role.PermissionsBoundary?.PermissionsBoundaryArn ?? null,
    trust,
    managed,
    inline: Object.fromEntries(documents),
  } as unknown as RoleSpec;
  const owner = mark ? (mark.adopted ? "adopted" : "ours") : "foreign";
  return { state: "present", owner, spec, outputs: { arn: role.Arn, roleId: role.RoleId }, ...(mark ? { mark } : {}) };
}

/** Of this class nothing is concluded: the run says that it could not tell. */
const unreadable = (message: string): CloudError =>
  new CloudError({ class: "malformed", service: "aws.iam", operation: "GetRole", code: "", status: 200, message });
