import { describe, expect, test } from "vitest";
import {
  type Bound,
  deployersIn,
  type Level,
  powersOf,
  powersOfRole,
  type Surroundings,
  speakersOn,
  standingOf,
  unwantedTails,
} from "../src/judge/google/speaking.ts";

// Who may speak as an account (contract, section 9): which permissions count where, and what each kind of member is.

const role = (id: string) => `roles/${id}`;
const bound = (id: string, ...members: string[]): Bound => ({ role: role(id), members });

const speakers = (level: Level, bindings: readonly Bound[], deployers: readonly string[] = []) =>
  speakersOn({ level, on: "projects/acme-prod", bindings }, new Set(deployers), powersOfRole).map(
    ({ member }) => member,
  );

const eve = "user:eve@example.com";

describe("a permission", () => {
  test.each([
    ["iam.serviceAccounts.getAccessToken", "speak"],
    ["iam.serviceAccounts.getOpenIdToken", "speak"],
    ["iam.serviceAccounts.signJwt", "speak"],
    ["iam.serviceAccounts.signBlob", "speak"],
    ["iam.serviceAccounts.implicitDelegation", "speak"],
    ["iam.serviceAccountKeys.create", "keys"],
    ["iam.serviceAccounts.setIamPolicy", "accountPolicy"],
    ["resourcemanager.projects.setIamPolicy", "projectPolicy"],
    ["resourcemanager.folders.setIamPolicy", "folderPolicy"],
    ["resourcemanager.organizations.setIamPolicy", "organizationPolicy"],
    ["iam.serviceAccounts.actAs", "actAs"],
    ["run.services.create", "deploy"],
  ])("%s is the power %s", (permission, power) => {
    expect(powersOf([permission, "storage.objects.get"])).toEqual([power]);
  });

  test.each([
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.getIamPolicy",
    "iam.serviceAccounts.list",
    "iam.serviceAccountKeys.list",
    "iam.serviceAccounts.actAsX",
    "resourcemanager.projects.getIamPolicy",
    "run.services.get",
    "storage.buckets.setIamPolicy",
  ])("%s is none", (permission) => {
    expect(powersOf([permission])).toEqual([]);
  });
});

describe("a role", () => {
  test.each([
    ["iam.serviceAccountTokenCreator", "account"],
    ["iam.serviceAccountOpenIdTokenCreator", "account"],
    ["iam.workloadIdentityUser", "account"],
    ["iam.serviceAccountAdmin", "account"],
    ["iam.serviceAccountKeyAdmin", "account"],
    ["owner", "project"],
    ["editor", "project"],
    ["resourcemanager.projectIamAdmin", "project"],
    ["iam.securityAdmin", "organization"],
    ["resourcemanager.folderIamAdmin", "folder"],
    ["resourcemanager.organizationAdmin", "organization"],
    ["pubsub.serviceAgent", "project"],
  ] as const)("%s on an %s lets its members speak", (id, level) => {
    expect(speakers(level, [bound(id, eve)], id === "editor" ? [eve] : [])).toEqual([eve]);
  });

  test.each([
    ["viewer", "project"],
    ["storage.objectAdmin", "project"],
    ["iam.serviceAccountViewer", "account"],
    ["iam.securityReviewer", "organization"],
    // What is said of a project's policy means nothing in the policy of an account.
    ["resourcemanager.projectIamAdmin", "account"],
    ["resourcemanager.folderIamAdmin", "project"],
    ["run.admin", "project"],
  ] as const)("%s on an %s does not", (id, level) => {
    expect(speakers(level, [bound(id, eve)])).toEqual([]);
  });

  test("that lets its members act as the account counts together with the right to deploy", () => {
    const user = bound("iam.serviceAccountUser", eve, "user:jo@example.com");
    const place = { level: "project", on: "projects/p", bindings: [bound("run.developer", eve)] } as const;
    const deployers = deployersIn([place], powersOfRole);
    expect(speakers("account", [user], [...deployers])).toEqual([eve]);
    expect(speakers("account", [bound("iam.serviceAccountUser", "allUsers")])).toEqual(["allUsers"]);
  });

  test("is counted under a condition, too, and said to have one", () => {
    const condition = { title: "expires", expression: "request.time < timestamp('2020-01-01T00:00:00Z')" };
    const bindings = [{ ...bound("owner", eve), condition }];
    const [speaker] = speakersOn({ level: "project", on: "projects/p", bindings }, new Set(), powersOfRole);
    expect(speaker).toMatchObject({ conditional: true, direct: false });
  });

  test("of one's own is taken apart", () => {
    const powers = () => powersOf(["iam.serviceAccounts.signBlob"]);
    const place = { level: "project", on: "projects/p", bindings: [{ role: "projects/p/roles/x", members: [eve] }] };
    expect(speakersOn(place as Parameters<typeof speakersOn>[0], new Set(), powers)).toHaveLength(1);
  });
});

const pools = "locations/global/workloadIdentityPools";
const own = `projects/111/${pools}/partners`;
const around: Surroundings = {
  projects: [{ id: "acme-prod", number: "111" }],
  pools: [own],
  above: ["folders/7", "organizations/9"],
  domains: ["example.com"],
};
const set = (name: string, tail: string) => `principalSet://iam.googleapis.com/${name}/${tail}`;
const one = (name: string, subject: string) => `principal://iam.googleapis.com/${name}/subject/${subject}`;
const resources = "principalSet://cloudresourcemanager.googleapis.com";

