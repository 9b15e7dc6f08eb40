import { type Finding, finding, type World } from "../../../model.ts";
import { type LiveKey, listUserKeys } from "./calls.ts";
import type { Reads, Watched } from "./reads.ts";

/** What stands in the way of a key; undefined where it can be used. */
function idle({ disabled, validBeforeTime }: LiveKey, now: number): string | undefined {
  if (disabled) return "disabled";
  return Date.parse(validBeforeTime) <= now ? "expired" : undefined;
}

/**
 * Keys that people made or uploaded. Of an account that crosstrust made one that can be used is a finding: whoever has
 * the file with it speaks as the account, from anywhere. Of other accounts, and where it cannot be used, it is inventory.
 */
export async function keyFindings(
  { email, project, resource, concern }: Watched,
  reads: Reads,
  world: World,
): Promise<readonly Finding[]> {
  const what = `keys of accounts in ${project}`;
  const gap = () => reads.gap(project, what, { on: `projects/${project}`, role: "roles/iam.serviceAccountViewer" });
  const target = { project, account: email };
  const keys = await reads.read(`keys ${email}`, concern, gap, () => listUserKeys(world, target));
  return (keys ?? []).map((key) => {
    const id = key.name.split("/").at(-1) ?? "";
    const state = idle(key, world.clock.now());
    const since = key.validAfterTime ? ` since ${key.validAfterTime.slice(0, 10)}` : "";
    const sort = key.keyOrigin === "USER_PROVIDED" ? "an uploaded key" : "a key that somebody made";
    const says = `${email} has ${sort}${since}: ${id}${state ? ` (${state})` : ""}`;
    const bad = resource.hold === "own" && state === undefined;
    return finding("GOOGLE-USER-KEY", {
      severity: bad ? "security" : "hint",
      at: { address: concern.address },
      links: concern.links,
      of: `${id} of ${email}`,
      says,
      fix: [`gcloud iam service-accounts keys delete ${id} --iam-account ${email} --project ${project}`],
    });
  });
}
