import type { View } from "../../../sandbox/state.ts";
import { AwsError } from "./query.ts";

/** A role as IAM keeps it: documents as they were sent. */
export interface StoredRole {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly account: string;
  /** Epoch milliseconds. */
  readonly created: number;
  readonly trust: string;
  readonly description?: string;
  readonly maxSession: number;
  readonly boundary?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly inline: Readonly<Record<string, string>>;
  readonly managed: readonly string[];
}

/** Names are unique without regard to case (fact sheet reliability-and-security, case 3). */
export const roleKey = (account: string, name: string): string => `aws.role/${account}/${name.toLowerCase()}`;

export const roleOf = (view: View, account: string, name: string): StoredRole | undefined =>
  view.get<StoredRole>(roleKey(account, name));

export const roleArn = (role: StoredRole): string => `arn:aws:iam::${role.account}:role${role.path}${role.name}`;

export function theRole(view: View, account: string, name: string): StoredRole {
  const role = roleOf(view, account, name);
  if (!role) throw new AwsError("NoSuchEntity", 404, `The role with name ${name} cannot be found.`);
  return role;
}

export const rolesOf = (view: View, account: string): readonly StoredRole[] =>
  view.list<StoredRole>(`aws.role/${account}/`).map(([, role]) => role);
