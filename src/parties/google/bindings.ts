import type { World } from "../../model.ts";
import { CloudError, type ErrorClass, serially } from "../../run/retry.ts";
import { getPolicy, type IamPolicy, type PolicyTarget, setPolicy } from "./policies.ts";

/** Members that a role gains or loses. There is no way to say "these and no others": other people's stay. */
export interface BindingEdit {
  readonly role: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** What another whole try can mend: a concurrent change, or an answer that did not say whether it landed. */
const again: readonly ErrorClass[] = ["race", "lost", "transient", "malformed"];
const mostTries = 5;

/**
 * Read, change, write back with the etag (google.md 12). A concurrent change starts it again from the reading, since
 * repeating the write alone fails for ever (google.md, trap 16); so does a lost answer, because the next read shows
 * whether it landed (fact sheet reliability-and-security, 2.1, CW). Edits of one run on one policy take turns, or
 * they would race each other. Gives whether anything was written: what is so already is not.
 */
export function editBindings(world: World, target: PolicyTarget, edit: BindingEdit): Promise<boolean> {
  return serially(world, `google:policy/${target.on}`, async () => {
    for (let tried = 1; ; tried++) {
      try {
        const changed = edited(await getPolicy(world, target), edit);
        if (changed) await setPolicy(world, target, changed);
        return changed !== undefined;
      } catch (error) {
        if (tried >= mostTries || !(error instanceof CloudError) || !again.includes(error.class)) throw error;
        await world.clock.sleep(world.random() * 500 * 2 ** tried);
      }
    }
  });
}

/** Whether a policy gives a role to a member, without a condition. */
export const isBound = ({ bindings }: IamPolicy, role: string, member: string): boolean =>
  bindings.some((one) => one.role === role && one.condition === undefined && one.members.includes(member));

/**
 * The policy with the edit, or undefined where it is so already. The same role with a condition is another binding
 * (google.md 12) and is left alone; so is a second binding of the role, which some clients write: a member is taken
 * out of each, or it would keep the role.
 */
function edited(policy: IamPolicy, { role, add = [], remove = [] }: BindingEdit): IamPolicy | undefined {
  const missing = add.filter((member) => !isBound(policy, role, member));
  const surplus = remove.filter((member) => isBound(policy, role, member));
  if (missing.length + surplus.length === 0) return undefined;
  const ours = (one: IamPolicy["bindings"][number]) => one.role === role && one.condition === undefined;
  const first = policy.bindings.find(ours);
  const bindings = policy.bindings.flatMap((one) => {
    if (!ours(one)) return [one];
    const kept = one.members.filter((member) => !surplus.includes(member));
    const members = one === first ? [...kept, ...missing] : kept;
    return members.length > 0 ? [{ ...one, members }] : [];
  });
  return { ...policy, bindings: first || missing.length === 0 ? bindings : [...bindings, { role, members: missing }] };
}
