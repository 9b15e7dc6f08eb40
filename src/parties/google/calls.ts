import { z } from "zod";
import type { World } from "../../model.ts";
import { google } from "./client.ts";
import { everyPage } from "./pages.ts";

/**
 * A service account as IAM shows it (google.md 5). What is false or empty is left out, hence the defaults;
 * `uniqueId` is text, because its 21 digits do not fit into a number.
 */
const accountSchema = z.object({
  name: z.string(),
  email: z.string().includes("@"),
  uniqueId: z.string().regex(/^\d+$/),
  description: z.string().default(""),
  disabled: z.boolean().default(false),
});
/** An account out of a checked answer. */
export type LiveAccount = z.infer<typeof accountSchema>;

/** Which account a call means. `project` is its own, and says whose credentials are used. */
export interface AccountTarget {
  readonly project: string;
  /** E-mail, or the unique id where the very account is meant. */
  readonly account: string;
}

const pathOf = ({ project, account }: AccountTarget): string =>
  `/v1/projects/${project}/serviceAccounts/${encodeURIComponent(account)}`;

/**
 * By its own project: with the `-` wildcard a missing account answers 403, not 404 (google.md, trap 13). A
 * fresh one may answer `missing` or `denied` for a minute (google.md 5): whoever made it waits.
 */
export const getAccount = (world: World, target: AccountTarget): Promise<LiveAccount> =>
  google(world, {
    ...{ service: "google.iam", operation: "GetServiceAccount", effect: "read", method: "GET" },
    ...{ project: target.project, path: pathOf(target), answer: accountSchema },
  });

/** `displayName` at most 100 bytes, `description` 256 with its mark (google.md 5). */
export interface AccountInput {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
}

/**
 * Sent once: whether a lost create landed is found out by reading (fact sheet, 2.3). The mark travels in it,
 * so an account of ours never stands there unmarked. Throws class `exists` where the id is taken.
 */
export const createAccount = (world: World, project: string, input: AccountInput): Promise<LiveAccount> =>
  google(world, {
    ...{ service: "google.iam", operation: "CreateServiceAccount", effect: "once", method: "POST" },
    ...{ project, path: `/v1/projects/${project}/serviceAccounts`, answer: accountSchema },
    body: { accountId: input.id, serviceAccount: { displayName: input.displayName, description: input.description } },
  });

/** Only the description: the mask keeps the rest. The same text twice changes nothing. */
export const describeAccount = (world: World, target: AccountTarget, description: string): Promise<unknown> =>
  google(world, {
    ...{ service: "google.iam", operation: "PatchServiceAccount", effect: "repeatable", method: "PATCH" },
    ...{ project: target.project, path: pathOf(target), answer: accountSchema },
    body: { serviceAccount: { description }, updateMask: "description" },
  });

/** Switches an account on or off; its bindings stay, and so does its unique id (google.md 5). */
export const switchAccount = (world: World, target: AccountTarget, how: "enable" | "disable"): Promise<unknown> =>
  google(world, {
    ...{ service: "google.iam", operation: how === "enable" ? "EnableServiceAccount" : "DisableServiceAccount" },
    ...{ effect: "repeatable", method: "POST", project: target.project, path: `${pathOf(target)}:${how}`, body: {} },
    answer: z.object({}),
  });

/** Safe to repeat only with the unique id: by e-mail a namesake made meanwhile would go (fact sheet, 2.3). */
export const deleteAccount = (world: World, target: AccountTarget): Promise<unknown> =>
  google(world, {
    ...{ service: "google.iam", operation: "DeleteServiceAccount", effect: "repeatable", method: "DELETE" },
    ...{ project: target.project, path: pathOf(target), answer: z.object({}) },
  });

/** Needs the numeric unique id; refused after 30 days and while a namesake exists (google.md 5). */
export const undeleteAccount = async (world: World, target: AccountTarget): Promise<LiveAccount> => {
  const answer = await google(world, {
    ...{ service: "google.iam", operation: "UndeleteServiceAccount", effect: "once", method: "POST" },
    ...{ project: target.project, path: `${pathOf(target)}:undelete`, body: {} },
    answer: z.object({ restoredAccount: accountSchema }),
  });
  return answer.restoredAccount;
};

/** Every account of a project. */
export const listAccounts = (world: World, project: string): Promise<readonly LiveAccount[]> =>
  everyPage(world, {
    ...{ service: "google.iam", operation: "ListServiceAccounts", project },
    ...{ path: `/v1/projects/${project}/serviceAccounts?pageSize=100`, member: "accounts", item: accountSchema },
  });

const projectSchema = z.object({
  projectId: z.string(),
  projectNumber: z.string().regex(/^\d+$/),
  lifecycleState: z.string(),
  parent: z.object({ type: z.string() }).optional(),
});

/** A project that is being deleted still answers, hence `lifecycleState`. */
export const getProject = (world: World, project: string): Promise<z.infer<typeof projectSchema>> =>
  google(world, {
    ...{ service: "google.cloudresourcemanager", operation: "GetProject", effect: "read", method: "GET" },
    ...{ project, path: `/v1/projects/${project}`, answer: projectSchema },
  });

/** Which of these permissions are held on a project; Google leaves `permissions` out where none is. */
export async function heldPermissions(
  world: World,
  project: string,
  permissions: readonly string[],
): Promise<readonly string[]> {
  const answer = await google(world, {
    ...{ service: "google.cloudresourcemanager", operation: "TestIamPermissions", effect: "read", method: "POST" },
    ...{ project, path: `/v1/projects/${project}:testIamPermissions`, body: { permissions } },
    answer: z.object({ permissions: z.array(z.string()).default([]) }),
  });
  return answer.permissions;
}

/**
 * Which of these APIs (`iam.googleapis.com` ...) are enabled. Answers name the project by its number,
 * whatever was asked for (wire.md 4.4), so only the last part of a name is compared.
 */
export async function enabledServices(
  world: World,
  project: string,
  names: readonly string[],
): Promise<readonly string[]> {
  const query = names.map((name) => `names=projects/${project}/services/${name}`).join("&");
  const service = z.object({ name: z.string(), state: z.string() });
  const answer = await google(world, {
    ...{ service: "google.serviceusage", operation: "BatchGetServices", effect: "read", method: "GET" },
    ...{
      project,
      path: `/v1/projects/${project}/services:batchGet?${query}`,
      answer: z.object({ services: z.array(service) }),
    },
  });
  const on = answer.services.filter((one) => one.state === "ENABLED").map((one) => one.name.split("/").at(-1));
  return names.filter((name) => on.includes(name));
}
