import { describe, expect, test } from "vitest";
import constraints from "../src/parties/aws/sandbox/model/constraints.json" with { type: "json" };
import { serviceModels } from "../src/parties/aws/sandbox/service-model.ts";
import { account, type Bench, bench } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// What IAM and STS refuse before they look at anything. Words marked (recorded) are those of localstack's snapshots of
// AWS (IAM 2026-02, STS 2025-07 and 2026-02).

const trust = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const create = { RoleName: "r", AssumeRolePolicyDocument: trust };
const PolicyArn = `arn:aws:iam::${account}:policy/p`;
const PolicyDocument = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
});
const tags = (count: number, at = 0) => Array.from({ length: count }, (_, n) => ({ Key: `k${n + at}`, Value: "" }));

/** `Code: message` of a refusal; undefined where the call is taken. */
const refusal = (b: Bench, operation: string, input: Record<string, unknown>): Promise<string | undefined> =>
  new Somebody(b).iam(operation, input).then(
    () => undefined,
    (error: Error) => `${error.name.replace(/Exception$/, "")}: ${error.message}`,
  );

const one = (path: string, says: string) =>
  `ValidationError: 1 validation error detected: Value at '${path}' failed to satisfy constraint: Member must ${says}`;
const nameCharacters = "satisfy regular expression pattern: [\\w+=,.@-]+";
const tagCharacters = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+";
const anyTagKey = `satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${tagCharacters}, Member must not be null]`;

