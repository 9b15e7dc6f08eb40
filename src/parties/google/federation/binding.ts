import type { Address, Kind, Leftovers, Live, LivePresent, Removal, Resource, World } from "../../../model.ts";
import { CloudError, inParallel, settle } from "../../../run/retry.ts";
import { editBindings, isBound } from "../bindings.ts";
import { parseDescription } from "../mark.ts";
import { getPolicy, type IamPolicy } from "../policies.ts";
import { memberOf, parseMember } from "../trust/principals.ts";
import { type BindingSpec, bindingAddress } from "./binding-spec.ts";
import { getPool } from "./calls.ts";

/**
 * One member of one role on one resource. Too small for a mark: it is ours to delete only where it names a pool of
 * ours (house.md), and other people's members are never touched.
 */
const shared = {
  label: "google binding",
  unmarked: true,
  put: ({ desired, live }, world) => put(desired, live, world),
  read: async ({ spec }, _hints, world) => {
    const policy = await getPolicy(world, spec).catch(goneIsDone);
    const member = fullMember(spec);
    return policy && member && isBound(policy, spec.role, member) ? present(spec) : { state: "absent" };
  },
  remove: async ({ live }: Removal<BindingSpec>, world) => {
    const { spec } = live;
    const member = fullMember(spec) ?? "";
    await editBindings(world, spec, { role: spec.role, remove: [member] }).catch(goneIsDone);
    return [];
  },
} satisfies Partial<Kind<BindingSpec>>;

export const bindingKind: Kind<BindingSpec> = { ...shared, name: "google:binding", list: leftovers };

/** On an account that is only used, so that making it takes a word by name; what others bound there is theirs. */
export const bindingOnUsedKind: Kind<BindingSpec> = {
  ...shared,
  name: "google:bindingOnUsed",
  onUsed: true,
  list: async () => ({ found: [], scopes: [], findings: [] }),
};

const present = (spec: BindingSpec): LivePresent<BindingSpec> => ({
  state: "present",
  owner: "ours",
  spec,
  outputs: {},
});

/** Undefined while the pool's full name is not known. */
function fullMember({ pool, member }: BindingSpec): string | undefined {
  if (pool === "") return member;
  return typeof pool === "string" ? memberOf(pool, member) : undefined;
}

/** What is gone holds no binding. */
function goneIsDone(error: unknown): undefined {
  if (error instanceof CloudError && error.class === "missing") return undefined;
  throw error;
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

/**
 * Members of our own pools that no link wants, in every policy that the file names. Whatever else stands there is
 * somebody's own. Policies that the file no longer names are not seen: `destroy LINK` before removing the link.
 */
async function leftovers(named: readonly Resource<BindingSpec>[], owner: string, world: World): Promise<Leftovers> {
  const policies = [...new Map(named.map(({ spec }) => [spec.on, spec])).values()];
  const pools = new Map<string, Promise<boolean>>();
  const ours = (pool: string) => {
    const [, project = "", id = ""] = /^projects\/(\d+)\/.*\/([^/]+)$/.exec(pool) ?? [];
    const known = pools.get(pool) ?? isOurs(world, { project, pool: id }, owner);
    pools.set(pool, known);
    return known;
  };
  const lists = await inParallel(policies, 4, async (spec) => {
    const policy = await getPolicy(world, spec).catch(goneIsDone);
    const members = membersOf(policy ?? { bindings: [] }, spec);
    const kept = await Promise.all(members.map(async (one) => ((await ours(String(one.pool))) ? [one] : [])));
    return kept.flat();
  });
  const wanted = new Set<Address>(named.map(({ address }) => address));
  const found = lists.flat().map((spec) => ({ address: bindingAddress(spec, idOf(spec)), live: present(spec) }));
  return { found: found.filter(({ address }) => !wanted.has(address)), scopes: [], findings: [] };
}

const idOf = ({ pool }: BindingSpec): string => String(pool).split("/").at(-1) ?? "";

const membersOf = ({ bindings }: IamPolicy, { project, on }: BindingSpec): readonly BindingSpec[] =>
  bindings
    .filter(({ condition }) => condition === undefined)
    .flatMap(({ role, members }) =>
      members.flatMap((member) => {
        const parsed = parseMember(member);
        return parsed ? [{ project, on, role, pool: parsed.pool, member: parsed.tail }] : [];
      }),
    );

/** A pool whose description carries this owner's mark, be it deleted: its bindings come back to life with it. */
async function isOurs(world: World, place: { project: string; pool: string }, owner: string): Promise<boolean> {
  const pool = await getPool(world, place).catch((error: unknown) => {
    if (error instanceof CloudError && error.class === "denied") return undefined;
    throw error;
  });
  return pool !== undefined && parseDescription(pool.description)?.owner === owner;
}
