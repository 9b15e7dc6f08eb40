import type { Host } from "../../../sandbox/fake.ts";
import type { Store, View } from "../../../sandbox/state.ts";

/** The partition that an ARN says it is of. */
export const partitionIn = (arn: string): string => arn.split(":")[1] ?? "aws";

/** `aws.role/111122223333/x` of another partition is kept as `aws.role/aws-cn:111122223333/x`. */
const inside = (key: string, partition: string): string => key.replace(/^aws\.\w+\//, (head) => `${head}${partition}:`);

/**
 * The sandbox as one partition of AWS sees it: nothing in it is seen from another one, and an account number says nothing
 * of another partition's account.
 */
export function hostIn(partition: string, host: Host): Host {
  if (partition === "aws") return host;
  const { state } = host;
  const store: Store = {
    ...viewIn(partition, state),
    put: (key, value) => state.put(inside(key, partition), value),
    delete: (key) => state.delete(inside(key, partition)),
    next: (name) => state.next(inside(name, partition)),
  };
  const [view, propagated] = [viewIn(partition, host.view), viewIn(partition, host.propagated)];
  return { ...host, state: store, view, propagated };
}

const viewIn = (partition: string, view: View): View => ({
  get: (key) => view.get(inside(key, partition)),
  list: <T>(prefix: string) =>
    view.list<T>(inside(prefix, partition)).map(([key, value]) => [key.replace(`${partition}:`, ""), value] as const),
});
