import { parseMember, type Tail } from "./principals.ts";

/**
 * What a permission gives over a service account. `speak`: tokens and signatures of the account. `keys`: a key of the
 * account. `...Policy`: the right to grant oneself any of it, on the thing that the name says. `actAs` and `deploy`
 * speak only together: something that runs as the account has to be deployed, too.
 */
export type Power =
  | "speak"
  | "keys"
  | "accountPolicy"
  | "projectPolicy"
  | "folderPolicy"
  | "organizationPolicy"
  | "actAs"
  | "deploy";

/** Where a binding stands. What is bound on an organization holds for everything below it. */
export type Level = "account" | "project" | "folder" | "organization";

const byPermission: readonly (readonly [RegExp, Power])[] = [
  [/^iam\.serviceAccounts\.(?:getAccessToken|getOpenIdToken|signJwt|signBlob|implicitDelegation)$/, "speak"],
  [/^iam\.serviceAccountKeys\.(?:create|upload)$/, "keys"],
  [/^iam\.serviceAccounts\.setIamPolicy$/, "accountPolicy"],
  [/^resourcemanager\.projects\.setIamPolicy$/, "projectPolicy"],
  [/^resourcemanager\.folders\.setIamPolicy$/, "folderPolicy"],
  [/^resourcemanager\.organizations\.setIamPolicy$/, "organizationPolicy"],
  [/^iam\.serviceAccounts\.actAs$/, "actAs"],
  [
    /^(?:run\.(?:services|jobs|workerpools)|cloudfunctions\.functions|compute\.(?:instances|instanceTemplates)|workflows\.workflows|cloudscheduler\.jobs|cloudtasks\.tasks|pubsub\.subscriptions|cloudbuild\.builds|dataflow\.jobs|composer\.environments|appengine\.versions|deploymentmanager\.deployments)\.(?:create|update)$/,
    "deploy",
  ],
  [/^compute\.instances\.(?:setServiceAccount|setMetadata)$/, "deploy"],
];

/** The powers in a list of permissions, as a custom role holds it. */
export const powersOf = (permissions: readonly string[]): readonly Power[] => [
  ...new Set(permissions.flatMap((one) => byPermission.flatMap(([fits, power]) => (fits.test(one) ? [power] : [])))),
];

const everyPower: readonly Power[] = [
  "speak",
  "keys",
  "accountPolicy",
  "projectPolicy",
  "folderPolicy",
  "organizationPolicy",
  "actAs",
  "deploy",
];

/**
 * Predefined roles that hold such a permission, by what Google documents of them (unverified in part: Google changes
 * the content of predefined roles). An owner may set policies; an editor may make keys and deploy as any account.
 */
const predefined: Readonly<Record<string, readonly Power[]>> = {
  "roles/owner": ["keys", "accountPolicy", "projectPolicy", "actAs", "deploy"],
  "roles/admin": ["keys", "accountPolicy", "projectPolicy", "actAs", "deploy"],
  "roles/editor": ["keys", "actAs", "deploy"],
  "roles/writer": ["keys", "actAs", "deploy"],
  "roles/iam.serviceAccountTokenCreator": ["speak"],
  "roles/iam.serviceAccountOpenIdTokenCreator": ["speak"],
  "roles/iam.workloadIdentityUser": ["speak"],
  "roles/iam.serviceAccountUser": ["actAs"],
  "roles/iam.serviceAccountAdmin": ["accountPolicy"],
  "roles/iam.serviceAccountKeyAdmin": ["keys"],
  "roles/iam.securityAdmin": ["accountPolicy", "projectPolicy", "folderPolicy", "organizationPolicy"],
  "roles/resourcemanager.projectIamAdmin": ["projectPolicy"],
  "roles/resourcemanager.folderIamAdmin": ["folderPolicy"],
  "roles/resourcemanager.folderAdmin": ["projectPolicy", "folderPolicy"],
  "roles/resourcemanager.organizationAdmin": ["projectPolicy", "folderPolicy", "organizationPolicy"],
  "roles/run.admin": ["deploy"],
  "roles/run.developer": ["deploy"],
  "roles/run.sourceDeveloper": ["deploy"],
  "roles/cloudfunctions.admin": ["deploy"],
  "roles/cloudfunctions.developer": ["deploy"],
  "roles/compute.admin": ["deploy"],
  "roles/compute.instanceAdmin": ["deploy"],
  "roles/compute.instanceAdmin.v1": ["deploy"],
  "roles/workflows.admin": ["deploy"],
  "roles/workflows.editor": ["deploy"],
  "roles/cloudscheduler.admin": ["deploy"],
  "roles/cloudtasks.admin": ["deploy"],
  "roles/cloudtasks.enqueuer": ["deploy"],
  "roles/pubsub.admin": ["deploy"],
  "roles/pubsub.editor": ["deploy"],
  "roles/cloudbuild.builds.editor": ["deploy"],
  "roles/dataflow.admin": ["deploy"],
  "roles/dataflow.developer": ["deploy"],
  "roles/composer.admin": ["deploy"],
  "roles/appengine.appAdmin": ["deploy"],
  "roles/appengine.deployer": ["deploy"],
  "roles/deploymentmanager.editor": ["deploy"],
};

