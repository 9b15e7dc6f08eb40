import { parseMember } from "../../../judge/google/principals.ts";
import type { Address, Finding, Leftovers, LivePresent, Resource, Seek, World } from "../../../model.ts";
import { CloudError, inParallel, unlessMissing } from "../../../run/retry.ts";
import { getAccount } from "../calls.ts";
import { ownProjects } from "../claims.ts";
import { parseDescription } from "../mark.ts";
import { getPolicy, type IamPolicy } from "../policies.ts";
import { type BindingSpec, bindingAddress, onUsed } from "./binding-spec.ts";
import { getPool } from "./calls.ts";
import { claimantsOf, isClaimedBy } from "./pool-claims.ts";
import { type Held, seek } from "./seek.ts";

/**
 * Members that no link wants any more. In the policies that the file names: whatever names a pool that is ours alone, and
 * nothing else that stands there. Members of a shared pool may be another deployment's, so there only what a mark remembers
 * counts. In all policies of its projects: what a mark remembers of a former file, and only where one remembers something;
 * so what somebody else granted our own accounts stays.
 */
export async function leftovers(asked: Seek<BindingSpec>, world: World): Promise<Leftovers> {
  const { beside, remembered } = asked;
  const { policies, used } = await namedPolicies(asked, world);
  const projects = ownProjects(beside);
  const sought = remembered.unnamed > 0 ? await seek(projects, world) : { policies: [], findings: [] };
  const wanted = new Set<Address>(beside.map(({ address }) => address));
  const ofPools = (await ours(policies.flatMap(membersOf).filter(isOfPool), { ...asked, isAlone: true }, world)).map(
    (spec) => entry((used.has(spec.on) ? onUsed : same)(bindingAddress(spec, idOf(spec))), spec),
  );
  const formerly = [...policies, ...sought.policies].flatMap(membersOf).flatMap((spec) => {
    const address = addressesOf(spec, projects).find((one) => remembered.has(one) && !wanted.has(one));
    return address ? [{ address, spec }] : [];
  });
  // A mark is a text that others could have written: it makes nobody ours.
  const own = new Set(
    await ours(
      formerly.map(({ spec }) => spec),
      { ...asked, isAlone: false },
      world,
    ),
  );
  const former = formerly.filter(({ spec }) => own.has(spec)).map(({ address, spec }) => entry(address, spec));
  const found = new Map(
    [...ofPools, ...former].filter(({ address }) => !wanted.has(address)).map((one) => [one.address, one]),
  );
  return {
    found: [...found.values()],
    scopes: remembered.unnamed > 0 ? projects.map((project) => `google policies ${project}`) : [],
    findings: [...sought.findings, ...formerly.filter(({ spec }) => !own.has(spec)).map(({ spec }) => told(spec))],
  };
}

/** Those of accounts that are only used, too: they hold members of our pools. */
async function namedPolicies({ beside }: Seek<BindingSpec>, world: World) {
  const bindings = beside.filter(({ address }) =>
    /^google:binding(?:OnUsed)?\//.test(address),
  ) as unknown as readonly Resource<BindingSpec>[];
  const onUsed = bindings.filter(({ address }) => address.startsWith("google:bindingOnUsed/"));
  const targets = [...new Map(bindings.map(({ spec }) => [spec.on, spec])).values()];
  const policies = await inParallel(targets, 4, async ({ project, on }): Promise<readonly Held[]> => {
    const policy = await unlessMissing(getPolicy(world, { project, on }));
    return policy ? [{ target: { project, on }, policy }] : [];
  });
  return { policies: policies.flat(), used: new Set(onUsed.map(({ spec }) => spec.on)) };
}

const same = (address: Address): Address => address;

