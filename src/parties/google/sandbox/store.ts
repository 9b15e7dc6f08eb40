import { createHash } from "node:crypto";
import { characters, type Host } from "../../../sandbox/fake.ts";
import type { View } from "../../../sandbox/state.ts";
import { isGoogleMade } from "./google-accounts.ts";
import { GoogleError, type Principal } from "./rest.ts";

/** Role and condition together tell one binding from another (google.md 12). */
export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
  readonly condition?: unknown;
}
/** `etag` is base64, as raw REST shows it (google.md, trap 10). */
export interface StoredPolicy {
  readonly version?: number;
  readonly etag: string;
  readonly bindings: readonly Binding[];
}

/** A project that was named once; nothing here deletes one. */
export interface StoredProject {
  readonly id: string;
  /** 12 digits, made from the id: principals and answers name a project by it. */
  readonly number: string;
  readonly policy: StoredPolicy;
  /** APIs that are switched off. */
  readonly disabled: readonly string[];
  /** No organization above it: no deny policies, and no organization policies but its own. */
  readonly noOrganization?: boolean;
  /** `folders/ID` or `organizations/ID`; without one a project is directly below the sandbox's organization. */
  readonly parent?: string;
  /** Where somebody gave it a name beside its id. */
  readonly title?: string;
  /** Boolean constraints that are enforced. */
  readonly constraints: readonly string[];
  /** Constraints on values, by their names. */
  readonly lists?: Readonly<Record<string, ListPolicy>>;
}

/** Which values are allowed; denied ones win, and where any are allowed nothing else is (Resource Manager v1). */
export interface ListPolicy {
  readonly allowedValues?: readonly string[];
  readonly deniedValues?: readonly string[];
  readonly allValues?: "ALLOW" | "DENY";
}

/** Kept under its unique id; `google.email/` leads from the e-mail of a living account to it. */
export interface StoredAccount {
  readonly uniqueId: string;
  readonly email: string;
  readonly project: string;
  readonly displayName?: string;
  readonly description?: string;
  readonly disabled?: boolean;
  /** Epoch milliseconds. */
  readonly deletedAt?: number;
  readonly policy: StoredPolicy;
}

/** A custom role, kept under its whole name `projects/P/roles/ID` or `organizations/N/roles/ID`. */
export interface StoredRole {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** `ALPHA`, `BETA`, `GA` ... A `DISABLED` one gives nothing. */
  readonly stage: string;
  readonly permissions: readonly string[];
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly deletedAt?: number;
}

/** The person at the keyboard: what the sandbox hands out as the operator's credentials is this one's. */
export const operator: Principal = { member: "user:operator@example.com", email: "operator@example.com" };

const etag = (text: string): string => createHash("sha256").update(text).digest().subarray(0, 8).toString("base64");
/** By their bytes: gcloud sends back in the URL's alphabet what it got in the other one. */
export const sameEtag = (one: string, other: string): boolean =>
  Buffer.from(one, "base64").equals(Buffer.from(other, "base64"));

/** The etag that is widely seen on an empty policy (google.md 12, unverified). */
export const emptyPolicy: StoredPolicy = { etag: "ACAB", bindings: [] };

/** A new version of a policy, with an etag that no earlier version had. */
export const nextPolicy = (host: Host, bindings: readonly Binding[], version: number): StoredPolicy => ({
  version,
  bindings,
  etag: etag(`policy/${host.state.next("policy")}`),
});

/** What has to be enabled before it answers, as in a new project of one's own (wire.md 4.0, 4.8). */
const startsOff = ["artifactregistry", "cloudbuild", "run", "workflowexecutions", "workflows"].map(
  (name) => `${name}.googleapis.com`,
);

/**
 * A project exists as soon as it is named (contract, section 5). Its operator owns it and may mint for every
 * account in it, so that a link can be proved as any workload; both stand in its policy and can be taken
 * away.
 */
export function projectOf(host: Host, name: string): StoredProject {
  const id = /^\d+$/.test(name) ? (host.state.get<string>(`google.number/${name}`) ?? name) : name;
  const known = host.state.get<StoredProject>(`google.project/${id}`);
  if (known) return known;
  const number = `1${characters(createHash("sha256").update(`project/${id}`).digest(), "0123456789", 11)}`;
  const bindings = [
    { role: "roles/iam.serviceAccountOpenIdTokenCreator", members: [operator.member] },
    { role: "roles/owner", members: [operator.member] },
  ];
  const project: StoredProject = {
    id,
    number,
    policy: nextPolicy(host, bindings, 1),
    disabled: startsOff,
    constraints: [],
  };
  host.state.put(`google.project/${id}`, project);
  host.state.put(`google.number/${number}`, id);
  return project;
}

export const saveProject = (host: Host, project: StoredProject): void =>
  host.state.put(`google.project/${project.id}`, project);

/** By e-mail or unique id; deleted ones are not found. */
export function accountOf(view: View, name: string): StoredAccount | undefined {
  const id = /^\d{15,}$/.test(name) ? name : view.get<string>(`google.email/${name}`);
  const account = id === undefined ? undefined : view.get<StoredAccount>(`google.account/${id}`);
  return account?.deletedAt === undefined ? account : undefined;
}

export const saveAccount = (host: Host, account: StoredAccount): void =>
  host.state.put(`google.account/${account.uniqueId}`, account);

/** A default account by its e-mail, with the name that Google gives it. */
interface DefaultAccount {
  readonly email: string;
  readonly displayName: string;
}

/**
 * A default account, such as that of Compute Engine, which builds run as. It gets the editor's role with it, unless the
 * organization's policy withholds that. When it is made, and that it is an editor, is approximate: new organizations
 * withhold it.
 */
