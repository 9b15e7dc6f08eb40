import type { View } from "../../../sandbox/state.ts";
import { AwsError } from "./query.ts";

/** A role as IAM keeps it: documents as they were sent, so that a reader meets other people's spelling. */
export interface StoredRole {
  readonly name: string;
  readonly id: string;
  /** With its leading and trailing slash. */
  readonly path: string;
  readonly account: string;
  /** Absent in the partition `aws`. */
  readonly partition?: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly trust: string;
  readonly description?: string;
  /** Seconds. */
  readonly maxSession: number;
  readonly boundary?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Document by policy name. */
  readonly inline: Readonly<Record<string, string>>;
  readonly managed: readonly string[];
}

/** Names are unique without regard to case (fact sheet reliability-and-security, case 3). */
export const roleKey = (account: string, name: string): string => `aws.role/${account}/${name.toLowerCase()}`;

/** A role as some view sees it: the latest, an older one, or what has propagated. */
export const roleOf = (view: View, account: string, name: string): StoredRole | undefined =>
  view.get<StoredRole>(roleKey(account, name));

export const roleArn = ({ partition = "aws", account, path, name }: StoredRole): string =>
  `arn:${partition}:iam::${account}:role${path}${name}`;

/** The role, or NoSuchEntity with IAM's own text and status (wire.md 3.2). */
export function theRole(view: View, account: string, name: string): StoredRole {
  const role = roleOf(view, account, name);
  if (!role) throw new AwsError("NoSuchEntity", 404, `The role with name ${name} cannot be found.`);
  return role;
}

/** All roles of an account, in the order they were made. */
export const rolesOf = (view: View, account: string): readonly StoredRole[] =>
  view.list<StoredRole>(`aws.role/${account}/`).map(([, role]) => role);