describe("IAM refuses what its service model does not allow", () => {
  test.each<readonly [string, string, Record<string, unknown>, string]>([
    [
      "a name of 65",
      "CreateRole",
      { ...create, RoleName: "r".repeat(65) },
      one("roleName", "have length less than or equal to 64"),
    ],
    ["a name with a slash", "CreateRole", { ...create, RoleName: "a/b" }, one("roleName", nameCharacters)],
    ["a missing name", "GetRole", {}, one("roleName", "not be null")],
    [
      "an empty name, which breaks two rules",
      "GetRole",
      { RoleName: "" },
      `ValidationError: 2 validation errors detected: Value at 'roleName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'roleName' failed to satisfy constraint: Member must ${nameCharacters}`,
    ],
    [
      "two wrong members",
      "CreateRole",
      { ...create, RoleName: "a/b", MaxSessionDuration: 3599 },
      `ValidationError: 2 validation errors detected: Value at 'roleName' failed to satisfy constraint: Member must ${nameCharacters}; Value at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600`,
    ],
    [
      "12 hours and a second",
      "CreateRole",
      { ...create, MaxSessionDuration: 43201 },
      one("maxSessionDuration", "have value less than or equal to 43200"),
    ],
    [
      "a path without its first slash",
      "CreateRole",
      { ...create, Path: "team/" },
      one("path", "satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"),
    ],
    [
      "a path without its last slash",
      "CreateRole",
      { ...create, Path: "/team" },
      one("path", "satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"),
    ],
    [
      "a description of 1,001",
      "UpdateRole",
      { RoleName: "r", Description: "d".repeat(1001) },
      one("description", "have length less than or equal to 1000"),
    ],
    [
      "an ARN of 19",
      "AttachRolePolicy",
      { RoleName: "r", PolicyArn: "a".repeat(19) },
      one("policyArn", "have length greater than or equal to 20"),
    ],
    ["a listing of none", "ListRoles", { MaxItems: 0 }, one("maxItems", "have value greater than or equal to 1")],
    [
      "a listing of 1,001",
      "ListPolicies",
      { MaxItems: 1001 },
      one("maxItems", "have value less than or equal to 1000"),
    ],
    [
      "an empty marker",
      "ListRoles",
      { Marker: "" },
      `ValidationError: 2 validation errors detected: Value at 'marker' failed to satisfy constraint: Member must have length greater than or equal to 1; Value at 'marker' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\u0020-\\u00FF]+`,
    ],
    [
      "a scope that there is not",
      "ListPolicies",
      { Scope: "Mine" },
      one("scope", "satisfy enum value set: [All, AWS, Local]"),
    ],
    // (recorded)
    [
      "a version that is no version",
      "GetPolicyVersion",
      { PolicyArn, VersionId: "1" },
      one("versionId", "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"),
    ],
    [
      "a prefix of policies without its last slash",
      "ListAttachedRolePolicies",
      { RoleName: "r", PathPrefix: "/a" },
      one("pathPrefix", "satisfy regular expression pattern: ((/[A-Za-z0-9\\.,\\+@=_-]+)*)/"),
    ],
    [
      "a kind that cannot be listed",
      "GetAccountAuthorizationDetails",
      { Filter: ["Roles"] },
      one(
        "filter",
        "satisfy constraint: [Member must satisfy enum value set: [User, Role, Group, LocalManagedPolicy, AWSManagedPolicy], Member must not be null]",
      ),
    ],
    [
      "a thumbprint of 39",
      "CreateOpenIDConnectProvider",
      { Url: "https://a.example", ThumbprintList: ["a".repeat(39)] },
      one(
        "thumbprintList",
        "satisfy constraint: [Member must have length less than or equal to 40, Member must have length greater than or equal to 40, Member must not be null]",
      ),
    ],
    [
      "a simulation of nothing",
      "SimulatePrincipalPolicy",
      { PolicySourceArn: PolicyArn },
      one("actionNames", "not be null"),
    ],
    // Tags (recorded).
    ["51 tags", "CreateRole", { ...create, Tags: tags(51) }, one("tags", "have length less than or equal to 50")],
    [
      "a key of 129",
      "TagRole",
      { RoleName: "r", Tags: [{ Key: "k".repeat(129), Value: "" }] },
      one("tags.1.member.key", "have length less than or equal to 128"),
    ],
    [
      "a value of 257",
      "TagRole",
      { RoleName: "r", Tags: [...tags(1), { Key: "k", Value: "v".repeat(257) }] },
      one("tags.2.member.value", "have length less than or equal to 256"),
    ],
    [
      "a key of other characters",
      "CreatePolicy",
      { PolicyName: "p", PolicyDocument, Tags: [{ Key: "NOWAY!", Value: "" }] },
      one("tags.1.member.key", `satisfy regular expression pattern: ${tagCharacters}`),
    ],
    [
      "51 keys to take off",
      "UntagRole",
      { RoleName: "r", TagKeys: tags(51).map(({ Key }) => Key) },
      one("tagKeys", "have length less than or equal to 50"),
    ],
    ["a key of 129 to take off", "UntagPolicy", { PolicyArn, TagKeys: ["k".repeat(129)] }, one("tagKeys", anyTagKey)],
    [
      "a key of other characters to take off",
      "UntagRole",
      { RoleName: "r", TagKeys: ["a", "NOWAY!"] },
      one("tagKeys", anyTagKey),
    ],
  ])("%s", async (_, operation, input, says) => {
    const b = await bench();
    expect(await refusal(b, operation, input)).toBe(says);
    expect(b.calls.map(({ status }) => status)).toEqual([400]);
    // Nothing was done.
    expect(b.sandbox.state.list("aws.")).toEqual([]);
  });

  test("and takes what stands exactly on its bounds", async () => {
    const b = await bench();
    const Tags = [...tags(49), { Key: `${"k".repeat(127)}é`, Value: "v".repeat(256) }];
    const input = { ...create, RoleName: "r".repeat(64), Path: "/", MaxSessionDuration: 43200, Tags };
    expect(await refusal(b, "CreateRole", input)).toBeUndefined();
    expect(await refusal(b, "ListRoles", { MaxItems: 1000, PathPrefix: "/" })).toBeUndefined();
    expect(await refusal(b, "UpdateRole", { RoleName: input.RoleName, Description: "" })).toBeUndefined();
  });
});

