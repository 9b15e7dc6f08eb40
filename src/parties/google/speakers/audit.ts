import { memberOf, parseMember } from "../../../judge/google/principals.ts";
import {
  deployersIn,
  type Place,
  type Speaker,
  type Surroundings,
  speakersOn,
} from "../../../judge/google/speaking.ts";
import type { Address, Audit, AuditAsk, Ref, Resource, World } from "../../../model.ts";
import { inParallel } from "../../../run/retry.ts";
import { isBinding } from "../federation/binding-spec.ts";
import { type PoolProviderSpec, poolProviderAddress } from "../federation/spec.ts";
import type { AccountSpec } from "../kind.ts";
import { trustFrom } from "../trust-from.ts";
import { reachingOf, tellReaching } from "./direct.ts";
import { keyFindings } from "./keys.ts";
import { type Chain, type Concern, Reads, type Watched } from "./reads.ts";
import { type Telling, type Told, tell } from "./tell.ts";

/**
 * Who may speak as the accounts that links start from and end at: by the account's own policy, by those of its project,
 * folders and organization, and by keys (contract, section 9). Each policy is read once, whatever the number of links.
 */
export async function audit(ask: AuditAsk, world: World): Promise<Audit> {
  const accounts = watchedIn(ask);
  const reads = new Reads(world);
  const chains = await chainsOf(accounts, reads);
  const seen = await inParallel(accounts, 8, async (account) => {
    const { project, email, concern } = account;
    const chain = chains.get(project);
    const [place, keys] = await Promise.all([
      reads.place("account", { project, on: `serviceAccounts/${email}` }, concern),
      keyFindings(account, reads, world),
    ]);
    const places = place ? [place] : [];
    return { keys, speakers: chain ? await speakersIn({ ask, places, chain, reads, concern }) : [], account };
  });
  const inherited = await inParallel([...chains.values()], 4, async (chain) => {
    const concern = concernOf(accounts, chain.project);
    return { chain, speakers: await speakersIn({ ask, places: chain.places, chain, reads, concern }) };
  });
  const all: readonly Told[] = [
    ...seen.flatMap(({ speakers, account }) => speakers.map((speaker) => ({ speaker, accounts: [account] }))),
    ...sharedOf(inherited, accounts),
  ];
  const reaching = await reachingOf(ask, reads);
  const numbers = await numbersFor(ask, { all, accounts, reads, isNeeded: reaching.length > 0 });
  const pools = poolsIn(ask, numbers);
  const around = await surroundings(ask, { all, chains: [...chains.values()], numbers, pools, reads });
  const telling = { ask, around, granted: grantedBy(ask, pools), providersOf: providersIn(ask, pools) };
  const found = all.flatMap((told) => tell(told, telling));
  const listed = [...found, ...tellReaching(reaching, telling), ...seen.flatMap(({ keys }) => keys)];
  return {
    findings: listed.filter(({ severity }) => severity !== "hint"),
    inventory: listed.filter(({ severity }) => severity === "hint"),
    unwatched: reads.unwatched,
    failed: reads.failed,
  };
}

/** Accounts of the control plane are its own affair: a link that proves a canary starts from one. */
function watchedIn({ resources, live, control }: AuditAsk): readonly Watched[] {
  const own = [control?.checker, control?.provisioner];
  return resources.flatMap((resource) => {
    const there = live.get(resource.address);
    if (!isAccount(resource) || there?.state !== "present") return [];
    const { email, project } = resource.spec;
    const concern = { address: resource.address, links: resource.links };
    return own.includes(email) ? [] : [{ resource, email, project, concern }];
  });
}

const concernOf = (accounts: readonly Watched[], project: string): Concern => {
  const here = accounts.filter((account) => account.project === project);
  return {
    address: `google:project/${project}`,
    links: [...new Set(here.flatMap(({ resource }) => resource.links))],
  };
};

async function chainsOf(accounts: readonly Watched[], reads: Reads): Promise<ReadonlyMap<string, Chain>> {
  const projects = [...new Set(accounts.map(({ project }) => project))];
  const chains = await inParallel(projects, 4, (project) => reads.chain(project, concernOf(accounts, project)));
  return new Map(chains.map((chain) => [chain.project, chain]));
}

interface Numbering {
  readonly all: readonly Told[];
  readonly accounts: readonly Watched[];
  readonly reads: Reads;
  /** Some member is known to name a pool. */
  readonly isNeeded: boolean;
}

/** Numbers of the projects that the file names. They are asked for only where a member may name a project by its number. */
async function numbersFor(
  ask: AuditAsk,
  { all, accounts, reads, isNeeded }: Numbering,
): Promise<ReadonlyMap<string, string>> {
  if (!isNeeded && !all.some(({ speaker }) => /^principal|^project/.test(speaker.member))) return new Map();
  const named = poolsNamed(ask).map(({ address, links, spec }) => ({ project: String(spec.project), address, links }));
  const homes = accounts.map(({ project }) => ({ project, ...concernOf(accounts, project) }));
  const once = new Map([...homes, ...named].map((one) => [one.project, one]));
  const found = await inParallel([...once.values()], 4, async ({ project, ...concern }) => {
    const number = await reads.number(project, concern);
    return number === undefined ? [] : [[project, number] as const];
  });
  return new Map(found.flat());
}

const poolsNamed = ({ desired }: AuditAsk): readonly Resource[] =>
  desired.filter(({ address }) => address.startsWith("google:pool/"));

