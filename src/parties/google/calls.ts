import { z } from "zod";
import type { World } from "../../model.ts";
import { google } from "./client.ts";

/** A service account as IAM shows it; `disabled` is left out when false (google.md 5). */
const accountSchema = z.object({
  name: z.string(),
  email: z.string().includes("@"),
  uniqueId: z.string().regex(/^\d+$/),
  description: z.string().default(""),
  disabled: z.boolean().default(false),
});
export type LiveAccount = z.infer<typeof accountSchema>;

export interface AccountTarget {
  readonly project: string;
  /** E-mail, or the unique id where the very account is meant. */
  readonly account: string;
}

const pathOf = ({ project, account }: AccountTarget): string =>
  `/v1/projects/${project}/serviceAccounts/${encodeURIComponent(account)}`;

/** By its own project: with the `-` wildcard a missing account answers 403, not 404 (google.md, trap 13). */
export const getAccount = (world: World, target: AccountTarget): Promise<LiveAccount> =>
  google(world, {
    ...{ service: "google.iam", operation: "GetServiceAccount", effect: "read", method: "GET" },
    ...{ project: target.project, path: pathOf(target), answer: accountSchema },
  });

export interface AccountInput {
  readonly id: string;
  readonly displayName: string;
  readonly description: string;
}

export const createAccount = (world: World, project: string, input: AccountInput): Promise<LiveAccount> =>
  google(world, {
    ...{ service: "google.iam", operation: "CreateServiceAccount", effect: "once", method: "POST" },
    ...{ project, path: `/v1/projects/${project}/serviceAccounts`, answer: accountSchema },
    body: { accountId: input.id, serviceAccount: { displayName: input.displayName, description: input.description } },
  });

export const describeAccount = (world: World, target: AccountTarget, description: string): Promise<unknown> =>
  google(world, {
    ...{ service: "google.iam", operation: "PatchServiceAccount", effect: "repeatable", method: "PATCH" },
    ...{ project: target.project, path: pathOf(target), answer: accountSchema },
    body: { serviceAccount: { description }, updateMask: "description" },
  });

/** Switches an account on or off; bindings stay (google.md 5). */
export const switchAccount = (world: World, target: AccountTarget, how: "enable" | "disable"): Promise<unknown> =>
  google(world, {
    ...{ service: "google.iam", operation: how === "enable" ? "EnableServiceAccount" : "DisableServiceAccount" },
    ...{ effect: "repeatable", method: "POST", project: target.project, path: `${pathOf(target)}:${how}`, body: {} },
    answer: z.object({}),
  });

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

export async function listAccounts(world: World, project: string): Promise<readonly LiveAccount[]> {
  const page = z.object({ accounts: z.array(accountSchema).default([]), nextPageToken: z.string().optional() });
  const found: LiveAccount[] = [];
  const seen = new Set<string>();
  for (let token = ""; ; ) {
    const path = `/v1/projects/${project}/serviceAccounts?pageSize=100${token ? `&pageToken=${encodeURIComponent(token)}` : ""}`;
    const next = await google(world, {
      ...{ service: "google.iam", operation: "ListServiceAccounts", effect: "read", method: "GET" },
      ...{ project, path, answer: page },
    });
    found.push(...next.accounts);
    token = next.nextPageToken ?? "";
    if (!token) return found;
    if (seen.has(token)) throw new Error("a paged answer of IAM does not end");
    seen.add(token);
  }
}

/** An IAM policy; what we do not know of it is written back as it was read. */
const policySchema = z.looseObject({
  etag: z.string().optional(),
  version: z.number().optional(),
  bindings: z
    .array(
      z.looseObject({ role: z.string(), members: z.array(z.string()).default([]), condition: z.unknown().optional() }),
    )
    .default([]),
});
export type IamPolicy = z.infer<typeof policySchema>;

export const getPolicy = (world: World, target: AccountTarget): Promise<IamPolicy> =>
  google(world, {
    ...{ service: "google.iam", operation: "GetIamPolicy", effect: "read", method: "POST" },
    ...{ project: target.project, path: `${pathOf(target)}:getIamPolicy?options.requestedPolicyVersion=3` },
    answer: policySchema,
  });

/** With the etag that was read: a stale one is refused, and the whole read-modify-write starts again (google.md 12). */
export const setPolicy = (world: World, target: AccountTarget, policy: IamPolicy): Promise<IamPolicy> =>
  google(world, {
    ...{ service: "google.iam", operation: "SetIamPolicy", effect: "once", method: "POST" },
    ...{ project: target.project, path: `${pathOf(target)}:setIamPolicy`, body: { policy: { ...policy, version: 3 } } },
    answer: policySchema,
  });

const projectSchema = z.object({
  projectId: z.string(),
  projectNumber: z.string().regex(/^\d+$/),
  lifecycleState: z.string(),
});

export const getProject = (world: World, project: string): Promise<z.infer<typeof projectSchema>> =>
  google(world, {
    ...{ service: "google.cloudresourcemanager", operation: "GetProject", effect: "read", method: "GET" },
    ...{ project, path: `/v1/projects/${project}`, answer: projectSchema },
  });

/** Which of these APIs are enabled. */
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
