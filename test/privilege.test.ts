import { describe, expect, test } from "vitest";
import { judgeActions, judgeManagedPolicy } from "../src/judge/aws/privilege.ts";
import { judgeGrant } from "../src/judge/google/privilege.ts";
import type { Remark } from "../src/model.ts";

// One rule for privilege, with its resource: lint, plan, apply and the functions ask it.

const codes = (remarks: readonly Remark[]) => remarks.map(({ code, severity }) => `${severity} ${code}`).join();
const administrator = "security AWS-PRIVILEGED";
const chain = "warning AWS-ROLE-CHAIN";
const role = "arn:aws:iam::444455556666:role/deploy";

describe("an action of aws with its resource", () => {
  test.each<readonly [string, string, string]>([
    ["*", "*", administrator],
    ["*", "arn:aws:iam::111122223333:role/x", administrator],
    ["*", "arn:aws:*:*:*:*", administrator],
    ["*", "arn:aws:s3:::acme/*", ""],
    ["iam:*", "*", administrator],
    ["iam:*", role, administrator],
    ["iam:PassRole", "*", administrator],
    ["iam:Pass*", "*", administrator],
    ["iam:PassRole", role, chain],
    ["iam:PassRole", "arn:aws:iam::444455556666:role/*", administrator],
    ["iam:PassRole", "arn:aws:iam::444455556666:role/app-?", administrator],
    ["iam:PassRole", "arn:aws:iam::*:role/deploy", chain],
    ["iam:PutRolePolicy", role, administrator],
    ["iam:AttachRole*", role, administrator],
    ["iam:CreateAccessKey", "arn:aws:iam::444455556666:user/ci", chain],
    ["iam:CreateAccessKey", "*", administrator],
    ["iam:Get*", "*", ""],
    ["iam:ListRoles", "*", ""],
    ["iam:?*", "*", administrator],
    ["iam:CreateServiceLinkedRole", "*", ""],
    ["sts:AssumeRole", "*", administrator],
    ["sts:AssumeRole", role, chain],
    ["STS:assumerole", role, chain],
    ["sts:AssumeRole", "arn:aws:iam::444455556666:*", administrator],
    ["sts:AssumeRoot", "arn:aws:iam::444455556666:root", administrator],
    ["sts:*", role, chain],
    ["sts:*", "*", administrator],
    ["sts:TagSession", role, ""],
    ["sts:GetCallerIdentity", "*", ""],
    ["organizations:*", "*", administrator],
    ["organizations:DetachPolicy", "*", administrator],
    ["organizations:Describe*", "*", ""],
    ["sso:PutInlinePolicyToPermissionSet", "*", administrator],
    ["s3:*", "*", ""],
    ["ec2:RunInstances", "*", ""],
  ])("%s on %s: %s", (action, resource, wanted) => {
    const found = judgeActions([action], [resource]);
    expect(codes(found)).toBe(wanted);
    if (wanted) expect(found[0]?.of).toBe(`${action} on ${resource}`);
  });

  test("each action with each resource is a finding of its own", () => {
    const found = judgeActions(["sts:AssumeRole", "sts:TagSession", "iam:*"], [role, "*"]);
    expect(found.map(({ of }) => of)).toEqual([
      `sts:AssumeRole on ${role}`,
      "sts:AssumeRole on *",
      `iam:* on ${role}`,
      "iam:* on *",
    ]);
  });
});

describe("a managed policy", () => {
  test.each<readonly [string, string]>([
    ["arn:aws:iam::aws:policy/AdministratorAccess", administrator],
    ["arn:aws-cn:iam::aws:policy/IAMFullAccess", administrator],
    ["arn:aws:iam::aws:policy/PowerUserAccess", administrator],
    ["arn:aws:iam::aws:policy/ReadOnlyAccess", ""],
    ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", ""],
    ["arn:aws:iam::aws:policy/AmazonS3FullAccess", ""],
    ["arn:aws:iam::111122223333:policy/deploy", "warning PRIVILEGE-NOT-JUDGED"],
  ])("%s: %s", (arn, wanted) => {
    const found = judgeManagedPolicy(arn);
    expect(codes(found)).toBe(wanted);
    if (wanted) expect(found[0]?.of).toBe(arn);
  });
});

describe("a role of google with its resource", () => {
  const project = "//cloudresourcemanager.googleapis.com/projects/acme-prod";
  const bucket = "//storage.googleapis.com/projects/_/buckets/acme";
  test.each<readonly [string, string, string]>([
    ["roles/owner", project, "security GOOGLE-PRIVILEGED"],
    ["roles/editor", project, "security GOOGLE-PRIVILEGED"],
    ["roles/iam.serviceAccountTokenCreator", project, "security GOOGLE-PRIVILEGED"],
    ["roles/resourcemanager.projectIamAdmin", project, "security GOOGLE-PRIVILEGED"],
    ["roles/viewer", project, "warning GOOGLE-BASIC-ROLE"],
    ["roles/storage.admin", project, ""],
    ["roles/storage.admin", bucket, ""],
    ["roles/owner", bucket, ""],
    ["projects/acme-prod/roles/deployer", project, "warning PRIVILEGE-NOT-JUDGED"],
    ["organizations/123/roles/deployer", bucket, "warning PRIVILEGE-NOT-JUDGED"],
    ["roles/cloudbuild.serviceAgent", project, "warning PRIVILEGE-NOT-JUDGED"],
  ])("%s on %s: %s", (name, resource, wanted) => {
    const found = judgeGrant(name, resource);
    expect(codes(found)).toBe(wanted);
    if (wanted) expect(found[0]?.of).toBe(`${name} on ${resource}`);
  });
});