/**
 * The powers of a role that Google defines. What a service agent's role holds changes with its service, so it counts
 * for everything; the agents themselves are inventory.
 */
export const powersOfRole = (role: string): readonly Power[] =>
  predefined[role] ?? (/[sS]erviceAgent$/.test(role) ? everyPower : []);

/** Google defines it, so that nobody has to be asked what is in it. */
export const isPredefined = (role: string): boolean => role.startsWith("roles/");

const counts: Readonly<Record<Level, ReadonlySet<Power>>> = {
  account: new Set<Power>(["speak", "keys", "accountPolicy", "actAs"]),
  project: new Set<Power>(["speak", "keys", "accountPolicy", "projectPolicy", "actAs", "deploy"]),
  folder: new Set<Power>(["speak", "keys", "accountPolicy", "projectPolicy", "folderPolicy", "actAs", "deploy"]),
  organization: new Set<Power>(everyPower),
};

/** One binding of an IAM policy. */
export interface Bound {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: unknown;
}

/** One policy that holds for an account. */
export interface Place {
  readonly level: Level;
  /** `serviceAccounts/E-MAIL`, `projects/P`, `folders/ID` or `organizations/ID`. */
  readonly on: string;
  readonly bindings: readonly Bound[];
}

/** One member who may speak as the accounts below a place. */
export interface Speaker {
  readonly level: Level;
  readonly on: string;
  readonly member: string;
  /** The roles that it takes, in order. */
  readonly roles: readonly string[];
  /** Every one of its bindings has a condition: whether it holds now is not decided here. */
  readonly conditional: boolean;
  /** Without a condition, and without deploying anything first. */
  readonly direct: boolean;
}

type PowersOf = (role: string) => readonly Power[];

const isPublic = (member: string): boolean => member === "allUsers" || member === "allAuthenticatedUsers";

/** Members of these policies who may deploy what runs as an account. */
export const deployersIn = (places: readonly Place[], powers: PowersOf): ReadonlySet<string> =>
  new Set(
    places
      .filter(({ level }) => counts[level].has("deploy"))
      .flatMap(({ bindings }) => bindings.filter(({ role }) => powers(role).includes("deploy")))
      .flatMap(({ members }) => members),
  );

/** Returns every member of one policy who may speak as the accounts that it holds for, whoever the member is. */
export function speakersOn(place: Place, deployers: ReadonlySet<string>, powers: PowersOf): readonly Speaker[] {
  const held = new Map<string, { role: string; conditional: boolean; direct: boolean }[]>();
  for (const { role, members, condition } of place.bindings) {
    const here = powers(role).filter((power) => counts[place.level].has(power));
    const direct = here.some((power) => power !== "actAs" && power !== "deploy");
    const conditional = condition !== undefined && condition !== null;
    for (const member of members) {
      const acts = here.includes("actAs") && (deployers.has(member) || isPublic(member));
      if (!direct && !acts) continue;
      held.set(member, [...(held.get(member) ?? []), { role, conditional, direct: direct && !conditional }]);
    }
  }
  return [...held].map(([member, all]) => ({
    level: place.level,
    on: place.on,
    member,
    roles: [...new Set(all.map(({ role }) => role))].sort(),
    conditional: all.every((one) => one.conditional),
    direct: all.some((one) => one.direct),
  }));
}

