import { z } from "zod";
import type { Address, Live, Resource, World } from "../../../model.ts";
import { inParallel } from "../../../run/retry.ts";
import type { Account } from "../client.ts";
import { allPages, paged, send } from "../iam-call.ts";
import { present } from "./live.ts";
import type { RoleSpec } from "./spec.ts";

const tag = z.object({ Key: z.string(), Value: z.string() });
const document = z.object({ PolicyName: z.string(), PolicyDocument: z.string() });

/** The bulk read's role: everything but the longest session and the description (aws.md 9.1). */
const detailSchema = z.object({
  Path: z.string(),
  RoleName: z.string(),
  RoleId: z.string(),
  Arn: z.string(),
  AssumeRolePolicyDocument: z.string(),
  RolePolicyList: z.array(document).default([]),
  AttachedManagedPolicies: z.array(z.object({ PolicyArn: z.string() })).default([]),
  PermissionsBoundary: z.object({ PermissionsBoundaryArn: z.string() }).optional(),
  Tags: z.array(tag).default([]),
});
type Detail = z.infer<typeof detailSchema>;

/** The list has the longest session and the description, and neither tags nor boundary (aws.md 9.1). */
const listed = z.object({
  RoleName: z.string(),
  RoleId: z.string(),
  MaxSessionDuration: z.number().default(3600),
  Description: z.string().default(""),
});

/** Of a role that was not asked for: what says who may have it. */
export type OtherRole = Pick<Detail, "RoleName" | "Path" | "AssumeRolePolicyDocument">;

/** By the first role of each account that was asked for: it lives as long as the run that reads them. */
const others = new WeakMap<Resource, readonly OtherRole[]>();

/**
 * Returns what a bulk read of these roles saw beside them in their account; undefined where they were read one by one.
 * Whoever looks at the whole account in the same run need not list it again.
 */
export const seenBeside = ([first]: readonly Resource<RoleSpec>[]): readonly OtherRole[] | undefined =>
  first && others.get(first);

/** Roles on a page of the list: 300 of them stay far below the cap of an answer. */
const listPage = 300;

/**
 * All roles of each account in two kinds of pages, put together by their ids: a thousand roles cost fourteen calls
 * instead of three thousand. A role that only one of the two knows came or went meanwhile, and is left to be read alone.
 */
export async function readRoles(
  desired: readonly Resource<RoleSpec>[],
  world: World,
): Promise<ReadonlyMap<Address, Live<RoleSpec>>> {
  const accounts = Map.groupBy(desired, ({ spec, access }) => `${spec.account} ${JSON.stringify(access ?? {})}`);
  const found = await inParallel([...accounts.values()], 4, async (group) => {
    const [first] = group;
    if (!first) return [];
    const { spec, access } = first;
    const account: Account = { account: spec.account, ...(access ? { access } : {}) };
    // One after the other: two pages at once are taken apart at once, and that is the most memory of a whole run.
    const details = await detailsOf(world, account);
    const asked = new Set(group.map((resource) => resource.spec.name.toLowerCase()));
    const rest = [...details].filter(([name]) => !asked.has(name)).map(([, role]) => otherOf(role));
    others.set(first, rest);
    const sessions = await sessionsOf(world, account);
    return group.flatMap((resource) => {
      const role = details.get(resource.spec.name.toLowerCase());
      const rest = role && sessions.get(role.RoleId);
      return role && rest ? [[resource.address, liveOf(resource, { role, rest, account })] as const] : [];
    });
  });
  return new Map(found.flat());
}

/** Without its permissions, which nobody asks for and which take the most room. */
const otherOf = ({ RoleName, Path, AssumeRolePolicyDocument }: Detail): OtherRole => ({
  RoleName,
  Path,
  AssumeRolePolicyDocument,
});

interface Seen {
  readonly role: Detail;
  readonly rest: z.infer<typeof listed>;
  readonly account: Account;
}

function liveOf({ spec }: Resource<RoleSpec>, { role, rest, account }: Seen): Live<RoleSpec> {
  const inline = role.RolePolicyList.map(
    ({ PolicyName, PolicyDocument }) => [PolicyName, decodeURIComponent(PolicyDocument)] as const,
  );
  const managed = role.AttachedManagedPolicies.map(({ PolicyArn }) => PolicyArn);
  const whole = { ...role, MaxSessionDuration: rest.MaxSessionDuration, Description: rest.Description };
  return present({ account, name: spec.name, like: spec }, { role: whole, inline, managed });
}

/** By name in lower case: names are unique without regard to case. */
async function detailsOf(world: World, account: Account): Promise<ReadonlyMap<string, Detail>> {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "GetAccountAuthorizationDetails",
      effect: "read",
      answer: z.object({ RoleDetailList: z.array(detailSchema).default([]), ...paged }),
      input: { Filter: ["Role"], ...(Marker ? { Marker } : {}) },
    }),
  );
  return new Map(
    pages.flatMap(({ RoleDetailList }) => RoleDetailList.map((role) => [role.RoleName.toLowerCase(), role])),
  );
}

async function sessionsOf(world: World, account: Account): Promise<ReadonlyMap<string, z.infer<typeof listed>>> {
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListRoles",
      effect: "read",
      answer: z.object({ Roles: z.array(listed).default([]), ...paged }),
      input: { MaxItems: listPage, ...(Marker ? { Marker } : {}) },
    }),
  );
  return new Map(pages.flatMap(({ Roles }) => Roles.map((role) => [role.RoleId, role])));
}
