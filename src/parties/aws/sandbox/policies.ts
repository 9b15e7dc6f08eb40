import { type Policy, parsePolicy } from "../../../judge/aws/policy.ts";
import type { View } from "../../../sandbox/state.ts";
import { AwsError } from "./query.ts";

/** A customer managed policy as IAM keeps it; versions are numbered on and never used again. */
export interface StoredPolicy {
  readonly account: string;
  readonly arn: string;
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly description?: string;
  /** The number of the default version. */
  readonly inForce: number;
  /** Document by version number, as it was sent. */
  readonly versions: Readonly<Record<string, string>>;
  /** When a version was made, by its number; the first one came with the policy. */
  readonly made?: Readonly<Record<string, number>>;
  /** When the policy was changed last; absent before its first change. */
  readonly updated?: number;
}

/** Names are unique in an account whatever their path, and without regard to case. */
export const policyKey = (account: string, name: string): string => `aws.policy/${account}/${name.toLowerCase()}`;

/** What stands behind an ARN of this account. */
export function policyOf(view: View, account: string, arn: string): StoredPolicy | undefined {
  const stored = view.get<StoredPolicy>(policyKey(account, arn.split("/").at(-1) ?? ""));
  return stored?.arn === arn ? stored : undefined;
}

/** NoSuchEntity; the text is IAM's usual one and was not recorded. */
export function thePolicy(view: View, account: string, arn: string): StoredPolicy {
  const found = policyOf(view, account, arn);
  if (!found) throw new AwsError("NoSuchEntity", 404, `Policy ${arn} was not found.`);
  return found;
}

/** All of an account, in the order they were made. */
export const policiesOf = (view: View, account: string): readonly StoredPolicy[] =>
  view.list<StoredPolicy>(`aws.policy/${account}/`).map(([, stored]) => stored);

/** The managed policies of AWS whose content the sandbox knows; any other grants nothing here. */
const known: Readonly<Record<string, readonly string[]>> = {
  AdministratorAccess: ["*"],
  IAMFullAccess: ["iam:*"],
  IAMReadOnlyAccess: ["iam:get*", "iam:list*", "iam:generate*", "iam:simulate*"],
  ReadOnlyAccess: ["*:get*", "*:list*", "*:describe*"],
  AmazonS3ReadOnlyAccess: ["s3:get*", "s3:list*", "s3:describe*"],
  AmazonS3FullAccess: ["s3:*"],
};

/** A policy as it can be read: one of the account's own, or one of AWS whose content is known here. */
export function readablePolicy(view: View, account: string, arn: string): StoredPolicy {
  const [, partition = "", name = ""] = /^arn:(aws[a-z-]*):iam::aws:policy\/(\w+)$/.exec(arn) ?? [];
  const action = known[name];
  return action === undefined ? thePolicy(view, account, arn) : awsPolicy(name, action, partition);
}

/** Those policies of AWS that can be read here. */
export const awsPolicies = (partition: string): readonly StoredPolicy[] =>
  Object.entries(known).map(([name, action]) => awsPolicy(name, action, partition));

function awsPolicy(name: string, action: readonly string[], partition: string): StoredPolicy {
  const document = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: action, Resource: "*" }] };
  return {
    account: "aws",
    arn: `arn:${partition}:iam::aws:policy/${name}`,
    id: `ANPA${name.toUpperCase().padEnd(17, "A").slice(0, 17)}`,
    name,
    path: "/",
    created: Date.UTC(2015, 1, 6, 18, 40),
    tags: {},
    inForce: 1,
    versions: { 1: JSON.stringify(document) },
  };
}

/** A managed policy as a document; nothing for one whose content is not known here: it grants nothing. */
export function managedPolicy(view: View, arn: string): readonly Policy[] {
  const name = arn.split("/").at(-1) ?? "";
  const account = arn.split(":")[4] ?? "";
  const stored = policyOf(view, account, arn);
  const own = stored && parsePolicy(stored.versions[stored.inForce] ?? "");
  if (own) return [own];
  const action = account === "aws" ? known[name] : undefined;
  return action ? [{ version: "2012-10-17", statements: [{ effect: "Allow", action, resource: ["*"] }] }] : [];
}