/** Granted by a former file to an account that was only used and that no link names any more: it is its owner's. */
function told({ on, role, member, pool }: BindingSpec): Finding {
  const [sort, name] = [on.slice(0, on.indexOf("/")), on.slice(on.indexOf("/") + 1)];
  const where =
    sort === "buckets"
      ? `gcloud storage buckets remove-iam-policy-binding gs://${name}`
      : sort === "projects"
        ? `gcloud projects remove-iam-policy-binding ${name}`
        : `gcloud iam service-accounts remove-iam-policy-binding ${name}`;
  const whole = pool === "" ? member : `${pool}/${member}`;
  return {
    ...{ code: "LEFTOVERS-OTHERS", severity: "security", at: {}, because: [] },
    says: `${on} still gives ${role} to ${whole}, as a former file had it; that is nobody's of ours, so it stays`,
    fix: [`${where} --member=${whole} --role=${role}`],
  };
}

export const present = (spec: BindingSpec): LivePresent<BindingSpec> => ({
  state: "present",
  owner: "ours",
  spec,
  outputs: {},
});

const entry = (address: Address, spec: BindingSpec) => ({ address, live: present(spec) });

const idOf = ({ pool }: BindingSpec): string => String(pool).split("/").at(-1) ?? "";

/** Members of pools and accounts, without those under a condition: that is another binding, and nobody's here. */
const membersOf = ({
  target,
  policy: { bindings },
}: {
  target: Held["target"];
  policy: IamPolicy;
}): readonly BindingSpec[] =>
  bindings
    .filter(({ condition }) => condition === undefined)
    .flatMap(({ role, members }) =>
      members.flatMap((member) => {
        const parsed = parseMember(member);
        if (parsed) return [{ ...target, role, pool: parsed.pool, member: parsed.tail }];
        return member.startsWith("serviceAccount:") ? [{ ...target, role, pool: "", member }] : [];
      }),
    );

/** A bucket does not tell which project a link named for it, nor an account whether it was made or used. */
const addressesOf = (spec: BindingSpec, projects: readonly string[]): readonly Address[] =>
  [...new Set([spec.project, ...projects])].flatMap((project) => {
    const plain = bindingAddress({ ...spec, project }, idOf(spec));
    return [plain, onUsed(plain)];
  });

const isOfPool = ({ pool }: BindingSpec): boolean => pool !== "";

/** Whom a member names: a pool by its full name, or an account. */
const namedIn = ({ pool, member }: BindingSpec): string => (pool === "" ? member : String(pool));

/**
 * Members that name a pool or an account of this owner, or an account that the file names (house.md). Pools may be
 * deleted: their bindings come back to life with them.
 */
async function ours(
  members: readonly BindingSpec[],
  { beside, owner, isAlone }: Whose,
  world: World,
): Promise<readonly BindingSpec[]> {
  const known = new Set(beside.map(({ spec }) => `serviceAccount:${spec.email}`));
  const asked = [...new Set(members.map(namedIn))];
  const own = await inParallel(asked, 4, async (name) =>
    known.has(name) || (await isOurs(world, name, { owner, isAlone })) ? [name] : [],
  );
  return members.filter((one) => own.flat().includes(namedIn(one)));
}

/** Whose pools and accounts count, and whether a pool counts that others share. */
interface Whose extends Pick<Seek, "beside" | "owner"> {
  readonly isAlone: boolean;
}

async function isOurs(world: World, name: string, { owner, isAlone }: Omit<Whose, "beside">): Promise<boolean> {
  const [, project = "", pool = ""] = /^projects\/(\d+)\/.*\/([^/]+)$/.exec(name) ?? [];
  const [, account = "", home = ""] = /^serviceAccount:(.+@([a-z0-9-]+)\.iam\.gserviceaccount\.com)$/.exec(name) ?? [];
  if (pool === "" && account === "") return false;
  const reading = pool
    ? getPool(world, { project, pool })
    : unlessMissing(getAccount(world, { project: home, account }));
  const there = await reading.catch((error: unknown) => {
    if (error instanceof CloudError && error.class === "denied") return undefined;
    throw error;
  });
  if (there === undefined) return false;
  if (!pool) return parseDescription(there.description)?.owner === owner;
  return isClaimedBy(there.description, owner) && !(isAlone && claimantsOf(there.description).length > 1);
}
