import { isPredefined, type Place, type Power, powersOf, powersOfRole } from "../../../judge/google/speaking.ts";
import type { Address, Resource, Unwatched, World } from "../../../model.ts";
import { CloudError, inParallel } from "../../../run/retry.ts";
import { getProject } from "../calls.ts";
import type { AccountSpec } from "../kind.ts";
import { getPolicy } from "../policies.ts";
import { memberOf } from "../remedy.ts";
import { getAncestors, getDomain, getRole } from "./calls.ts";

/** The links that a reading is for, to be told where it fails. */
export interface Concern {
  readonly address: Address;
  readonly links: readonly string[];
}

/** An account that a link starts from or ends at, and that is there. */
export interface Watched {
  readonly resource: Resource<AccountSpec>;
  readonly email: string;
  readonly project: string;
  readonly concern: Concern;
}

/** What the policies around the accounts of a project hold. */
export interface Chain {
  readonly project: string;
  /** `folders/ID` and `organizations/ID` above it, the nearest first. */
  readonly above: readonly string[];
  /** The policies of the project and of all that is above it, as far as they may be read. */
  readonly places: readonly Place[];
}

/** A refusal that does not pass by waiting. */
const refused = (error: unknown): error is CloudError =>
  error instanceof CloudError && ["denied", "missing", "unauthenticated", "credentials"].includes(error.class);

/** Everything that one audit reads, each thing once, with what it could not read. */
export class Reads {
  readonly unwatched: Unwatched[] = [];
  readonly failed: (Concern & { readonly error: unknown })[] = [];
  readonly world: World;
  private readonly known = new Map<string, Promise<unknown>>();

  constructor(world: World) {
    this.world = world;
  }

  /**
   * Reads something once. What may not be read is noted as not watched, what failed for the moment as failed; both give
   * undefined.
   */
  async read<T>(key: string, concern: Concern, gap: () => Promise<Unwatched>, work: () => Promise<T>) {
    const asked = (this.known.get(key) as Promise<T> | undefined) ?? work();
    const first = !this.known.has(key);
    this.known.set(key, asked);
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof CloudError) || error.class === "interrupted") throw error;
      if (!refused(error)) this.failed.push({ ...concern, error });
      else if (first) this.unwatched.push(await gap());
      return undefined;
    }
  }

  /** Whom a command has to name so that these credentials may look. */
  async self(project: string): Promise<string> {
    const session = await this.world.credentials({ party: "google", scope: project });
    return memberOf(session.principal);
  }

  /** What is missing, and the command that gives the role which allows it. */
  async gap(project: string, what: string, { on, role }: { readonly on: string; readonly role: string }) {
    return { what, fix: `${bindCommand(on)} --member=${await this.self(project)} --role=${role}` };
  }

  /** The number of a project, which members of its pools are called by. */
  async number(project: string, concern: Concern): Promise<string | undefined> {
    const gap = () => this.gap(project, `the project ${project}`, { on: `projects/${project}`, role: "roles/browser" });
    const found = await this.read(`project ${project}`, concern, gap, () => getProject(this.world, project));
    return found?.projectNumber;
  }

  /** The policies of a project and of everything above it. */
  async chain(project: string, concern: Concern): Promise<Chain> {
    const onProject = { on: `projects/${project}`, role: "roles/iam.securityReviewer" };
    const ancestors = () =>
      this.gap(project, `what is above the project ${project}`, { ...onProject, role: "roles/browser" });
    const [own, above = []] = await Promise.all([
      this.place("project", { project, on: onProject.on }, concern),
      this.read(`above ${project}`, concern, ancestors, () => getAncestors(this.world, project)),
    ]);
    const higher = await inParallel(above, 4, (on) =>
      this.place(on.startsWith("folders/") ? "folder" : "organization", { project, on }, concern),
    );
    return { project, above, places: [own, ...higher].filter((place) => place !== undefined) };
  }

  /** One policy. `on` as in `getPolicy`. */
  async place(
    level: Place["level"],
    { project, on }: { readonly project: string; readonly on: string },
    concern: Concern,
  ): Promise<Place | undefined> {
    const where = level === "account" ? `projects/${project}` : on;
    const what = level === "account" ? `the policies of accounts in ${project}` : `the policy of ${on}`;
    const gap = () => this.gap(project, what, { on: where, role: "roles/iam.securityReviewer" });
    const policy = await this.read(`policy ${on}`, concern, gap, () => getPolicy(this.world, { project, on }));
    return policy && { level, on, bindings: policy.bindings };
  }

  /** The domain of an organization; undefined where it may not be read. */
  async domain(project: string, on: string, concern: Concern): Promise<string | undefined> {
    const what = `whether groups and domains belong to ${on}`;
    const gap = () => this.gap(project, what, { on, role: "roles/resourcemanager.organizationViewer" });
    return this.read(`domain ${on}`, concern, gap, () => getDomain(this.world, project, on));
  }

  /**
   * What each role in these policies gives. A role that only `own` members hold is not looked at: what they may is
   * crosstrust's own.
   */
  async powers(project: string, places: readonly Place[], own: readonly string[], concern: Concern) {
    const bound = places.flatMap(({ bindings }) => bindings);
    const roles = bound.filter(({ role, members }) => !isPredefined(role) && members.some((one) => !own.includes(one)));
    const found = new Map<string, readonly Power[]>();
    await inParallel([...new Set(roles.map(({ role }) => role))], 4, async (name) => {
      const on = name.startsWith("organizations/") ? name.split("/").slice(0, 2).join("/") : `projects/${project}`;
      const role = on.startsWith("projects/") ? "roles/iam.roleViewer" : "roles/iam.organizationRoleViewer";
      const gap = () => this.gap(project, `what the custom role ${name} holds`, { on, role });
      const permissions = await this.read(`role ${name}`, concern, gap, () => getRole(this.world, project, name));
      found.set(name, powersOf(permissions ?? []));
    });
    return (role: string): readonly Power[] => found.get(role) ?? powersOfRole(role);
  }
}

/** The command that adds a member to a policy, or with `remove` takes one out of it, up to the member. */
export function bindCommand(on: string, verb: "add" | "remove" = "add"): string {
  const [kind = "", name = ""] = [on.slice(0, on.indexOf("/")), on.slice(on.indexOf("/") + 1)];
  const groups: Readonly<Record<string, string>> = {
    projects: "projects",
    folders: "resource-manager folders",
    organizations: "organizations",
    serviceAccounts: "iam service-accounts",
  };
  return `gcloud ${groups[kind] ?? kind} ${verb}-iam-policy-binding ${name}`;
}
