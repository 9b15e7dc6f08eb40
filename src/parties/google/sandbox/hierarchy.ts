import type { Host } from "../../../sandbox/fake.ts";
import { operator, type StoredPolicy, type StoredProject, type StoredRole } from "./store.ts";

/** A folder below an organization or another folder. */
export interface StoredFolder {
  readonly id: string;
  readonly displayName: string;
  /** `folders/ID` or `organizations/ID`. */
  readonly parent: string;
  readonly policy: StoredPolicy;
}

export interface StoredOrganization {
  readonly id: string;
  readonly domain: string;
  readonly policy: StoredPolicy;
}

/** A resource that policies are inherited from: `projects/ID`, `folders/ID` or `organizations/ID`. */
export interface Node {
  readonly name: string;
  readonly policy: StoredPolicy;
}

/** The organization of the operator, above every project that is not said to stand elsewhere. */
export const ownOrganization = "111111111111";

/** What the operator does in the organization reaches into no project: a right that is lost there is lost. */
const operatorRole: StoredRole = {
  name: `organizations/${ownOrganization}/roles/platformOperator`,
  title: "Platform operator",
  stage: "GA",
  permissions: [
    ...["create", "get", "getIamPolicy", "list", "move", "setIamPolicy", "update"].map((verb) => `folders.${verb}`),
    ...["get", "getIamPolicy", "setIamPolicy"].map((verb) => `organizations.${verb}`),
  ]
    .map((permission) => `resourcemanager.${permission}`)
    .concat("iam.roles.get"),
  etag: "BwYAAAAAAAE=",
};

/**
 * An everyday organization: whoever is of its domain may create projects, as in every new one (Resource Manager, "default
 * roles"), a person administrates it, and the operator looks after its folders.
 */
const fresh: StoredOrganization = {
  id: ownOrganization,
  domain: "example.com",
  policy: {
    version: 1,
    etag: "BwYAAAAAAAE=",
    bindings: [
      { role: operatorRole.name, members: [operator.member] },
      { role: "roles/billing.creator", members: ["domain:example.com"] },
      { role: "roles/resourcemanager.organizationAdmin", members: ["user:org-admin@example.com"] },
      { role: "roles/resourcemanager.projectCreator", members: ["domain:example.com"] },
    ],
  },
};

export const folderOf = (host: Host, id: string): StoredFolder | undefined =>
  host.state.get<StoredFolder>(`google.folder/${id}`);

export const saveFolder = (host: Host, folder: StoredFolder): void =>
  host.state.put(`google.folder/${folder.id}`, folder);

export const foldersIn = (host: Host, parent: string): readonly StoredFolder[] =>
  host.state
    .list<StoredFolder>("google.folder/")
    .map(([, folder]) => folder)
    .filter((folder) => folder.parent === parent);

/** The sandbox plays one organization. It is kept from the first call on that is about it, as a project is. */
export function organizationOf(host: Host, id: string): StoredOrganization | undefined {
  const stored = host.state.get<StoredOrganization>(`google.organization/${id}`);
  if (stored || id !== ownOrganization) return stored;
  host.state.put(`google.role/${operatorRole.name}`, operatorRole);
  saveOrganization(host, fresh);
  return fresh;
}

export const saveOrganization = (host: Host, organization: StoredOrganization): void =>
  host.state.put(`google.organization/${organization.id}`, organization);

/** Returns the name of what a project is directly below; undefined for one without an organization. */
export const parentOf = (project: StoredProject): string | undefined =>
  project.noOrganization ? undefined : (project.parent ?? `organizations/${ownOrganization}`);

/** Returns a folder or an organization with everything above it, the nearest first. */
export function lineOf(host: Host, name: string | undefined): readonly Node[] {
  const [kind, id = ""] = (name ?? "").split("/");
  if (kind === "organizations") {
    const stored = host.state.get<StoredOrganization>(`google.organization/${id}`);
    const { policy } = stored ?? fresh;
    return stored || id === ownOrganization ? [{ name: `organizations/${id}`, policy }] : [];
  }
  const folder = kind === "folders" ? folderOf(host, id) : undefined;
  return folder ? [{ name: `folders/${id}`, policy: folder.policy }, ...lineOf(host, folder.parent)] : [];
}

/** Returns a project with everything above it, the nearest first. */
export const lineOfProject = (host: Host, project: StoredProject): readonly Node[] => [
  { name: `projects/${project.number}`, policy: project.policy },
  ...lineOf(host, parentOf(project)),
];
