import { z } from "zod";
import type { World } from "../../../model.ts";
import { CloudError, settle, unlessMissing } from "../../../run/retry.ts";
import { google } from "../client.ts";
import { parseDescription } from "../mark.ts";
import { everyPage } from "../pages.ts";
import { isClaimedBy } from "./pool-claims.ts";

/** Where a pool is; pools exist in `global` alone (google.md 6.1). */
export interface PoolPlace {
  readonly project: string;
  readonly pool: string;
}
export interface PoolProviderPlace extends PoolPlace {
  readonly id: string;
}

export const parentOf = (project: string): string => `projects/${project}/locations/global`;
export const poolPath = ({ project, pool }: PoolPlace): string => `${parentOf(project)}/workloadIdentityPools/${pool}`;
export const poolProviderPath = (place: PoolProviderPlace): string => `${poolPath(place)}/providers/${place.id}`;

/** Answers name a pool by the project's number, whatever was asked for (google.md, trap 12). */
const fullName = z.string().regex(/^projects\/\d+\/locations\/global\/workloadIdentityPools\/[a-z0-9-]+/);
const common = {
  name: fullName,
  description: z.string().default(""),
  state: z.enum(["ACTIVE", "DELETED"]),
  disabled: z.boolean().default(false),
  expireTime: z.string().optional(),
};
const poolSchema = z.object({
  ...common,
  sessionDuration: z.string().optional(),
  mode: z.string().optional(),
  inlineTrustConfig: z.unknown().optional(),
});
/** What a pool provider of type oidc decides by, and what one of either type makes of a proof. */
export const trustFields = {
  attributeMapping: z.record(z.string(), z.string()).default({}),
  attributeCondition: z.string().default(""),
  oidc: z
    .object({
      issuerUri: z.string(),
      allowedAudiences: z.array(z.string()).default([]),
      jwksJson: z.string().default(""),
    })
    .optional(),
};
/** v1, and not the v1beta that writes: that one drops keys which somebody stored here (google.md, trap 6). */
const poolProviderSchema = z.object({
  ...common,
  ...trustFields,
  aws: z.object({ accountId: z.string() }).optional(),
  saml: z.unknown().optional(),
  x509: z.unknown().optional(),
});
export type LivePool = z.infer<typeof poolSchema>;
export type LivePoolProvider = z.infer<typeof poolProviderSchema>;

/** Deleted ones answer too, for 30 days. Undefined where there is none. */
export const getPool = (world: World, place: PoolPlace): Promise<LivePool | undefined> =>
  unlessMissing(
    google(world, {
      ...{ service: "google.iam", operation: "GetWorkloadIdentityPool", effect: "read", method: "GET" },
      ...{ project: place.project, path: `/v1/${poolPath(place)}`, answer: poolSchema },
    }),
  );

export const getPoolProvider = (world: World, place: PoolProviderPlace): Promise<LivePoolProvider | undefined> =>
  unlessMissing(
    google(world, {
      ...{ service: "google.iam", operation: "GetWorkloadIdentityPoolProvider", effect: "read", method: "GET" },
      ...{ project: place.project, path: `/v1/${poolProviderPath(place)}`, answer: poolProviderSchema },
    }),
  );

/** Without deleted ones: what is gone is no leftover. */
export const listPools = (world: World, project: string): Promise<readonly LivePool[]> =>
  everyPage(world, {
    ...{ service: "google.iam", operation: "ListWorkloadIdentityPools", project },
    path: `/v1/${parentOf(project)}/workloadIdentityPools?pageSize=100`,
    ...{ member: "workloadIdentityPools", item: poolSchema },
  });

export const listPoolProviders = (world: World, place: PoolPlace): Promise<readonly LivePoolProvider[]> =>
  everyPage(world, {
    ...{ service: "google.iam", operation: "ListWorkloadIdentityPoolProviders", project: place.project },
    path: `/v1/${poolPath(place)}/providers?pageSize=100`,
    ...{ member: "workloadIdentityPoolProviders", item: poolProviderSchema },
  });

/**
 * Keys that are stored in a pool provider count instead of the issuer's; an empty text takes them away. The v1beta client
 * knows no such field.
 */
export const storeKeys = (world: World, place: PoolProviderPlace, jwksJson: string): Promise<Operation> =>
  google(world, {
    ...{ service: "google.iam", operation: "PatchWorkloadIdentityPoolProvider", effect: "repeatable", method: "PATCH" },
    ...{ project: place.project, path: `/v1/${poolProviderPath(place)}?updateMask=oidc.jwksJson` },
    ...{ body: { oidc: { jwksJson } }, answer: operationSchema },
  });

/** What every write answers with: done, or to be asked for again by its name. */
export const operationSchema = z.object({
  name: z.string().min(1),
  done: z.boolean().default(false),
  error: z.object({ code: z.number(), message: z.string().default("") }).optional(),
});
export type Operation = z.infer<typeof operationSchema>;

/** Five minutes: what is not done by then is told as such (google.md 6.1). */
const longest = 300_000;

/** Whose credentials ask, and by which version of the API. */
export interface OperationPlace {
  readonly project: string;
  readonly version?: "v1" | "v2";
}

/** Waits by asking. Throws what the operation ended with, `transient` where it does not end. */
export async function finished(world: World, at: OperationPlace, begun: Operation): Promise<void> {
  let last = begun;
  const ended = await settle(world, { what: "google carries a change out", budget: longest, inARow: 1 }, async () => {
    if (!last.done) last = await getOperation(world, at, begun.name);
    return last.done;
  });
  const base = { service: "google.iam", operation: "GetOperation", status: 200 } as const;
  if (!ended) throw new CloudError({ ...base, class: "transient", code: "", message: "the change is not done yet" });
  if (!last.error) return;
  // Codes of gRPC: 6 is "exists", 7 "denied", 9 and 3 are about the request itself.
  const kind = { 3: "invalid", 5: "missing", 6: "exists", 7: "denied", 9: "invalid", 10: "race" } as const;
  const found = kind[last.error.code as keyof typeof kind] ?? "transient";
  throw new CloudError({ ...base, class: found, code: String(last.error.code), message: last.error.message });
}

const getOperation = (world: World, { project, version = "v1" }: OperationPlace, name: string): Promise<Operation> =>
  google(world, {
    ...{ service: "google.iam", operation: "GetOperation", effect: "read", method: "GET" },
    ...{ project, path: `/${version}/${name}`, answer: operationSchema },
  });

/** What a thing is called in its pool or project: names in answers are whole paths. */
export const idOf = ({ name }: { readonly name: string }): string => name.split("/").at(-1) ?? "";

/** Whether it lives and carries an owner's mark. */
export const isOwn = ({ state, description }: LivePoolProvider, owner: string | undefined): boolean =>
  state === "ACTIVE" && parseDescription(description)?.owner === owner;

/** Living pools of a project that carry a claim of an owner. */
export const ownPools = async (world: World, project: string, owner: string): Promise<readonly LivePool[]> =>
  (await listPools(world, project)).filter(
    ({ state, description }) => state === "ACTIVE" && isClaimedBy(description, owner),
  );
