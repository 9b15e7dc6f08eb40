import type { Host } from "../../../sandbox/fake.ts";
import { lineOfProject } from "./hierarchy.ts";
import type { Principal } from "./rest.ts";
import { accountOf, projectOf } from "./store.ts";

/** The members of groups by their e-mails, as far as somebody has stated them: the sandbox plays no directory. */
type StoredGroups = Readonly<Record<string, readonly string[]>>;

/**
 * Returns every member of an allow policy that means this principal. An identity from a pool is no authenticated user
 * (IAM, "principal identifiers"); a user of a domain is told by the e-mail; a group has the members that are stated.
 */
export function membersFor(principal: Principal, host: Host): ReadonlySet<string> {
  const { member, also = [] } = principal;
  if (member === "anonymous") return new Set(["allUsers"]);
  const federated = member.startsWith("principal");
  const domain = /^user:.+@(.+)$/.exec(member)?.[1];
  return new Set([
    member,
    ...also,
    "allUsers",
    ...(federated ? [] : ["allAuthenticatedUsers"]),
    ...(domain === undefined ? [] : [`domain:${domain}`]),
    ...groupsOf(member, host).map((email) => `group:${email}`),
    ...setsOf(principal, host),
  ]);
}

/** Returns the names that a deny policy has for a principal (google.md 3.1). */
export function deniedAs({ member, email, also = [] }: Principal, host: Host): ReadonlySet<string> {
  const own = member.startsWith("user:")
    ? [`principal://goog/subject/${email}`]
    : member.startsWith("serviceAccount:")
      ? [`principal://iam.googleapis.com/projects/-/serviceAccounts/${email}`]
      : [member, ...also];
  const groups = groupsOf(member, host).map((group) => `principalSet://goog/group/${group}`);
  return new Set(["principalSet://goog/public:all", ...own, ...groups]);
}

const groupsOf = (member: string, host: Host): readonly string[] =>
  Object.entries(host.state.get<StoredGroups>("google.groups") ?? {})
    .filter(([, members]) => members.includes(member))
    .map(([email]) => email);

/** All service accounts of a project, a folder or an organization are one member, too. */
function setsOf({ member, email }: Principal, host: Host): readonly string[] {
  const account = member.startsWith("serviceAccount:") ? accountOf(host.state, email) : undefined;
  if (!account) return [];
  return lineOfProject(host, projectOf(host, account.project)).map(
    ({ name }) => `principalSet://cloudresourcemanager.googleapis.com/${name}/type/ServiceAccount`,
  );
}
