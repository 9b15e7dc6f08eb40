import { expect, test } from "vitest";
import { account, bench } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// The members of IAM's answers, as recorded against AWS (localstack's snapshots of IAM, 2026-02), and its listings.

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const document = (Action: string, more: object = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*", ...more }] });

async function stage() {
  const who = new Somebody(await bench());
  const iam = (operation: string, input: Record<string, unknown>) => who.iam(operation, input);
  const role = (RoleName: string, more: object = {}) =>
    iam("CreateRole", { RoleName, AssumeRolePolicyDocument: trust, ...more });
  const policy = (PolicyName: string, more: object = {}) =>
    iam("CreatePolicy", { PolicyName, PolicyDocument: document("s3:GetObject"), ...more });
  return { iam, role, policy };
}

const own = (name: string) => `arn:aws:iam::${account}:policy/${name}`;
const keys = (value: unknown) => Object.keys(value as object).sort();
const tagsOf = (Tags: unknown) => (Tags as { Key: string }[]).map(({ Key }) => Key);
const always = ["Arn", "AssumeRolePolicyDocument", "CreateDate", "Path", "RoleId", "RoleName"];

test("CreateRole answers without its longest session, last use and description; GetRole has them", async () => {
  const { iam, role } = await stage();
  expect(keys((await role("plain", { Description: "d", MaxSessionDuration: 7200 })).Role)).toEqual(always);
  const Tags = [
    { Key: "b", Value: "" },
    { Key: "a", Value: "" },
  ];
  const tagged = (await role("tagged", { Tags })).Role as { Tags: unknown };
  expect([keys(tagged), tagsOf(tagged.Tags)]).toEqual([[...always, "Tags"].sort(), ["b", "a"]]);
  const got = (await iam("GetRole", { RoleName: "plain" })).Role;
  expect(keys(got)).toEqual([...always, "Description", "MaxSessionDuration", "RoleLastUsed"].sort());
  const listed = (await iam("ListRoles", {})).Roles as unknown[];
  expect(listed.map(keys)).toEqual([
    [...always, "Description", "MaxSessionDuration"].sort(),
    [...always, "MaxSessionDuration"].sort(),
  ]);
});

test("UpdateRole leaves what it is not sent as it is, and UpdateRoleDescription answers with the role", async () => {
  const { iam, role } = await stage();
  await role("r", { Description: "d", MaxSessionDuration: 7200 });
  await iam("UpdateRole", { RoleName: "r" });
  expect((await iam("GetRole", { RoleName: "r" })).Role).toMatchObject({ Description: "d", MaxSessionDuration: 7200 });
  const { Role } = await iam("UpdateRoleDescription", { RoleName: "r", Description: "e" });
  expect(keys(Role)).toEqual([...always, "Description"].sort());
});

test("CreatePolicy answers without empty tags and description; GetPolicy has both, and counts its uses", async () => {
  const { iam, role, policy } = await stage();
  const head = ["Arn", "AttachmentCount", "CreateDate", "DefaultVersionId", "IsAttachable", "Path"];
  const brief = [...head, "PermissionsBoundaryUsageCount", "PolicyId", "PolicyName", "UpdateDate"].sort();
  expect(keys((await policy("p", { Description: "testing" })).Policy)).toEqual(brief);
  const PolicyArn = own("p");
  await role("user");
  await role("bounded", { PermissionsBoundary: PolicyArn });
  await iam("AttachRolePolicy", { RoleName: "user", PolicyArn });
  const got = (await iam("GetPolicy", { PolicyArn })).Policy;
  expect(keys(got)).toEqual([...brief, "Description", "Tags"].sort());
  expect(got).toMatchObject({
    AttachmentCount: 1,
    PermissionsBoundaryUsageCount: 1,
    Description: "testing",
    Tags: [],
  });
  expect(keys(((await iam("ListPolicies", { Scope: "Local" })).Policies as unknown[])[0])).toEqual(brief);
  const names = async (more: object) =>
    ((await iam("ListEntitiesForPolicy", { PolicyArn, ...more })).PolicyRoles as { RoleName: string }[]).map(
      ({ RoleName }) => RoleName,
    );
  expect(await names({})).toEqual(["user"]);
  expect(await names({ PolicyUsageFilter: "PermissionsBoundary" })).toEqual(["bounded"]);
  expect(await names({ EntityFilter: "User" })).toEqual([]);
});

test("versions of a policy are listed newest first", async () => {
  const { iam, policy } = await stage();
  await policy("p");
  for (const action of ["s3:PutObject", "s3:ListBucket"])
    await iam("CreatePolicyVersion", { PolicyArn: own("p"), PolicyDocument: document(action) });
  const { Versions } = await iam("ListPolicyVersions", { PolicyArn: own("p") });
  expect((Versions as { VersionId: string }[]).map(({ VersionId }) => VersionId)).toEqual(["v3", "v2", "v1"]);
});

test("every listing comes in pages that add up to all of it, and takes no marker that it did not give", async () => {
  const { iam, role, policy } = await stage();
  const Tags = ["a", "b", "c"].map((Key) => ({ Key, Value: "" }));
  await role("r1", { Tags });
  for (const name of ["r2", "r3"]) await role(name);
  for (const name of ["p1", "p2", "p3"]) {
    await policy(name, { Tags });
    await iam("AttachRolePolicy", { RoleName: "r1", PolicyArn: own(name) });
    await iam("PutRolePolicy", { RoleName: "r1", PolicyName: name, PolicyDocument: document("s3:*") });
  }
  for (const RoleName of ["r2", "r3"]) await iam("AttachRolePolicy", { RoleName, PolicyArn: own("p1") });
  for (const action of ["s3:PutObject", "s3:ListBucket"])
    await iam("CreatePolicyVersion", { PolicyArn: own("p1"), PolicyDocument: document(action) });
  const made = await iam("CreateOpenIDConnectProvider", {
    Url: "https://a.example",
    ThumbprintList: ["a".repeat(40)],
    Tags,
  });
  const [RoleName, PolicyArn] = ["r1", own("p1")];
  const listings: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["ListRoles", {}, "Roles"],
    ["ListRoleTags", { RoleName }, "Tags"],
    ["ListRolePolicies", { RoleName }, "PolicyNames"],
    ["ListAttachedRolePolicies", { RoleName }, "AttachedPolicies"],
    ["ListPolicies", { Scope: "Local" }, "Policies"],
    ["ListPolicyTags", { PolicyArn }, "Tags"],
    ["ListPolicyVersions", { PolicyArn }, "Versions"],
    ["ListEntitiesForPolicy", { PolicyArn }, "PolicyRoles"],
    ["ListOpenIDConnectProviderTags", { OpenIDConnectProviderArn: made.OpenIDConnectProviderArn }, "Tags"],
    ["GetAccountAuthorizationDetails", { Filter: ["Role"] }, "RoleDetailList"],
    [
      "SimulatePrincipalPolicy",
      { PolicySourceArn: `arn:aws:iam::${account}:role/r1`, ActionNames: ["s3:a", "s3:b", "s3:c"] },
      "EvaluationResults",
    ],
  ];
  const seen: unknown[] = [];
  for (const [operation, input, member] of listings) {
    const whole = await iam(operation, input);
    const first = await iam(operation, { ...input, MaxItems: 2 });
    const second = await iam(operation, { ...input, MaxItems: 2, Marker: first.Marker });
    const marker = String(first.Marker);
    const wrong = await Promise.all(
      [marker.slice(0, -1), "2", "x"].map((Marker) =>
        iam(operation, { ...input, Marker }).then(
          () => "taken",
          (error: Error) => error.name,
        ),
      ),
    );
    const items = (answer: Record<string, unknown>) => answer[member] as unknown[];
    expect([operation, [...items(first), ...items(second)]]).toEqual([operation, items(whole)]);
    seen.push([operation, items(whole).length, whole.IsTruncated, first.IsTruncated, second.IsTruncated, ...wrong]);
  }
  const refused = ["ValidationError", "ValidationError", "ValidationError"];
  expect(seen).toEqual(listings.map(([operation]) => [operation, 3, false, true, false, ...refused]));
  // A marker is one listing's own.
  const { Marker } = await iam("ListRoles", { MaxItems: 1 });
  await expect(iam("ListPolicies", { Marker })).rejects.toThrow("Invalid Marker");
});