describe("tags beyond the service model", () => {
  const insensitive = "InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.";
  const twice = (first: string, second: string) => [
    { Key: first, Value: "1" },
    { Key: second, Value: "2" },
  ];

  test("keys of a role are one key whatever their case, and the last spelling stays (recorded)", async () => {
    const b = await bench();
    expect(await refusal(b, "CreateRole", { ...create, Tags: twice("a", "a") })).toBe(insensitive);
    expect(await refusal(b, "CreateRole", { ...create, Tags: twice("a", "A") })).toBe(insensitive);
    const who = new Somebody(b);
    await who.iam("CreateRole", { ...create, Tags: [{ Key: "Team", Value: "x" }] });
    expect(await refusal(b, "TagRole", { RoleName: "r", Tags: twice("z", "Z") })).toBe(insensitive);
    await who.iam("TagRole", { RoleName: "r", Tags: [{ Key: "team", Value: "y" }] });
    expect((await who.iam("ListRoleTags", { RoleName: "r" })).Tags).toEqual([{ Key: "team", Value: "y" }]);
    await who.iam("UntagRole", { RoleName: "r", TagKeys: ["TEAM"] });
    expect((await who.iam("ListRoleTags", { RoleName: "r" })).Tags).toEqual([]);
  });

  test("keys of a policy and of an OIDC provider are two in another case (recorded)", async () => {
    const b = await bench();
    const who = new Somebody(b);
    const same = { PolicyName: "p", PolicyDocument, Tags: twice("a", "a") };
    expect(await refusal(b, "CreatePolicy", same)).toBe("InvalidInput: Duplicate tag keys found.");
    await who.iam("CreatePolicy", { ...same, Tags: twice("a", "A") });
    const { Tags } = await who.iam("ListPolicyTags", { PolicyArn });
    expect((Tags as { Key: string }[]).map(({ Key }) => Key)).toEqual(["A", "a"]);
    await who.iam("UntagPolicy", { PolicyArn, TagKeys: ["a"] });
    expect((await who.iam("ListPolicyTags", { PolicyArn })).Tags).toEqual([{ Key: "A", Value: "2" }]);
    const oidc = { Url: "https://a.example", ThumbprintList: ["a".repeat(40)], Tags: twice("a", "A") };
    expect(await refusal(b, "CreateOpenIDConnectProvider", oidc)).toBeUndefined();
  });

  test("keys of AWS's own are refused, and so is a tag too many beside those that are there", async () => {
    const b = await bench();
    for (const Key of ["aws:x", "AWS:x"])
      expect(await refusal(b, "CreateRole", { ...create, Tags: [{ Key, Value: "" }] })).toMatch(/^InvalidInput: aws: /);
    expect(await refusal(b, "CreateRole", { ...create, Tags: tags(50) })).toBeUndefined();
    expect(await refusal(b, "TagRole", { RoleName: "r", Tags: tags(1) })).toBeUndefined();
    expect(await refusal(b, "TagRole", { RoleName: "r", Tags: tags(1, 50) })).toMatch(/^LimitExceeded: /);
  });
});

describe("STS shows the value, and null where there is none", () => {
  const RoleArn = `arn:aws:iam::${account}:role/r`;
  const whole = { RoleArn, RoleSessionName: "session", WebIdentityToken: "abcd" };
  const text = (path: string, value: string, says: string) =>
    `1 validation error detected: Value ${value} at '${path}' failed to satisfy constraint: Member must ${says}`;

  test.each<readonly [string, Readonly<Record<string, string>>, string]>([
    // Both (recorded).
    [
      "a colon",
      { RoleSessionName: "Session1:2" },
      text("roleSessionName", "'Session1:2'", "satisfy regular expression pattern: [\\w+=,.@-]*"),
    ],
    [
      "65 characters",
      { RoleSessionName: "s".repeat(65) },
      text("roleSessionName", `'${"s".repeat(65)}'`, "have length less than or equal to 64"),
    ],
    [
      "one character",
      { RoleSessionName: "s" },
      text("roleSessionName", "'s'", "have length greater than or equal to 2"),
    ],
    ["899 s", { DurationSeconds: "899" }, text("durationSeconds", "'899'", "have value greater than or equal to 900")],
    [
      "43,201 s",
      { DurationSeconds: "43201" },
      text("durationSeconds", "'43201'", "have value less than or equal to 43200"),
    ],
    ["a policy of nothing", { Policy: "" }, "2 validation errors detected: Value '' at 'policy'"],
  ])("%s", async (_, more, says) => {
    const b = await bench();
    const body = new URLSearchParams({ Action: "AssumeRoleWithWebIdentity", Version: "2011-06-15", ...whole, ...more });
    const answer = await fetch(`${b.url}/aws/sts/`, { method: "POST", body });
    const message = /<Message>(.*)<\/Message>/.exec(await answer.text())?.[1]?.replaceAll("&apos;", "'");
    expect([answer.status, message]).toEqual([400, expect.stringContaining(says)]);
  });

  test("a missing role, and a token whose value is no one's to see", async () => {
    const b = await bench();
    const body = new URLSearchParams({
      Action: "AssumeRoleWithWebIdentity",
      RoleSessionName: "session",
      WebIdentityToken: "abc",
    });
    const answer = await (await fetch(`${b.url}/aws/sts/`, { method: "POST", body })).text();
    expect(answer.replaceAll("&apos;", "'")).toContain(
      "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; Value at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4",
    );
  });
});

test("every pattern of the service models can be read here, and the file says where it is from", () => {
  const patterns = Object.values(serviceModels).flatMap(({ shapes }) =>
    Object.values(shapes).flatMap(({ pattern }) => pattern ?? []),
  );
  expect(patterns.length).toBeGreaterThan(20);
  for (const pattern of patterns) expect(() => new RegExp(`^(?:${pattern})$`, "u")).not.toThrow();
  expect(constraints.source).toMatchObject({ package: "botocore", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  expect(constraints.source.extracted).toMatch(/^\d{4}-\d\d-\d\d$/);
});