/** What is known around an account, to tell who belongs to the file's own organization. */
export interface Surroundings {
  /** Projects that the file names, by id and number. */
  readonly projects: readonly { readonly id: string; readonly number: string }[];
  /** Pools that the file names, by their full names. */
  readonly pools: readonly string[];
  /** Folders and organizations above those projects: `folders/ID`, `organizations/ID`. */
  readonly above: readonly string[];
  /** Domains of the organization; `none` where a project has no organization, `unknown` where it may not be read. */
  readonly domains: readonly string[] | "none" | "unknown";
  /** `speakers:` of the file. */
  readonly listed?: readonly string[] | undefined;
}

/** What a member is to the file. */
export interface Standing {
  /** `known`: inventory. `gone`: nobody any more. */
  readonly sort: "known" | "security" | "gone";
  /** In words that go in front of "may speak as". */
  readonly who: string;
  /** No list and no organization bounds who it is. */
  readonly unbounded: boolean;
  /** A set of identities of a pool that the file names: who can come through it, the judge of the pool decides. */
  readonly pool?: { readonly name: string; readonly tail: Tail };
}

const known = (who: string): Standing => ({ sort: "known", who, unbounded: false });
const security = (who: string, unbounded = false): Standing => ({ sort: "security", who, unbounded });

/**
 * Says what a member is to the file (contract, section 9). Public members and whole pools of others are unbounded; sets
 * of a pool, groups and domains of others are security without a witness; whoever is named one by one is inventory,
 * unless the file lists its speakers and does not name it.
 */
export function standingOf(member: string, around: Surroundings): Standing {
  const found = plainStanding(member, around);
  const listed = around.listed?.some((one) => sameMember(one, member)) === true;
  if (listed && !found.unbounded) return known(found.who);
  if (found.sort === "known" && around.listed) return security(`${found.who}, whom speakers: does not list,`);
  return found;
}

/** E-mails and domains do not depend on case; what names a pool does. */
const sameMember = (one: string, other: string): boolean =>
  one === other || (/^(?:user|group|domain|serviceAccount):/.test(one) && one.toLowerCase() === other.toLowerCase());

function plainStanding(member: string, around: Surroundings): Standing {
  if (member === "allUsers") return security("anybody (allUsers)", true);
  if (member === "allAuthenticatedUsers")
    return security("anybody with a Google account (allAuthenticatedUsers)", true);
  if (member.startsWith("deleted:")) return { sort: "gone", who: member, unbounded: false };
  if (/^principal(?:Set)?:/.test(member)) return principalStanding(member, around);
  const [kind = "", name = ""] = [member.slice(0, member.indexOf(":")), member.slice(member.indexOf(":") + 1)];
  if (kind === "user") return known(`the user ${name}`);
  if (kind === "serviceAccount") return known(accountWords(name));
  if (kind === "group" || kind === "domain") return mailStanding(kind, name, around);
  if (/^project(?:Owner|Editor|Viewer)$/.test(kind)) {
    const own = around.projects.some(({ id, number }) => name === id || name === number);
    return own ? known(member) : security(`${member}, of a project that the file does not name,`);
  }
  return security(`${member}, a kind of member that crosstrust does not know,`);
}

function mailStanding(kind: "group" | "domain", name: string, { domains }: Surroundings): Standing {
  const domain = name.slice(name.indexOf("@") + 1).toLowerCase();
  const who = `the ${kind} ${name}`;
  // That nobody could look is said once, as what is not watched.
  if (domains === "unknown") return known(who);
  if (domains === "none") return security(`${who}, which no organization of the file contains,`);
  const inside = domains.some((own) => domain === own.toLowerCase() || domain.endsWith(`.${own.toLowerCase()}`));
  return inside ? known(who) : security(`${who}, outside of the organization (${domains.join(", ")}),`);
}

