import { z } from "zod";
import type { World } from "../../model.ts";
import { type Ask, google } from "./client.ts";
import { everyPage } from "./pages.ts";

/** An IAM policy. Loose on purpose: what we do not know of it is written back as it was read. */
export const policySchema = z.looseObject({
  etag: z.string().optional(),
  version: z.number().optional(),
  bindings: z
    .array(
      z.looseObject({ role: z.string(), members: z.array(z.string()).default([]), condition: z.unknown().optional() }),
    )
    .default([]),
});
/** A policy as it was read, with the etag that `setPolicy` needs. */
export type IamPolicy = z.infer<typeof policySchema>;

/** Whose policy. `project` says whose credentials are used. */
export interface PolicyTarget {
  readonly project: string;
  /** `serviceAccounts/E-MAIL`, `projects/P` or `buckets/B`; to be read alone `folders/ID` and `organizations/ID`, too. */
  readonly on: string;
}

/** Things above a project, each in the version of Resource Manager that gcloud asks. */
const above: Readonly<Record<string, string>> = { folders: "v2", organizations: "v1" };

/** How one kind of resource is asked for its policy; version 3 has conditional bindings (google.md 12). */
interface Way {
  readonly service: Ask<unknown>["service"];
  readonly read: Pick<Ask<unknown>, "method" | "path" | "body">;
  readonly write: (policy: IamPolicy) => Pick<Ask<unknown>, "method" | "path" | "body">;
}

function wayTo({ project, on }: PolicyTarget): Way {
  const [kind, name = ""] = [on.slice(0, on.indexOf("/")), on.slice(on.indexOf("/") + 1)];
  if (kind === "buckets") {
    // Cloud Storage has a form of its own: the policy is a document of the bucket (JSON API, buckets.setIamPolicy).
    const path = `/storage/v1/b/${name}/iam`;
    const read = { method: "GET", path: `${path}?optionsRequestedPolicyVersion=3` } as const;
    return { service: "google.storage", read, write: (policy) => ({ method: "PUT", path, body: policy }) };
  }
  const account = `/v1/projects/${project}/serviceAccounts/${encodeURIComponent(name)}`;
  const managed = kind === "projects" || above[kind] !== undefined;
  const path = managed ? `/${above[kind] ?? "v1"}/${kind}/${name}` : account;
  // In the query for an account and in the body for a project (wire.md 4.3).
  const inQuery = managed ? "" : "?options.requestedPolicyVersion=3";
  const inBody = managed ? { body: { options: { requestedPolicyVersion: 3 } } } : {};
  const read = { method: "POST", path: `${path}:getIamPolicy${inQuery}`, ...inBody } as const;
  const write = (policy: IamPolicy) => ({ method: "POST", path: `${path}:setIamPolicy`, body: { policy } }) as const;
  return { service: managed ? "google.cloudresourcemanager" : "google.iam", read, write };
}

export function getPolicy(world: World, target: PolicyTarget): Promise<IamPolicy> {
  const { service, read } = wayTo(target);
  const call = { service, operation: "GetIamPolicy", effect: "read", project: target.project } as const;
  return google(world, { ...call, ...read, answer: policySchema });
}

/**
 * With the etag that was read: a stale one is refused as `race`, and the whole read-modify-write starts again
 * (google.md 12). So it is sent once: repeating the write alone fails for ever (trap 16).
 */
export function setPolicy(world: World, target: PolicyTarget, policy: IamPolicy): Promise<IamPolicy> {
  const { service, write } = wayTo(target);
  const call = { service, operation: "SetIamPolicy", effect: "once", project: target.project } as const;
  return google(world, { ...call, ...write({ ...policy, version: 3 }), answer: policySchema });
}

/** An account's policy, by its e-mail. */
export const ofAccount = ({ project, account }: { project: string; account: string }): PolicyTarget => ({
  project,
  on: `serviceAccounts/${account}`,
});

/** Names of a project's buckets. */
export async function listBuckets(world: World, project: string): Promise<readonly string[]> {
  const buckets = await everyPage(world, {
    ...{ service: "google.storage", operation: "ListBuckets", project },
    path: `/storage/v1/b?project=${project}&fields=items(name),nextPageToken`,
    ...{ member: "items", item: z.object({ name: z.string() }) },
  });
  return buckets.map(({ name }) => name);
}
