import { createHash, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Host } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import type { StoredAccount } from "./store.ts";

/** A user-managed key of a service account. Only its public half is kept: whoever made it has the private one. */
export interface StoredKey {
  readonly id: string;
  /** The unique id of its account. */
  readonly account: string;
  readonly algorithm: "KEY_ALG_RSA_1024" | "KEY_ALG_RSA_2048";
  /** `GOOGLE_PROVIDED` for a key that Google made, `USER_PROVIDED` for one that was uploaded. */
  readonly origin: "GOOGLE_PROVIDED" | "USER_PROVIDED";
  /** Epoch milliseconds. */
  readonly validAfter: number;
  readonly validBefore: number;
  /** X.509, PEM. */
  readonly certificate: string;
  readonly disabled?: boolean;
}

const prefixOf = (account: string): string => `google.key/${account}/`;

/** Returns the user-managed keys of an account, the oldest first. */
export const keysOf = (view: View, { uniqueId }: StoredAccount): readonly StoredKey[] =>
  view.list<StoredKey>(prefixOf(uniqueId)).map(([, key]) => key);

export const keyOf = (view: View, { uniqueId }: StoredAccount, id: string): StoredKey | undefined =>
  view.get<StoredKey>(`${prefixOf(uniqueId)}${id}`);

export const saveKey = (host: Host, key: StoredKey): void => host.state.put(`${prefixOf(key.account)}${key.id}`, key);

export const deleteKey = (host: Host, key: StoredKey): void => host.state.delete(`${prefixOf(key.account)}${key.id}`);

const day = 86_400_000;
/** Google signs with a system-managed key for two weeks at most and serves its public half a little longer (IAM v1 messages). */
const signs = 14 * day;
const served = 16 * day;

/** A key that Google keeps: its id changes with each period, and nobody but Google has its private half. */
export interface SystemKey {
  readonly id: string;
  readonly validAfter: number;
  readonly validBefore: number;
}

/** Returns the system-managed key that an account has at a time, in epoch milliseconds. Every account has one. */
export function systemKeyOf({ uniqueId }: StoredAccount, now: number): SystemKey {
  const period = Math.floor(now / signs);
  const id = createHash("sha1").update(`google.systemKey/${uniqueId}/${period}`).digest("hex");
  return { id, validAfter: period * signs, validBefore: period * signs + served };
}

/** The private half of the system-managed keys of an account. Approximate: all periods share one key pair. */
export const systemPrivateKey = (host: Host, { uniqueId }: StoredAccount): KeyObject =>
  host.issuers.privateKey(`google.account/${uniqueId}`);

/**
 * Returns the public key of an account by its id, as far as it signs now. A key that is disabled, deleted or outside its
 * time is absent, as it is in the certificates that Google publishes for the account.
 */
export function verifyingKey(host: Host, account: StoredAccount, id: string): KeyObject | undefined {
  const now = host.now();
  const periods = [now, now - signs].map((at) => systemKeyOf(account, at));
  if (periods.some((key) => key.id === id && key.validBefore > now))
    return createPublicKey(systemPrivateKey(host, account));
  const key = keyOf(host.propagated, account, id);
  if (!key || key.disabled || key.validAfter > now || key.validBefore <= now) return undefined;
  return new X509Certificate(key.certificate).publicKey;
}
