import { z } from "zod";
import type { World } from "../../../model.ts";
import type { Account } from "../client.ts";
import { allPages, type Inputs, paged, send, type Write, write } from "../iam-call.ts";

/** What GetRole must hold. Tags and a boundary are left out of the answer where a role has none. */
const roleSchema = z.object({
  Path: z.string(),
  RoleName: z.string(),
  RoleId: z.string(),
  Arn: z.string(),
  AssumeRolePolicyDocument: z.string(),
  MaxSessionDuration: z.number().default(3600),
  Description: z.string().default(""),
  PermissionsBoundary: z.object({ PermissionsBoundaryArn: z.string() }).optional(),
  Tags: z.array(z.object({ Key: z.string(), Value: z.string() })).optional(),
});
/** A role as IAM answers it; AssumeRolePolicyDocument is still percent-encoded (aws.md 9.1). */
export type LiveRole = z.infer<typeof roleSchema>;

/** Which role of which account; `name` is empty where a call is about the whole account. */
interface Target {
  readonly account: Account;
  readonly name: string;
}

/** The role with its tags, boundary, limits and trust. Throws class `missing` where there is none. */
export const getRole = async (world: World, target: Target): Promise<LiveRole> => {
  const answer = await send(world, target.account, {
    operation: "GetRole",
    effect: "read",
    answer: z.object({ Role: roleSchema }),
    input: { RoleName: target.name },
  });
  return answer.Role;
};

/** The answer has the id that tells the role from a namesake later. Sent once: the rest is `createOnce`'s. */
export const createRole = async (world: World, target: Target, input: CreateInput): Promise<LiveRole> => {
  const answer = await send(world, target.account, {
    operation: "CreateRole",
    effect: "once",
    answer: z.object({ Role: roleSchema }),
    input: { RoleName: target.name, ...input, Tags: [...input.Tags] },
  });
  return answer.Role;
};
type CreateInput = Omit<Inputs["CreateRole"], "RoleName" | "Tags"> & {
  readonly Tags: readonly { Key: string; Value: string }[];
};

/** Names of the inline policies; their documents are a call each. */
export async function listInlinePolicies(world: World, target: Target): Promise<readonly string[]> {
  const pages = await allPages((Marker) =>
    send(world, target.account, {
      operation: "ListRolePolicies",
      effect: "read",
      answer: z.object({ PolicyNames: z.array(z.string()), ...paged }),
      input: { RoleName: target.name, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap((page) => page.PolicyNames);
}

/** ARNs of the managed policies, those of AWS and those of the account. */
export async function listAttachedPolicies(world: World, target: Target): Promise<readonly string[]> {
  const pages = await allPages((Marker) =>
    send(world, target.account, {
      operation: "ListAttachedRolePolicies",
      effect: "read",
      answer: z.object({ AttachedPolicies: z.array(z.object({ PolicyArn: z.string() })), ...paged }),
      input: { RoleName: target.name, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap((page) => page.AttachedPolicies.map((policy) => policy.PolicyArn));
}

/**
 * A policy document, percent-decoded once, because the JavaScript SDK leaves that to us (aws.md 9.1). Not
 * form-decoded: `+` is a plus (fact sheet reliability-and-security, 6.2).
 */
export const getInlinePolicy = async (world: World, target: Target, PolicyName: string): Promise<string> => {
  const answer = await send(world, target.account, {
    operation: "GetRolePolicy",
    effect: "read",
    answer: z.object({ PolicyDocument: z.string() }),
    input: { RoleName: target.name, PolicyName },
  });
  return decodeURIComponent(answer.PolicyDocument);
};

/** Names of the roles below a path: tags do not come with them (aws.md 9.1). */
export async function listRoleNames(world: World, account: Account, PathPrefix: string): Promise<readonly string[]> {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListRoles",
      effect: "read",
      answer: z.object({ Roles: z.array(z.object({ RoleName: z.string() })), ...paged }),
      input: { PathPrefix, MaxItems: 300, ...(Marker ? { Marker } : {}) },
    }),
  );
  return pages.flatMap((page) => page.Roles.map((role) => role.RoleName));
}

/** Tags of all roles in bulk: ListRoles leaves them out, and GetRole would be a call each (aws.md 9.1). */
export async function listRoleTags(world: World, account: Account): Promise<ReadonlyMap<string, LiveRole["Tags"]>> {
  const role = z.object({ RoleName: z.string(), Tags: roleSchema.shape.Tags });
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "GetAccountAuthorizationDetails",
      effect: "read",
      answer: z.object({ RoleDetailList: z.array(role), ...paged }),
      input: { Filter: ["Role"], ...(Marker ? { Marker } : {}) },
    }),
  );
  return new Map(pages.flatMap((page) => page.RoleDetailList.map((one) => [one.RoleName, one.Tags] as const)));
}

/** One write to a role, whose name is added to it. */
export const writeRole = (world: World, { account, name }: Target, { input, ...rest }: Write): Promise<void> =>
  write(world, account, { ...rest, input: { RoleName: name, ...input } });