describe("a member", () => {
  test.each([
    ["allUsers"],
    ["allAuthenticatedUsers"],
    [set(`projects/999/${pools}/theirs`, "*")],
    [set(`projects/999/${pools}/other-prod.svc.id.goog`, "*")],
  ])("%s is security, and unbounded", (member) => {
    expect(standingOf(member, around)).toMatchObject({ sort: "security", unbounded: true });
  });

  test.each([
    [set(`projects/999/${pools}/theirs`, "attribute.repository/acme/app")],
    [set(`projects/111/${pools}/not-in-the-file`, "*")],
    [set(`projects/111/${pools}/not-in-the-file`, "group/admins")],
    [set(`projects/111/${pools}/acme-prod.svc.id.goog`, "*")],
    ["principalSet://iam.googleapis.com/locations/global/workforcePools/people/*"],
    ["principalSet://iam.googleapis.com/locations/global/workforcePools/people/group/admins"],
    [`${resources}/projects/999/type/ServiceAccount`],
    ["group:admins@elsewhere.com"],
    ["group:admins@notexample.com"],
    ["domain:elsewhere.com"],
    ["projectOwner:other-prod"],
    ["whatever:comes@next"],
  ])("%s is security, and bounded", (member) => {
    expect(standingOf(member, around)).toMatchObject({ sort: "security", unbounded: false });
  });

  test.each([
    ["user:eve@example.com"],
    ["user:eve@gmail.com"],
    ["group:admins@example.com"],
    ["group:admins@eu.Example.com"],
    ["domain:example.com"],
    ["serviceAccount:ci@acme-prod.iam.gserviceaccount.com"],
    ["serviceAccount:ci@other-prod.iam.gserviceaccount.com"],
    ["serviceAccount:111-compute@developer.gserviceaccount.com"],
    ["serviceAccount:acme-prod@appspot.gserviceaccount.com"],
    ["serviceAccount:service-111@gcp-sa-pubsub.iam.gserviceaccount.com"],
    ["serviceAccount:111@cloudservices.gserviceaccount.com"],
    ["serviceAccount:acme-prod.svc.id.goog[default/app]"],
    ["projectOwner:acme-prod"],
    [one(`projects/111/${pools}/acme-prod.svc.id.goog`, "ns/default/sa/app")],
    [one(`projects/999/${pools}/theirs`, "repo:acme/app:ref:refs/heads/main")],
    [set(`projects/111/${pools}/acme-prod.svc.id.goog`, "namespace/default")],
    [`${resources}/projects/111/type/ServiceAccount`],
    [`${resources}/folders/7/type/ServiceAccount`],
  ])("%s is inventory", (member) => {
    expect(standingOf(member, around)).toMatchObject({ sort: "known", unbounded: false });
  });

  test("that was deleted is nobody", () => {
    expect(standingOf("deleted:user:eve@example.com?uid=1", around).sort).toBe("gone");
  });

  test.each([
    ["serviceAccount:service-111@evil-prod.iam.gserviceaccount.com", "the account "],
    ["serviceAccount:service-111@gcp-sa-pubsub.iam.gserviceaccount.com", "Google's service agent "],
    ["serviceAccount:111-compute@developer.gserviceaccount.com", "the default account "],
  ])("%s is called %s", (member, words) => {
    expect(standingOf(member, around).who.startsWith(words)).toBe(true);
  });

  test("of the file's own pool is left to the judge of the pool, whole or by attribute", () => {
    for (const tail of ["*", "attribute.aws_role/other"])
      expect(standingOf(set(own, tail), around)).toEqual(
        expect.objectContaining({ sort: "security", unbounded: false, pool: { name: own, tail } }),
      );
  });

  test("that is a group is outside where there is no organization, and known where it may not be looked at", () => {
    expect(standingOf("group:a@example.com", { ...around, domains: "none" }).sort).toBe("security");
    expect(standingOf("group:a@elsewhere.com", { ...around, domains: "unknown" }).sort).toBe("known");
  });
});

describe("speakers of the file", () => {
  const listing = { ...around, listed: ["group:Platform@example.com", "group:us@elsewhere.com"] };

  test.each([
    ["group:platform@example.com", "known"],
    ["group:us@elsewhere.com", "known"],
    ["user:eve@example.com", "security"],
    ["serviceAccount:service-111@gcp-sa-pubsub.iam.gserviceaccount.com", "security"],
    ["group:them@elsewhere.com", "security"],
    ["deleted:user:eve@example.com?uid=1", "gone"],
  ] as const)("make %s %s", (member, sort) => {
    expect(standingOf(member, listing).sort).toBe(sort);
  });

  test("never stand for a public member", () => {
    expect(standingOf("allUsers", { ...around, listed: ["allUsers"] })).toMatchObject({ sort: "security" });
  });
});

test("the ends that the file does not want are those of its pool alone, each once", () => {
  const members = [
    set(own, "*"),
    one(own, "wanted"),
    one(own, "other"),
    one(own, "other"),
    set(`projects/999/${pools}/partners`, "*"),
    eve,
  ];
  const tails = unwantedTails({
    speakers: members.map((member) => ({ member })),
    pool: own,
    wanted: ["subject/wanted"],
  });
  expect(tails).toEqual(["*", "subject/other"]);
});
