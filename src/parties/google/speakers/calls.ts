import { z } from "zod";
import type { World } from "../../../model.ts";
import type { AccountTarget } from "../calls.ts";
import { google } from "../client.ts";

// What is read to tell who may speak as an account. Nothing here writes.

const ancestrySchema = z.object({
  ancestor: z.array(z.object({ resourceId: z.object({ type: z.string(), id: z.string() }) })).default([]),
});

/** Returns the folders and the organization above a project, the nearest first: `folders/ID`, `organizations/ID`. */
export async function getAncestors(world: World, project: string): Promise<readonly string[]> {
  const { ancestor } = await google(world, {
    service: "google.cloudresourcemanager",
    operation: "GetAncestry",
    effect: "read",
    method: "POST",
    project,
    path: `/v1/projects/${project}:getAncestry`,
    body: {},
    answer: ancestrySchema,
  });
  return ancestor
    .filter(({ resourceId: { type } }) => type === "folder" || type === "organization")
    .map(({ resourceId: { type, id } }) => `${type}s/${id}`);
}

/** Returns the domain that an organization is named after; `on` is `organizations/ID`. */
export async function getDomain(world: World, project: string, on: string): Promise<string> {
  const { displayName } = await google(world, {
    service: "google.cloudresourcemanager",
    operation: "GetOrganization",
    effect: "read",
    method: "GET",
    project,
    path: `/v1/${on}`,
    answer: z.object({ displayName: z.string().min(1) }),
  });
  return displayName;
}

const roleSchema = z.object({
  includedPermissions: z.array(z.string()).default([]),
  deleted: z.boolean().default(false),
  stage: z.string().default(""),
});

/** Returns what a custom role gives: nothing where it is deleted or switched off. */
export async function getRole(world: World, project: string, name: string): Promise<readonly string[]> {
  const role = await google(world, {
    service: "google.iam",
    operation: "GetRole",
    effect: "read",
    method: "GET",
    project,
    path: `/v1/${name}`,
    answer: roleSchema,
  });
  return role.deleted || role.stage === "DISABLED" ? [] : role.includedPermissions;
}

const keySchema = z.object({
  name: z.string().min(1),
  keyType: z.string().default("USER_MANAGED"),
  keyOrigin: z.string().default(""),
  validAfterTime: z.string().default(""),
  validBeforeTime: z.string().default(""),
  disabled: z.boolean().default(false),
});
/** A key of an account, without its secret, which Google shows once and to nobody again. */
export type LiveKey = z.infer<typeof keySchema>;

/** Returns the keys of an account that somebody made or uploaded; those that Google rotates itself are left out. */
export async function listUserKeys(world: World, { project, account }: AccountTarget): Promise<readonly LiveKey[]> {
  const { keys } = await google(world, {
    service: "google.iam",
    operation: "ListServiceAccountKeys",
    effect: "read",
    method: "GET",
    project,
    path: `/v1/projects/${project}/serviceAccounts/${encodeURIComponent(account)}/keys?keyTypes=USER_MANAGED`,
    answer: z.object({ keys: z.array(keySchema).default([]) }),
  });
  return keys.filter(({ keyType }) => keyType === "USER_MANAGED");
}
