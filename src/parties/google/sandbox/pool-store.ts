import type { Host } from "../../../sandbox/fake.ts";
import { projectOf, type StoredPolicy } from "./store.ts";

/** A pool; `deletedAt` in epoch milliseconds. */
export interface StoredPool {
  readonly project: string;
  readonly id: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
  readonly deletedAt?: number;
  /** How long sessions live, `120s` to `43200s`; who may be in it. Of pools alone, and unknown to v1beta. */
  readonly sessionDuration?: string;
  readonly mode?: string;
  readonly inlineTrustConfig?: unknown;
  readonly inlineCertificateIssuanceConfig?: unknown;
  readonly policy?: StoredPolicy;
}

/** A pool provider; exactly one of the four sources is there, and it is the same for ever. */
export interface StoredPoolProvider extends StoredPool {
  readonly pool: string;
  readonly attributeMapping?: Readonly<Record<string, string>>;
  readonly attributeCondition?: string;
  readonly aws?: { readonly accountId: string };
  readonly oidc?: {
    readonly issuerUri: string;
    readonly allowedAudiences?: readonly string[];
    readonly jwksJson?: string;
  };
  readonly saml?: unknown;
  readonly x509?: unknown;
}

export const poolKey = (project: string, id: string): string => `google.pool/${project}/${id}`;
export const poolProviderKey = (project: string, pool: string, id: string): string =>
  `google.poolProvider/${project}/${pool}/${id}`;

const thirtyDays = 30 * 86_400_000;

/** What was deleted holds its id for 30 days, and then there is nothing (google.md, trap 11). */
export const stillThere = <T extends StoredPool>(found: T | undefined, now: number): T | undefined =>
  found?.deletedAt !== undefined && found.deletedAt + thirtyDays <= now ? undefined : found;

export const expiryOf = (deletedAt: number): string => new Date(deletedAt + thirtyDays).toISOString();

/** The full name, as every answer has it: with the number (google.md, trap 12). */
export const poolNameOf = (host: Host, { project, id }: Pick<StoredPool, "project" | "id">): string =>
  `projects/${projectOf(host, project).number}/locations/global/workloadIdentityPools/${id}`;

/** As tokens see it: what has not reached everywhere is not there yet. */
export function poolOf(host: Host, project: string, id: string) {
  const pool = stillThere(host.propagated.get<StoredPool>(poolKey(project, id)), host.now());
  return pool && { pool, usable: pool.deletedAt === undefined && pool.disabled !== true };
}

export const poolProviderOf = (host: Host, { project, pool, id }: { project: string; pool: string; id: string }) =>
  stillThere(host.propagated.get<StoredPoolProvider>(poolProviderKey(project, pool, id)), host.now());