test("listings filter by path, by scope and by use", async () => {
  const { iam, role, policy } = await stage();
  await role("here", { Path: "/team/" });
  await role("there");
  await policy("mine", { Path: "/team/" });
  await policy("yours");
  const [readOnly, mine] = ["arn:aws:iam::aws:policy/ReadOnlyAccess", own("team/mine")];
  for (const PolicyArn of [readOnly, mine]) await iam("AttachRolePolicy", { RoleName: "here", PolicyArn });
  const names = async (operation: string, input: Record<string, unknown>, member: string) =>
    ((await iam(operation, input))[member] as { RoleName?: string; PolicyName?: string }[]).map(
      (one) => one.RoleName ?? one.PolicyName,
    );
  expect(await names("ListRoles", { PathPrefix: "/team/" }, "Roles")).toEqual(["here"]);
  expect(await names("ListRoles", { PathPrefix: "/nobody/" }, "Roles")).toEqual([]);
  const policies = (input: Record<string, unknown>) => names("ListPolicies", input, "Policies");
  expect(await policies({ Scope: "Local" })).toEqual(["mine", "yours"]);
  expect(await policies({ Scope: "Local", OnlyAttached: true })).toEqual(["mine"]);
  expect(await policies({ OnlyAttached: true })).toEqual(["mine", "ReadOnlyAccess"]);
  expect(await policies({ Scope: "AWS" })).not.toContain("mine");
  expect(await policies({ PathPrefix: "/team/" })).toEqual(["mine"]);
  const attached = (PathPrefix: string) =>
    names("ListAttachedRolePolicies", { RoleName: "here", PathPrefix }, "AttachedPolicies");
  expect(await attached("/team/")).toEqual(["mine"]);
  expect((await attached("/")).sort()).toEqual(["ReadOnlyAccess", "mine"]);
});

