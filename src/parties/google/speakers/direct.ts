import { comesThrough } from "../../../judge/google/admits.ts";
import { parseMember, type Tail } from "../../../judge/google/principals.ts";
import { holdsNoLess } from "../../../judge/google/privilege.ts";
import type { Bound, Place } from "../../../judge/google/speaking.ts";
import { type AuditAsk, type Finding, finding, type Resource, type Stranger } from "../../../model.ts";
import { inParallel } from "../../../run/retry.ts";
import { type BindingSpec, type HeldBy, isBinding } from "../federation/binding-spec.ts";
import { listBuckets } from "../policies.ts";
import { bindCommand, type Concern, type Reads } from "./reads.ts";
import { quoted, type Telling } from "./tell.ts";

/** What is known of the pools of the file. */
type Pools = Pick<Telling, "granted" | "providersOf" | "around">;

/** A grant of a link to identities of a pool, with no account between. */
type Direct = Resource<BindingSpec>;

/** A binding that reaches what a link grants, and where it stands. */
interface Reaching {
  readonly direct: Direct;
  readonly on: string;
  readonly role: string;
  readonly member: string;
}

/** What the file grants to identities of pools themselves, and not to an account. */
const directIn = ({ resources }: AuditAsk): readonly Direct[] =>
  resources.filter(isBinding).filter(({ spec }) => spec.pool !== "" && !spec.on.startsWith("serviceAccounts/"));

/**
 * Who else of a pool reaches what links grant directly: by a role that holds no less on the resource itself, or by a policy
 * of its project, folders or organization. The same role on the resource itself is told with the trust (GOOGLE-GRANT-EXTRA).
 */
export async function reachingOf(ask: AuditAsk, reads: Reads): Promise<readonly Reaching[]> {
  const all = directIn(ask);
  const found = await inParallel(all, 8, async (direct): Promise<readonly Reaching[]> => {
    const { on, role } = direct.spec;
    const live = ask.live.get(direct.address);
    const seen = live?.state === "present" ? ((live.seen ?? []) as readonly HeldBy[]) : [];
    const here = seen.filter((one) => one.role !== role && holdsNoLess(one.role, role));
    const above = await placesAbove(direct, reads);
    return [
      ...here.map((one) => ({ direct, on, role: one.role, member: one.member })),
      ...above.flatMap((place) => place.bindings.flatMap((bound) => reachingIn(bound, place, direct))),
    ];
  });
  return found.flat();
}

const reachingIn = ({ role, members, condition }: Bound, { on }: Place, direct: Direct): readonly Reaching[] =>
  condition === undefined && holdsNoLess(role, direct.spec.role)
    ? members.filter((one) => parseMember(one) !== undefined).map((member) => ({ direct, on, role, member }))
    : [];

/**
 * The policies that hold for a resource beside its own. A bucket's name does not say in which project it is, so it is
 * looked for in the project of the pool; what is elsewhere is the affair of another project.
 */
async function placesAbove({ address, links, spec }: Direct, reads: Reads): Promise<readonly Place[]> {
  const concern: Concern = { address, links };
  const { project, on } = spec;
  if (on.startsWith("projects/")) {
    const { places } = await reads.chain(project, concern);
    return places.filter((place) => place.on !== on);
  }
  const gap = () =>
    reads.gap(project, `which buckets are in ${project}`, {
      on: `projects/${project}`,
      role: "roles/storage.bucketViewer",
    });
  const buckets = await reads.read(`buckets ${project}`, concern, gap, () => listBuckets(reads.world, project));
  return buckets?.includes(on.slice("buckets/".length)) ? (await reads.chain(project, concern)).places : [];
}

/** Says who else reaches what the links grant: a witness where somebody does whom the file does not mean. */
export function tellReaching(found: readonly Reaching[], pools: Pools): readonly Finding[] {
  return found.flatMap((one): readonly Finding[] => {
    const { direct, on, role, member } = one;
    if (pools.granted.has(`${on} ${member}`)) return [];
    const holds = `${member} holds ${role} on ${on}`;
    const what = `${direct.spec.role} on ${direct.spec.on}`;
    const through = outsiderOf(one, pools);
    if (!through) return [];
    const first = [`a token of ${through.who}`, ...(through.through ? [`the pool provider ${through.through}`] : [])];
    return [
      finding("GOOGLE-GRANT-EXTRA", {
        severity: "security",
        at: { address: direct.address },
        links: direct.links,
        of: `${member} on ${on}`,
        says: `${through.who} reaches ${what}, which the file does not say: ${holds}`,
        fix: [`${bindCommand(on, "remove")} --member=${quoted(member)} --role=${role}`],
        beside: true,
        witness: {
          outsider: through.who,
          path: [...first, holds, what],
          how: "judged",
          ...(through.claims ? { claims: through.claims } : {}),
        },
      }),
    ];
  });
}

/** Somebody whom the file does not mean: who comes through a pool of the file, or whoever is in another one. */
function outsiderOf(
  { direct, member }: Reaching,
  { providersOf, around }: Pools,
): { readonly who: string; readonly claims?: Stranger["claims"]; readonly through?: string } | undefined {
  const parsed = parseMember(member);
  if (!parsed) return undefined;
  const own: readonly Tail[] = [direct.spec.member];
  if (around.pools.includes(parsed.pool)) return comesThrough(providersOf(member), [parsed.tail], [own]);
  return parsed.tail === "*" ? { who: `every identity of the pool in ${member}` } : undefined;
}