/** Projects of Google that service agents live in; nobody else can have one of these names. */
const agents =
  /^(?:service-(?:org-|folder-)?\d+@(?:gcp-sa-[a-z0-9-]+|compute-system|container-engine-robot|serverless-robot-prod|gcf-admin-robot|containerregistry|cloudcomposer-accounts|dataflow-service-producer-prod|dataproc-accounts|gae-api-prod|gs-project-accounts|sourcerepo-service-accounts|cloud-ml\.google\.com)\.iam\.gserviceaccount\.com|\d+@cloudservices\.gserviceaccount\.com|\d+@cloudbuild\.gserviceaccount\.com|firebase-service-account@firebase-sa-management\.iam\.gserviceaccount\.com)$/;
const defaults = /^(?:\d+-compute@developer|[a-z][a-z0-9-]+@appspot)\.gserviceaccount\.com$/;

/** All of them are inventory; the words only say what they are. */
function accountWords(name: string): string {
  if (defaults.test(name)) return `the default account ${name}`;
  if (agents.test(name)) return `Google's service agent ${name}`;
  if (name.includes("[")) return `the GKE workload ${name}`;
  return `the account ${name}`;
}

const ofPool =
  /^principal(Set)?:\/\/iam\.googleapis\.com\/(projects\/(\d+)\/locations\/[^/]+\/workloadIdentityPools\/([^/]+))\/(.+)$/;
const ofWorkforce = /^principal(Set)?:\/\/iam\.googleapis\.com\/locations\/[^/]+\/workforcePools\/([^/]+)\/(.+)$/;
const ofResources =
  /^principalSet:\/\/cloudresourcemanager\.googleapis\.com\/((projects|folders|organizations)\/[^/]+)/;

function principalStanding(member: string, around: Surroundings): Standing {
  const [pool, set, name = "", number = "", id = "", tail = ""] = ofPool.exec(member) ?? [];
  if (pool !== undefined) {
    if (set === undefined) return known(`the identity ${tail.replace(/^subject\//, "")} of the pool ${id}`);
    return poolStanding({ name, number, id, tail }, around);
  }
  const [force, many, forcePool] = ofWorkforce.exec(member) ?? [];
  if (force !== undefined) {
    return many === undefined
      ? known(`one person of the workforce pool ${forcePool}`)
      : security(`a set of people of the workforce pool ${forcePool}`);
  }
  const [, resource = ""] = ofResources.exec(member) ?? [];
  if (resource === "") return security(`${member}, a kind of member that crosstrust does not know,`);
  const own = around.projects.map((project) => `projects/${project.number}`);
  return [...own, ...around.above].includes(resource)
    ? known(`a set of accounts of ${resource}`)
    : security(`a set of accounts of ${resource}, which the file does not name,`);
}

interface PoolSet {
  readonly name: string;
  readonly number: string;
  readonly id: string;
  readonly tail: Tail;
}

function poolStanding({ name, number, id, tail }: PoolSet, { projects, pools }: Surroundings): Standing {
  const whole = tail === "*";
  const own = projects.some((project) => project.number === number);
  const all = whole ? "every identity" : `the identities ${tail}`;
  if (pools.includes(name)) return { ...security(`${all} of the file's own pool ${id}`), pool: { name, tail } };
  if (!own) return security(`${all} of the pool ${id} of another project (${number})`, whole);
  // A cluster's own pool: a namespace of it is named like a workload (Google's guide for GKE).
  if (!whole && /\.svc\.id\.goog$/.test(id)) return known(`${all} of the cluster pool ${id}`);
  return security(`${all} of the pool ${id}, which the file does not name,`);
}

/** Members of one account's policy and of those above it that name identities of one pool. */
export interface Tails {
  readonly speakers: readonly Pick<Speaker, "member">[];
  /** The pool's full name, with the project's number. */
  readonly pool: string;
  /** The ends of the members that the file grants on the account. */
  readonly wanted: readonly Tail[];
}

/**
 * Returns the ends of members of a pool that may speak as an account although no link of the file grants it: what a
 * judge of the pool's live providers has to try outsiders against.
 */
export function unwantedTails({ speakers, pool, wanted }: Tails): readonly Tail[] {
  const tails = speakers.flatMap(({ member }) => {
    const parsed = parseMember(member);
    return parsed?.pool === pool ? [parsed.tail] : [];
  });
  return [...new Set(tails)].filter((tail) => !wanted.includes(tail));
}
