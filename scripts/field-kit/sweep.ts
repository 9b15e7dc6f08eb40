import { z } from "zod";
import { allPages, paged, send, write } from "../../src/parties/aws/iam-call.ts";
import { listInlinePolicies, listRoleNames } from "../../src/parties/aws/role/calls.ts";
import { deleteAccount, listAccounts } from "../../src/parties/google/calls.ts";
import { google } from "../../src/parties/google/client.ts";
import { finished, idOf, listPools, operationSchema, poolPath } from "../../src/parties/google/federation/calls.ts";
import { unlessMissing } from "../../src/run/retry.ts";
import { awsPath, description, type Ground, prefix } from "./kit.ts";

/** A thing that the kit made, in this run or in one that was killed. */
export interface Leftover {
  readonly what: string;
  readonly remove: () => Promise<unknown>;
}

/**
 * Everything that carries the kit's name and its description or path. The clouds are asked and no note on this machine, so
 * that a run that was killed is cleaned up after by the next one, from whatever machine.
 */
export async function leftovers(ground: Ground): Promise<readonly Leftover[]> {
  const found = await Promise.all([
    roles(ground),
    policies(ground),
    providers(ground),
    pools(ground),
    accounts(ground),
  ]);
  return found.flat();
}

/** Removes what is found, and looks again: what was made a moment ago may be listed late. Gives what would not go. */
export async function sweep(ground: Ground, tell: (what: string) => void): Promise<readonly string[]> {
  for (let round = 1; ; round++) {
    const found = await leftovers(ground).catch(says);
    if (typeof found === "string") return [`what is left could not be listed: ${found}`];
    if (found.length === 0) return [];
    const failed: string[] = [];
    for (const { what, remove } of found) {
      try {
        await remove();
        tell(what);
      } catch (error) {
        failed.push(`${what}: ${says(error)}`);
      }
    }
    if (round === 3) return failed;
    if (failed.length > 0) await ground.world.clock.sleep(3000);
  }
}

const says = (error: unknown): string => (error instanceof Error ? error.message : "no reason was given");

async function roles({ world, account }: Ground): Promise<readonly Leftover[]> {
  const names = (await listRoleNames(world, account, awsPath)).filter((name) => name.startsWith(prefix));
  return names.map((name) => ({
    what: `the role ${awsPath}${name}`,
    remove: async () => {
      for (const PolicyName of await listInlinePolicies(world, { account, name }))
        await write(world, account, { operation: "DeleteRolePolicy", input: { RoleName: name, PolicyName } });
      await write(world, account, { operation: "DeleteRole", input: { RoleName: name } });
    },
  }));
}

async function policies({ world, account }: Ground): Promise<readonly Leftover[]> {
  const policy = z.object({ PolicyName: z.string(), Arn: z.string() });
  const pages = await allPages((Marker) =>
    send(world, account, {
      operation: "ListPolicies",
      effect: "read",
      answer: z.object({ Policies: z.array(policy), ...paged }),
      input: { Scope: "Local", PathPrefix: awsPath, ...(Marker ? { Marker } : {}) },
    }),
  );
  const own = pages.flatMap((page) => page.Policies).filter(({ PolicyName }) => PolicyName.startsWith(prefix));
  return own.map(({ Arn }) => ({
    what: `the policy ${Arn}`,
    remove: () => write(world, account, { operation: "DeletePolicy", input: { PolicyArn: Arn } }),
  }));
}

/** The kit's OIDC providers are of hosts that cannot exist. */
async function providers({ world, account }: Ground): Promise<readonly Leftover[]> {
  const { OpenIDConnectProviderList: list } = await send(world, account, {
    operation: "ListOpenIDConnectProviders",
    effect: "read",
    answer: z.object({ OpenIDConnectProviderList: z.array(z.object({ Arn: z.string() })) }),
    input: {},
  });
  return list
    .filter(({ Arn }) => /:oidc-provider\/field-kit-[0-9a-f]+\.invalid$/.test(Arn))
    .map(({ Arn }) => ({
      what: `the OIDC provider ${Arn}`,
      remove: () =>
        write(world, account, { operation: "DeleteOpenIDConnectProvider", input: { OpenIDConnectProviderArn: Arn } }),
    }));
}

/** A pool takes its pool providers with it. */
async function pools({ world, project }: Ground): Promise<readonly Leftover[]> {
  const own = (await listPools(world, project)).filter(
    (pool) => pool.state === "ACTIVE" && idOf(pool).startsWith(prefix) && pool.description === description,
  );
  return own.map((pool) => ({
    what: `the workload identity pool ${idOf(pool)}`,
    remove: async () => {
      const begun = await google(world, {
        service: "google.iam",
        operation: "DeleteWorkloadIdentityPool",
        effect: "once",
        method: "DELETE",
        path: `/v1/${poolPath({ project, pool: idOf(pool) })}`,
        project,
        answer: operationSchema,
      });
      await finished(world, { project }, begun);
    },
  }));
}

/** By the unique id: an account of the same name that somebody else made meanwhile stays. */
async function accounts({ world, project }: Ground): Promise<readonly Leftover[]> {
  const own = (await listAccounts(world, project)).filter(
    (account) => account.email.startsWith(prefix) && account.description === description,
  );
  return own.map(({ email, uniqueId }) => ({
    what: `the service account ${email}`,
    remove: () => unlessMissing(deleteAccount(world, { project, account: uniqueId })),
  }));
}
