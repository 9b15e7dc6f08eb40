import { countedLength } from "../../../judge/aws/grammar/check.ts";
import { principalRefusal } from "../../../judge/aws/grammar/principals.ts";
import { parsePolicy } from "../../../judge/aws/policy.ts";
import type { View } from "../../../sandbox/state.ts";
import type { IamCall } from "./action.ts";
import { checkedPolicy } from "./policy-check.ts";
import { AwsError } from "./query.ts";
import { within } from "./quotas.ts";
import { roleOf } from "./roles.ts";

/**
 * What IAM refuses in a role's trust policy before it keeps it: what the grammar forbids, an AWS principal that does not
 * exist, and one character too many.
 */
export function checkedTrust(call: IamCall, given: string): string {
  const text = checkedPolicy(given, "trust");
  const statements = parsePolicy(text)?.statements ?? [];
  const named = statements.flatMap(({ principal, notPrincipal }) => [
    ...(principal?.AWS ?? []),
    ...(notPrincipal?.AWS ?? []),
  ]);
  const missing = named.find((arn) => isMissing(arn, call));
  if (missing !== undefined) {
    throw new AwsError("MalformedPolicyDocument", 400, principalRefusal("AWS", missing));
  }
  within(call, { quota: "AssumeRolePolicySizeQuota", as: "ACLSizePerRole" }, countedLength(text));
  return text;
}

/**
 * Whether a role that a trust names is known not to be there: its account is played here, and has no such role. Of other
 * accounts nothing is known, and of users neither, because the sandbox plays none.
 */
function isMissing(arn: string, { account: own, partition, host }: IamCall): boolean {
  const [, where, account = "", kind, path = ""] =
    /^arn:([^:]+):(?:iam|sts)::(\d{12}):(role|assumed-role)\/(.+)$/.exec(arn) ?? [];
  if (kind === undefined || where !== partition || (account !== own && !isPlayed(account, host.state))) return false;
  const parts = path.split("/");
  const role = roleOf(host.state, account, (kind === "role" ? parts.at(-1) : parts[0]) ?? "");
  return !role || (kind === "role" && `${role.path}${role.name}` !== `/${path}`);
}

/** An account exists as soon as it is named; one in which something was made is known. */
const isPlayed = (account: string, view: View): boolean =>
  ["role", "policy", "oidcProvider"].some((kind) => view.list(`aws.${kind}/${account}/`).length > 0);
