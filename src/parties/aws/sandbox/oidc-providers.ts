import type { View } from "../../../sandbox/state.ts";
import { AwsError } from "./query.ts";

/** An OIDC provider as IAM keeps it. */
export interface StoredOidcProvider {
  readonly account: string;
  readonly arn: string;
  /** Without its scheme, case and trailing slash kept (recorded, aws.md 6.1). */
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly thumbprints: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly created: number;
}

/** By ARN, which follows from the URL: a trailing slash makes another one. */
export const oidcProviderKey = (account: string, url: string): string => `aws.oidcProvider/${account}/${url}`;

/** What stands behind an ARN of this account; ARNs of other accounts are not found. */
export function oidcProviderOf(view: View, account: string, arn: string): StoredOidcProvider | undefined {
  const url = arn.slice(arn.indexOf(":oidc-provider/") + ":oidc-provider/".length);
  const stored = view.get<StoredOidcProvider>(oidcProviderKey(account, url));
  return stored?.arn === arn ? stored : undefined;
}

/** NoSuchEntity with the text that was recorded for a read (aws.md 6.1). */
export function theOidcProvider(view: View, account: string, arn: string): StoredOidcProvider {
  const found = oidcProviderOf(view, account, arn);
  if (!found) throw new AwsError("NoSuchEntity", 404, `OpenIDConnect Provider not found for arn ${arn}`);
  return found;
}

/** All of an account, in the order they were made. */
export const oidcProvidersOf = (view: View, account: string): readonly StoredOidcProvider[] =>
  view.list<StoredOidcProvider>(`aws.oidcProvider/${account}/`).map(([, stored]) => stored);
