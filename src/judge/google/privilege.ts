import type { Remark } from "../../model.ts";
import { remark } from "../../model.ts";

/**
 * Predefined roles that amount to owning a project, or to becoming anybody in it, as of 2026-11: they write policies,
 * speak as other identities, or make keys of them.
 */
const privilegedRoles: readonly string[] = [
  "admin",
  "editor",
  "owner",
  "writer",
  "iam.denyAdmin",
  "iam.organizationRoleAdmin",
  "iam.principalAccessBoundaryAdmin",
  "iam.roleAdmin",
  "iam.securityAdmin",
  "iam.serviceAccountAdmin",
  "iam.serviceAccountKeyAdmin",
  "iam.serviceAccountOpenIdTokenCreator",
  "iam.serviceAccountTokenCreator",
  "iam.serviceAccountUser",
  "iam.workloadIdentityPoolAdmin",
  "iam.workloadIdentityUser",
  "privilegedaccessmanager.admin",
  "resourcemanager.folderAdmin",
  "resourcemanager.folderIamAdmin",
  "resourcemanager.organizationAdmin",
  "resourcemanager.projectIamAdmin",
];

/** They reach into every service of a project without writing anything. */
const basicRoles: readonly string[] = ["roles/browser", "roles/reader", "roles/viewer"];

const isProject = (resource: string): boolean => resource.startsWith("//cloudresourcemanager.googleapis.com/");

/** What is to be said of one role on one resource, by its full name. A role on one bucket reaches no further than it. */
export function judgeGrant(role: string, resource: string): readonly Remark[] {
  const of = `${role} on ${resource}`;
  if (!role.startsWith("roles/") || role.endsWith(".serviceAgent")) return [unjudged(role, of)];
  if (!isProject(resource)) return [];
  if (privilegedRoles.includes(role.slice("roles/".length))) {
    return [
      remark("GOOGLE-PRIVILEGED", {
        severity: "security",
        of,
        says: `${of} makes whoever gets in an administrator`,
        fix: ["name a role that holds what the workload needs"],
      }),
    ];
  }
  if (!basicRoles.includes(role)) return [];
  return [
    remark("GOOGLE-BASIC-ROLE", {
      severity: "warning",
      of,
      says: `${role} is a basic role: it reaches into every service of the project, those to come included`,
      fix: ["a role of the one service it needs"],
    }),
  ];
}

/** Roles of Cloud Storage, each of which holds what the one before it holds (IAM roles for Cloud Storage). */
const storage: readonly string[] = ["objectViewer", "objectUser", "objectAdmin", "admin"];

/** Whether a predefined role is known to give no less than another one on the same resource. */
export function holdsNoLess(role: string, than: string): boolean {
  if (role === than || role === "roles/owner" || role === "roles/admin") return true;
  const rank = (one: string): number => storage.indexOf(one.replace(/^roles\/storage\./, ""));
  return rank(than) >= 0 && rank(role) > rank(than);
}

/** The permissions of a custom role are not read here, and those of a service agent are Google's to change. */
const unjudged = (role: string, of: string): Remark =>
  remark("PRIVILEGE-NOT-JUDGED", {
    severity: "warning",
    of,
    says: role.startsWith("roles/")
      ? `${role} is meant for a service of Google, which changes what it may do: its privilege is not judged`
      : `crosstrust does not read the permissions of the custom role ${role}, so its privilege is not judged`,
    fix: ["name a predefined role; or accept it, once you have looked at its permissions"],
  });