test("a simulation tells what decides it: statements, missing keys, the boundary, an explicit denial", async () => {
  const { iam, role } = await stage();
  await role("r");
  const deny = { Effect: "Deny", Action: "s3:DeleteObject", Resource: "*" };
  const PolicyDocument = JSON.stringify(
    {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "s3:*", Resource: "*" },
        deny,
        {
          Effect: "Allow",
          Action: "sqs:*",
          Resource: "*",
          Condition: { StringEquals: { "aws:PrincipalTag/team": "a" } },
        },
      ],
    },
    null,
    1,
  );
  await iam("PutRolePolicy", { RoleName: "r", PolicyName: "inline", PolicyDocument });
  const simulate = async (action: string, more: object = {}) => {
    const PolicySourceArn = `arn:aws:iam::${account}:role/r`;
    const answer = await iam("SimulatePrincipalPolicy", { PolicySourceArn, ActionNames: [action], ...more });
    return (answer.EvaluationResults as Record<string, unknown>[])[0];
  };
  expect(await simulate("s3:GetObject")).toEqual({
    EvalActionName: "s3:GetObject",
    EvalResourceName: "*",
    EvalDecision: "allowed",
    MatchedStatements: [
      {
        SourcePolicyId: "role_r_inline",
        SourcePolicyType: "IAM Policy",
        StartPosition: { Line: 4, Column: 3 },
        EndPosition: { Line: 8, Column: 3 },
      },
    ],
    MissingContextValues: [],
  });
  expect(await simulate("s3:DeleteObject")).toMatchObject({
    EvalDecision: "explicitDeny",
    MatchedStatements: [{ StartPosition: { Line: 9 } }],
  });
  expect(await simulate("ec2:RunInstances")).toMatchObject({ EvalDecision: "implicitDeny", MatchedStatements: [] });
  expect(await simulate("sqs:SendMessage")).toMatchObject({
    EvalDecision: "implicitDeny",
    MissingContextValues: ["aws:principaltag/team"],
  });
  const ContextEntries = [
    { ContextKeyName: "aws:PrincipalTag/team", ContextKeyValues: ["a"], ContextKeyType: "string" },
  ];
  expect(await simulate("sqs:SendMessage", { ContextEntries })).toMatchObject({ EvalDecision: "allowed" });
  const PermissionsBoundaryPolicyInputList = [document("sqs:*")];
  expect(await simulate("s3:GetObject", { PermissionsBoundaryPolicyInputList })).toMatchObject({
    EvalDecision: "implicitDeny",
    PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
  });
  expect(await simulate("ec2:x", { PolicyInputList: [document("ec2:*")] })).toMatchObject({
    EvalDecision: "allowed",
    MatchedStatements: [{ SourcePolicyId: "PolicyInputList.1" }],
  });
  const ResourceArns = ["arn:aws:s3:::b/k"];
  expect(await simulate("s3:DeleteObject", { ResourceArns })).toMatchObject({
    EvalResourceName: ResourceArns[0],
    EvalDecisionDetails: {},
    ResourceSpecificResults: [{ EvalResourceName: ResourceArns[0], EvalResourceDecision: "explicitDeny" }],
  });
});