/** Full names of the pools that the file names, by their addresses. */
function poolsIn(ask: AuditAsk, numbers: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = poolsNamed(ask).flatMap(({ address, spec }) => {
    const number = numbers.get(String(spec.project));
    const name = `projects/${number}/locations/global/workloadIdentityPools/${String(spec.pool)}`;
    return number === undefined ? [] : [[String(address), name] as const];
  });
  return new Map(found);
}

/** The live pool providers of each pool that the file names, as the judge takes them. */
function providersIn(ask: AuditAsk, pools: ReadonlyMap<string, string>): Telling["providersOf"] {
  const wanted = new Map(ask.desired.map((resource) => [resource.address, resource]));
  return (member) => {
    const name = parseMember(member)?.pool;
    const address = [...pools].find(([, full]) => full === name)?.[0];
    const live = address === undefined ? undefined : ask.live.get(address as Address);
    if (name === undefined || live?.state !== "present") return [];
    const off = live.spec.disabled === true;
    return (live.seen ?? []).map((seen) => {
      const spec = seen as PoolProviderSpec;
      const own = wanted.get(poolProviderAddress({ ...spec, poolProvider: spec.id }))?.spec as
        | PoolProviderSpec
        | undefined;
      const full = `//iam.googleapis.com/${name}/providers/${spec.id}`;
      return {
        id: spec.id,
        trust: trustFrom(spec, full, off),
        // An issuer that only the cloud knows is the live one.
        wanted:
          own && trustFrom({ ...own, source: typeof own.source === "string" ? own.source : spec.source }, full, false),
      };
    });
  };
}

interface Looking {
  readonly ask: AuditAsk;
  readonly places: readonly Place[];
  readonly chain: Chain;
  readonly reads: Reads;
  readonly concern: Concern;
}

/** Whoever may speak by these policies; who may deploy is said by the project's and those above it. */
async function speakersIn({ ask, places, chain, reads, concern }: Looking): Promise<readonly Speaker[]> {
  const own = controlMembers(ask);
  const powers = await reads.powers(chain.project, [...chain.places, ...places], own, concern);
  const deployers = deployersIn(chain.places, powers);
  return places.flatMap((place) => speakersOn(place, deployers, powers)).filter(({ member }) => !own.includes(member));
}

/** crosstrust's own identities are no strangers. */
const controlMembers = ({ control }: AuditAsk): readonly string[] =>
  control ? [`serviceAccount:${control.checker}`, `serviceAccount:${control.provisioner}`] : [];

/** What stands above several projects is told once, for all of their accounts. */
function sharedOf(
  inherited: readonly { readonly chain: Chain; readonly speakers: readonly Speaker[] }[],
  accounts: readonly Watched[],
): readonly Told[] {
  const found = new Map<string, Told>();
  for (const { chain, speakers } of inherited) {
    const here = accounts.filter(({ project }) => project === chain.project);
    for (const speaker of speakers) {
      const key = `${speaker.on} ${speaker.member}`;
      found.set(key, { speaker, accounts: [...(found.get(key)?.accounts ?? []), ...here] });
    }
  }
  return [...found.values()];
}

interface Around {
  readonly all: readonly Told[];
  readonly chains: readonly Chain[];
  readonly numbers: ReadonlyMap<string, string>;
  readonly pools: ReadonlyMap<string, string>;
  readonly reads: Reads;
}

/** The organization is asked for its domain only where a group or a domain may speak. */
async function surroundings(ask: AuditAsk, { all, chains, numbers, pools, reads }: Around): Promise<Surroundings> {
  const projects = [...numbers].map(([id, number]) => ({ id, number }));
  const above = [...new Set(chains.flatMap((chain) => chain.above))];
  const mails = all.some(({ speaker }) => /^(?:group|domain):/.test(speaker.member));
  const domains = mails ? await domainsOf(chains, all, reads) : "unknown";
  return { projects, pools: [...pools.values()], above, domains, listed: ask.speakers };
}

async function domainsOf(
  chains: readonly Chain[],
  all: readonly Told[],
  reads: Reads,
): Promise<Surroundings["domains"]> {
  const tops = chains.flatMap(({ project, above }) => {
    const on = above.find((one) => one.startsWith("organizations/"));
    return on === undefined ? [] : [{ project, on }];
  });
  const once = [...new Map(tops.map((top) => [top.on, top])).values()];
  const links = [...new Set(all.flatMap(({ accounts }) => accounts.flatMap(({ resource }) => resource.links)))];
  const found = await inParallel(once, 4, ({ project, on }) =>
    reads.domain(project, on, { address: `google:project/${project}`, links }),
  );
  const known = found.filter((domain) => domain !== undefined);
  if (known.length < once.length) return "unknown";
  // What is above a project may be hidden from these credentials, too.
  const hidden = reads.unwatched.some(({ what }) => what.startsWith("what is above"));
  return known.length > 0 ? known : hidden ? "unknown" : "none";
}

const isAccount = (resource: Resource): resource is Resource<AccountSpec> =>
  resource.address.startsWith("google:serviceAccount/");

/** What the file's own links bind, as `ON MEMBER`. */
function grantedBy(ask: AuditAsk, pools: ReadonlyMap<string, string>): ReadonlySet<string> {
  const bindings = ask.desired.filter(isBinding);
  const found = bindings.flatMap(({ spec: { on, member, pool } }) => {
    if (pool === "") return [`${on} ${member}`];
    // A pool that is yet to be made grants nothing.
    const name = typeof pool === "string" ? pool : pools.get(String((pool as Ref).$ref));
    return name === undefined ? [] : [`${on} ${memberOf(name, member)}`];
  });
  return new Set(found);
}
