import type { Finding, World } from "../../../model.ts";
import { CloudError, inParallel } from "../../../run/retry.ts";
import { listAccounts } from "../calls.ts";
import { getPolicy, type IamPolicy, listBuckets, type PolicyTarget } from "../policies.ts";

/** A policy with whose it is. */
export interface Held {
  readonly target: PolicyTarget;
  readonly policy: IamPolicy;
}

/** What was looked at, and what could not be. */
export interface Sought {
  readonly policies: readonly Held[];
  readonly findings: readonly Finding[];
}

/** In a project with more of one sort than this, the rest is not read: each is a call. */
const mostRead = 200;

/**
 * The policies of whole projects: their own, those of their buckets and of their accounts. Many calls, so this is done
 * only where a mark remembers something that no policy named by the file holds. What may not be read is told.
 */
export async function seek(projects: readonly string[], world: World): Promise<Sought> {
  const all = await inParallel(projects, 2, (project) => seekIn(project, world));
  return { policies: all.flatMap(({ policies }) => policies), findings: all.flatMap(({ findings }) => findings) };
}

async function seekIn(project: string, world: World): Promise<Sought> {
  const sorts = await Promise.all([
    named("buckets", listBuckets(world, project)),
    named(
      "serviceAccounts",
      listAccounts(world, project).then((all) => all.map(({ email }) => email)),
    ),
  ]);
  const lists = [[`projects/${project}`], ...sorts.filter((one) => one !== undefined)];
  const read = lists.flatMap((list) => list.slice(0, mostRead));
  const policies = await inParallel(read, 4, async (on): Promise<Held | undefined> => {
    const target = { project, on };
    const policy = await getPolicy(world, target).catch(closed);
    return policy && { target, policy };
  });
  const held = policies.filter((one) => one !== undefined);
  const shut = read.length - held.length + sorts.filter((one) => one === undefined).length;
  const over = lists.flat().length - read.length;
  return { policies: held, findings: over + shut > 0 ? [unseen(project, over, shut)] : [] };
}

const named = (sort: string, list: Promise<readonly string[]>): Promise<readonly string[] | undefined> =>
  list.then((names) => names.map((name) => `${sort}/${name}`), closed);

/** An API that is off answers as one that is forbidden (google.md 5); what is gone meanwhile holds nothing. */
function closed(error: unknown): undefined {
  if (error instanceof CloudError && (error.class === "denied" || error.class === "missing")) return undefined;
  throw error;
}

const unseen = (project: string, over: number, shut: number): Finding => ({
  ...{ code: "LEFTOVERS-UNSEEN", severity: "warning", at: {}, because: [] },
  says: `a former file granted something that may be left in ${project}: ${shut} lists or policies may not be read, and ${over} are more than are read`,
  fix: [`gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=roles/iam.securityReviewer`],
});
