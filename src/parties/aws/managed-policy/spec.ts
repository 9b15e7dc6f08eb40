import type { Address, Json, Spec } from "../../../model.ts";

/** A customer managed policy, as desired and as live: what stands in its default version. */
export interface ManagedPolicySpec extends Spec {
  readonly account: string;
  readonly partition: string;
  readonly name: string;
  /** With its leading and trailing slash. */
  readonly path: string;
  /** A canonical `Policy`. */
  readonly document: Json;
}

/** Without the path: a name is unique in its account. */
export const managedPolicyAddress = ({ account, name }: Pick<ManagedPolicySpec, "account" | "name">): Address =>
  `aws:managedPolicy/${account}/${name}`;

export const managedPolicyArn = ({
  account,
  partition,
  name,
  path,
}: Pick<ManagedPolicySpec, "account" | "partition" | "name" | "path">): string =>
  `arn:${partition}:iam::${account}:policy${path}${name}`;