export function addDefaultAccount(host: Host, { id }: StoredProject, { email, displayName }: DefaultAccount): void {
  if (accountOf(host.state, email)) return;
  const account = { uniqueId: newUniqueId(host, email), email, project: id, policy: emptyPolicy, displayName };
  saveAccount(host, account);
  host.state.put(`google.email/${email}`, account.uniqueId);
  const project = projectOf(host, id);
  if (project.constraints.includes("constraints/iam.automaticIamGrantsForDefaultServiceAccounts")) return;
  const editor = { role: "roles/editor", members: [`serviceAccount:${email}`] };
  saveProject(host, { ...project, policy: nextPolicy(host, [...project.policy.bindings, editor], 1) });
}

/** 21 digits, from the e-mail and a counter: made again, an account has a new one. */
export function newUniqueId(host: Host, email: string): string {
  const digest = createHash("sha256")
    .update(`${email}/${host.state.next(`google.account/${email}`)}`)
    .digest();
  return `10${characters(digest, "0123456789", 19)}`;
}

const membersOf = (bindings: readonly Binding[]): readonly string[] => bindings.flatMap(({ members }) => members);

/**
 * A service account that does not exist refuses the whole policy, as it does where a fresh one is bound too early;
 * a deleted one may stay and not be added (google.md 5). Nobody else is looked up: people are not kept here.
 */
function checkMembers(host: Host, before: readonly string[], after: readonly string[]): void {
  const missing = after.find((member) => {
    if (before.includes(member)) return false;
    if (member.startsWith("deleted:")) return true;
    const email = /^serviceAccount:(.+)$/.exec(member)?.[1];
    // `PROJECT.svc.id.goog[NAMESPACE/KSA]` names a workload of GKE, and nothing that is kept here.
    return email !== undefined && !email.includes("[") && !accountOf(host.state, email) && !isGoogleMade(host, email);
  });
  if (missing === undefined) return;
  const name = missing.replace(/^(?:deleted:)?serviceAccount:/, "");
  throw new GoogleError([400, "INVALID_ARGUMENT"], `Service account ${name} does not exist.`);
}

const kinds =
  /^((user|serviceAccount|group|domain|project(Owner|Editor|Viewer)|deleted|principal|principalSet):.|allUsers$|allAuthenticatedUsers$)/;

/** The words are recorded. */
function checkForms(members: readonly string[]): void {
  const wrong = members.find((member) => !kinds.test(member));
  if (wrong === undefined) return;
  const says = `The member ${wrong} is of an unknown type. Please set a valid type prefix for the member.`;
  throw new GoogleError([400, "INVALID_ARGUMENT"], says);
}

/** A custom role that is not there, or was deleted, can stay bound and not be bound anew; the words are approximate. */
function checkRoles(host: Host, before: readonly Binding[], after: readonly Binding[]): void {
  const missing = after.find(({ role }) => {
    if (role.startsWith("roles/") || before.some((one) => one.role === role)) return false;
    const found = host.state.get<StoredRole>(`google.role/${role}`);
    return found === undefined || found.deletedAt !== undefined;
  });
  if (missing === undefined) return;
  const says = `Role ${missing.role} does not exist in the resource's hierarchy.`;
  throw new GoogleError([400, "INVALID_ARGUMENT"], says);
}

const policyHolders = ["project", "folder", "organization", "account", "bucket", "pool", "run"].map(
  (kind) => `google.${kind}/`,
);

/**
 * Every binding of a deleted account, in every policy, names it by its unique id from then on, so that a namesake
 * inherits nothing; undelete turns them back (google.md 5).
 */
export function renameMembers(host: Host, { email, uniqueId }: StoredAccount, how: "deleted" | "restored"): void {
  const names = [`serviceAccount:${email}`, `deleted:serviceAccount:${email}?uid=${uniqueId}`] as const;
  const [from, to] = how === "deleted" ? names : [names[1], names[0]];
  for (const prefix of policyHolders) {
    for (const [key, holder] of host.state.list<{ readonly policy?: StoredPolicy }>(prefix)) {
      if (!holder.policy || !membersOf(holder.policy.bindings).includes(from)) continue;
      const bindings = holder.policy.bindings.map((binding) => ({
        ...binding,
        members: binding.members.map((member) => (member === from ? to : member)),
      }));
      host.state.put(key, { ...holder, policy: { ...holder.policy, bindings } });
    }
  }
}

/**
 * The policy to store. An etag must be the one that was read; without one the write is blind (google.md, trap
 * 16). Throws 409 in Google's words, which tell clients to start over. Bindings without members vanish.
 */
export function checkedPolicy(host: Host, current: StoredPolicy, given: Partial<StoredPolicy>): StoredPolicy {
  // Bytes in base64: gcloud writes the other alphabet than it read.
  if (given.etag !== undefined && !sameEtag(given.etag, current.etag)) {
    throw new GoogleError(
      [409, "ABORTED"],
      "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff.",
    );
  }
  const bindings = (given.bindings ?? []).filter((binding) => binding.members?.length > 0);
  // Version 3 is what says that the writer knows of conditions (google.md 12); the words are approximate.
  if (given.version !== 3 && bindings.some(({ condition }) => condition !== undefined))
    throw new GoogleError([400, "INVALID_ARGUMENT"], "A policy with conditions must have version 3.");
  checkForms(membersOf(bindings));
  checkMembers(host, membersOf(current.bindings), membersOf(bindings));
  checkRoles(host, current.bindings, bindings);
  return nextPolicy(host, bindings, given.version ?? 1);
}
