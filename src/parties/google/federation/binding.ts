import { z } from "zod";
import { memberOf, parseMember } from "../../../judge/google/principals.ts";
import type { Kind, Live, LivePresent, Removal, Resource, World } from "../../../model.ts";
import { CloudError, settle, unlessMissing } from "../../../run/retry.ts";
import { editBindings, isBound } from "../bindings.ts";
import { getPolicy, type IamPolicy } from "../policies.ts";
import { leftovers, present } from "./binding-leftovers.ts";
import type { BindingSpec, HeldBy } from "./binding-spec.ts";
import { bindingWidens } from "./widens.ts";

/**
 * One member of one role on one resource. Too small for a mark: it is ours to delete only where it names a pool of
 * ours, or an account of ours whose mark remembers it (house.md); other people's members are never touched.
 */
const shared = {
  label: "google binding",
  unmarked: true,
  put: ({ desired, live }, world) => put(desired, live, world),
  read: async ({ spec }, _hints, world) => {
    const policy = await unlessMissing(getPolicy(world, spec));
    const member = fullMember(spec);
    if (!policy || !member) return { state: "absent" };
    if (!isBound(policy, spec.role, member)) {
      const narrower = conditionsOn(policy, spec.role, member);
      return narrower.length > 0 ? { state: "absent", narrower } : { state: "absent" };
    }
    return { ...present(spec), seen: othersIn(policy, spec.role, member) };
  },
  remove: async ({ live }: Removal<BindingSpec>, world) => {
    const { spec } = live;
    const member = fullMember(spec) ?? "";
    await unlessMissing(editBindings(world, spec, { role: spec.role, remove: [member] }));
    return [];
  },
} satisfies Partial<Kind<BindingSpec>>;

export const bindingKind: Kind<BindingSpec> = {
  ...shared,
  name: "google:binding",
  list: leftovers,
  widens: bindingWidens,
};

/** On an account that is only used, so that making it takes a word by name; what others bound there is theirs. */
export const bindingOnUsedKind: Kind<BindingSpec> = {
  ...shared,
  name: "google:bindingOnUsed",
  onUsed: true,
  list: async () => ({ found: [], scopes: [], findings: [] }),
};

/** Other identities of pools that hold a role on the same resource: whoever fits them may reach what is granted. */
const othersIn = ({ bindings }: IamPolicy, role: string, own: string): readonly HeldBy[] =>
  bindings
    .filter(({ condition }) => condition === undefined)
    .flatMap((one) => one.members.map((member) => ({ member, role: one.role })))
    .filter((one) => !(one.member === own && one.role === role) && parseMember(one.member) !== undefined);

/** Conditions under which the member holds the role already: a binding without one lifts them. */
const conditionsOn = ({ bindings }: IamPolicy, role: string, member: string): readonly string[] =>
  bindings
    .filter((one) => one.role === role && one.condition !== undefined && one.members.includes(member))
    .map(({ condition }) => expressionOf(condition));

const conditionSchema = z.looseObject({ expression: z.string() });

const expressionOf = (condition: unknown): string =>
  conditionSchema.safeParse(condition).data?.expression ?? "a condition that cannot be read";

/** Undefined while the pool's full name is not known. */
function fullMember({ pool, member }: BindingSpec): string | undefined {
  if (pool === "") return member;
  return typeof pool === "string" ? memberOf(pool, member) : undefined;
}

/** A fresh account can be refused as a member for half a minute, in the words of one that is not there (google.md 5). */
async function put({ spec }: Resource<BindingSpec>, _live: Live, world: World): Promise<LivePresent<BindingSpec>> {
  const member = fullMember(spec);
  if (member === undefined) throw new Error(`the pool of ${spec.member} is not known`);
  let last: unknown;
  const bound = () =>
    editBindings(world, spec, { role: spec.role, add: [member] }).then(
      () => true,
      (error: unknown) => {
        last = error;
        if (error instanceof CloudError && /does not exist\.$/.test(error.message)) return false;
        throw error;
      },
    );
  const what = `google takes ${spec.member} as a member`;
  if (!(await settle(world, { what, budget: 60_000, inARow: 1 }, bound))) throw last;
  return present(spec);
}
