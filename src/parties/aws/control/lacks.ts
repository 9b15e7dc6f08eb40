import { type Change, type Finding, finding, type World } from "../../../model.ts";
import { CloudError, unlessMissing } from "../../../run/retry.ts";
import { getPolicy } from "../managed-policy/calls.ts";
import { controlPath } from "../shape.ts";

/**
 * Returns a finding for each boundary of the control plane that roles about to be made need, and that does not exist: AWS
 * would refuse each of them, and what does not need it would be made by then. Whoever may not look is not told.
 */
export async function lacks(changes: readonly Change[], world: World): Promise<readonly Finding[]> {
  const roles = changes.filter(({ verb, differences, desired }) => {
    const isSet = verb === "create" || verb === "restore" || verb === "replace";
    return boundaryOf(desired) !== undefined && (isSet || differences.some(({ path }) => path === "boundary"));
  });
  const byBoundary = Map.groupBy(roles, ({ desired }) => boundaryOf(desired) ?? "");
  const found = await Promise.all([...byBoundary].map(([arn, wanting]) => lackOf(arn, wanting, world)));
  return found.flat();
}

const boundaryOf = (desired: Change["desired"]): string | undefined => {
  const boundary = desired?.spec.boundary;
  return typeof boundary === "string" && boundary.includes(`:policy${controlPath}`) ? boundary : undefined;
};

async function lackOf(arn: string, wanting: readonly Change[], world: World): Promise<readonly Finding[]> {
  const [first] = wanting;
  if (!first?.desired) return [];
  const { spec, access } = first.desired;
  const account = { account: String(spec.account), ...(access ? { access } : {}) };
  try {
    if (await unlessMissing(getPolicy(world, { account, arn }))) return [];
  } catch (error) {
    // The reading of the roles has told of it already, or writing them will.
    if (error instanceof CloudError) return [];
    throw error;
  }
  return [
    finding("CONTROL-MISSING", {
      asks: "usage",
      at: { address: first.address },
      links: [...new Set(wanting.flatMap(({ links }) => links))],
      says: `the boundary ${arn} of the control plane does not exist in ${account.account}, and the file has every role stay within it`,
      fix: ["crosstrust onboard --control   # makes it, with an administrator's credentials of that account"],
    }),
  ];
}
