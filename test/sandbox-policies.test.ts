import { describe, expect, test } from "vitest";
import { preflight } from "../src/parties/aws/preflight.ts";
import { account, type Bench, bench, example } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// What IAM refuses of policies, attachments and counts, as AWS's own SDK meets it in the sandbox.

const trust = (Principal: unknown) =>
  JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Principal, Action: "sts:AssumeRole" } });
const service = trust({ Service: "ec2.amazonaws.com" });
const may = (Resource: unknown, more: object = {}) =>
  JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:GetObject", Resource, ...more } });

/** Code, status and sentence of a refusal; nothing where the call succeeded. */
async function refusal(b: Bench, operation: string, input: Record<string, unknown>): Promise<readonly unknown[]> {
  try {
    await new Somebody(b).iam(operation, input);
    return [];
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return [name, $metadata?.httpStatusCode, message];
  }
}

const made = async (): Promise<Bench> => {
  const b = await bench();
  await new Somebody(b).iam("CreateRole", { RoleName: "r", AssumeRolePolicyDocument: service });
  return b;
};
const quotas = (b: Bench, body: unknown) =>
  fetch(`${b.url}/_sandbox/quotas`, { method: "PUT", body: JSON.stringify(body) });
const malformed = "MalformedPolicyDocumentException";

describe("documents", () => {
  test.each([
    ["CreateRole", { RoleName: "x", AssumeRolePolicyDocument: "{" }, "This policy contains invalid Json"],
    [
      "CreateRole",
      { RoleName: "x", AssumeRolePolicyDocument: service.replace("sts:AssumeRole", "s3:GetObject") },
      "AssumeRole policy may only specify STS AssumeRole actions.",
    ],
    ["UpdateAssumeRolePolicy", { RoleName: "r", PolicyDocument: may("*") }, "Missing required field Principal"],
    [
      "PutRolePolicy",
      { RoleName: "r", PolicyName: "p", PolicyDocument: may("b") },
      'Resource b must be in ARN format or "*".',
    ],
    [
      "PutRolePolicy",
      { RoleName: "r", PolicyName: "p", PolicyDocument: may("*", { Principal: "*" }) },
      "Policy document should not specify a principal.",
    ],
    ["CreatePolicy", { PolicyName: "p", PolicyDocument: may([]) }, "Policy statement must contain resources."],
    [
      "CreatePolicy",
      { PolicyName: "p", PolicyDocument: may("*").replace("2012", "2008") },
      "Policy document must be version 2012-10-17 or greater.",
    ],
  ])("%s %j", async (operation, input, says) => {
    expect(await refusal(await made(), operation, input)).toEqual([malformed, 400, says]);
  });

  test("a new version of a policy is read like the first one", async () => {
    const b = await made();
    await new Somebody(b).iam("CreatePolicy", { PolicyName: "p", PolicyDocument: may("*") });
    const PolicyArn = `arn:aws:iam::${account}:policy/p`;
    const input = { PolicyArn, PolicyDocument: may("*", { Effect: "allow" }) };
    expect(await refusal(b, "CreatePolicyVersion", input)).toEqual([
      malformed,
      400,
      "The policy failed legacy parsing",
    ]);
  });
});

describe("AWS principals", () => {
  const set = (b: Bench, name: string) =>
    refusal(b, "UpdateAssumeRolePolicy", { RoleName: "r", PolicyDocument: trust({ AWS: name }) });

  // Catches a program that reads the last part of an ARN and forgets the path.
  test.each([
    `arn:aws:iam::${account}:role/gone`,
    `arn:aws:iam::${account}:role/path/r`,
    `arn:aws:sts::${account}:assumed-role/gone/session`,
  ])("%s is not there", async (name) => {
    expect(await set(await made(), name)).toEqual([malformed, 400, `Invalid principal in policy: "AWS":"${name}"`]);
  });

  test.each([
    `arn:aws:iam::${account}:role/r`,
    `arn:aws:sts::${account}:assumed-role/r/session`,
    `arn:aws:iam::${account}:root`,
    account,
    `arn:aws:iam::${account}:user/operator`,
  ])("%s is there", async (name) => {
    expect(await set(await made(), name)).toEqual([]);
  });

  test("of an account in which nothing was made nothing is known", async () => {
    expect(await set(await made(), "arn:aws:iam::999988887777:role/theirs")).toEqual([]);
  });
});

describe("attaching", () => {
  const attach = (b: Bench, PolicyArn: string) => refusal(b, "AttachRolePolicy", { RoleName: "r", PolicyArn });
  const gone = (arn: string) => ["NoSuchEntityException", 404, `Policy ${arn} does not exist or is not attachable.`];
  const ours = "arn:aws:iam::aws:policy/";

  test.each(["ReadOnlyAccess", "nothing-but-text-and-hyphens"])("%s is no ARN", async (name) => {
    const says = "Invalid ARN:  Could not be parsed!";
    expect((await attach(await made(), name.padEnd(20, "-"))).slice(1)).toEqual([400, says]);
  });

  test.each([
    `arn:aws:iam::${account}:policy/not-there`,
    "arn:aws:iam::999988887777:policy/of-another-account",
    `${ours}AWSLambdaBasicExecutionRole`,
    "arn:aws:s3:::bucket/of-another-service",
  ])("%s is not there", async (arn) => {
    expect(await attach(await made(), arn)).toEqual(gone(arn));
  });

  test("a policy of a service-linked role is attached to no other", async () => {
    expect(await attach(await made(), `${ours}aws-service-role/AWSSupportServiceRolePolicy`)).toEqual([
      "PolicyNotAttachableException",
      400,
      "Cannot attach a Service Role Policy to a Customer Role.",
    ]);
  });

  test("a policy of the account, and a listed one of AWS, are attached without a word", async () => {
    const b = await made();
    await new Somebody(b).iam("CreatePolicy", { PolicyName: "p", PolicyDocument: may("*") });
    for (const arn of [`arn:aws:iam::${account}:policy/p`, `${ours}service-role/AWSLambdaBasicExecutionRole`]) {
      expect(await attach(b, arn)).toEqual([]);
    }
    expect(b.sandbox.calls.filter(({ warning }) => warning !== undefined)).toEqual([]);
  });

  // Catches a program that takes the list for complete, and one that says nothing.
  test("a policy that is not in the list is attached with a warning in the record of calls", async () => {
    const b = await made();
    expect(await attach(b, `${ours}QuantumToasterPolicy`)).toEqual([]);
    const warned = b.sandbox.calls.flatMap(({ operation, warning }) => (warning ? [`${operation}: ${warning}`] : []));
    expect(warned).toEqual([
      expect.stringMatching(
        /^AttachRolePolicy: .*QuantumToasterPolicy is not in the list of AWS's managed policies of \d/,
      ),
    ]);
  });
});

describe("quotas", () => {
  const limit = (says: string) => ["LimitExceededException", 409, says];

  test("the account's summary counts what there is, and says how much there may be", async () => {
    const b = await made();
    const { SummaryMap } = await new Somebody(b).iam("GetAccountSummary", {});
    expect(SummaryMap).toMatchObject({
      Roles: 1,
      RolesQuota: 1000,
      AttachedPoliciesPerRoleQuota: 10,
      AssumeRolePolicySizeQuota: 2048,
      Providers: 0,
    });
    expect(Object.keys(SummaryMap as object)).not.toContain("ProvidersQuota");
  });

  test("each is held, and moved by the control endpoint", async () => {
    const b = await made();
    const who = new Somebody(b);
    const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    const size = service.length;
    const aws = {
      ...{ RolesQuota: 1, AttachedPoliciesPerRoleQuota: 0, AssumeRolePolicySizeQuota: size - 1, PoliciesQuota: 0 },
      ...{ ProvidersQuota: 0, RolePolicySizeQuota: 10 },
    };
    expect((await quotas(b, { aws })).status).toBe(200);
    const RoleName = "r";
    expect(await refusal(b, "AttachRolePolicy", { RoleName, PolicyArn })).toEqual(
      limit("Cannot exceed quota for PoliciesPerRole: 0"),
    );
    expect(await refusal(b, "UpdateAssumeRolePolicy", { RoleName, PolicyDocument: service })).toEqual(
      limit(`Cannot exceed quota for ACLSizePerRole: ${size - 1}`),
    );
    await quotas(b, { aws: { AssumeRolePolicySizeQuota: size } });
    expect(await refusal(b, "UpdateAssumeRolePolicy", { RoleName, PolicyDocument: `${service}\n\n` })).toEqual([]);
    expect(await refusal(b, "CreateRole", { RoleName: "s", AssumeRolePolicyDocument: service })).toEqual(
      limit("Cannot exceed quota for RolesPerAccount: 1"),
    );
    expect(await refusal(b, "CreatePolicy", { PolicyName: "p", PolicyDocument: may("*") })).toEqual(
      limit("Cannot exceed quota for PoliciesPerAccount: 0"),
    );
    expect(await refusal(b, "PutRolePolicy", { RoleName, PolicyName: "p", PolicyDocument: may("*") })).toEqual(
      limit("Maximum policy size of 10 bytes exceeded for role r"),
    );
    const provider = { Url: "https://idp.example.com", ClientIDList: ["a", "b"], ThumbprintList: ["a".repeat(40)] };
    expect((await refusal(b, "CreateOpenIDConnectProvider", provider)).slice(0, 2)).toEqual([
      "LimitExceededException",
      409,
    ]);
    await quotas(b, { aws: { ProvidersQuota: 1, ClientIdsPerProviderQuota: 1 } });
    expect(await refusal(b, "CreateOpenIDConnectProvider", provider)).toEqual(
      limit("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 1"),
    );
    const { SummaryMap } = await who.iam("GetAccountSummary", {});
    expect(SummaryMap).toMatchObject({ RolesQuota: 1, AttachedPoliciesPerRoleQuota: 0 });
  });

  test("what is no quota is refused by name", async () => {
    const b = await bench();
    const wrong = await Promise.all(
      [
        { aws: { Roles: 1 } },
        { azure: { RolesQuota: 1 } },
        { aws: { RolesQuota: -1 } },
        { aws: { RolesQuota: "1" } },
      ].map((body) => quotas(b, body)),
    );
    expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400, 400]);
  });
});

test("the preflight says what the account's quotas take", async () => {
  const b = await bench();
  const { planned } = await b.apply(example);
  const lines = async () =>
    (
      await preflight(
        planned.expansion.resources.filter(({ address }) => address.startsWith("aws:")),
        b.world(),
      )
    )
      .filter(({ topic }) => topic === "aws quotas")
      .map(({ ok, says }) => [ok, says]);
  expect(await lines()).toEqual([[true, "1 of 1000 roles are there"]]);
  await quotas(b, { aws: { RolesQuota: 1 } });
  expect((await lines())[0]?.[0]).toBe("unknown");
  await quotas(b, { aws: { AttachedPoliciesPerRoleQuota: 0 } });
  expect(await lines()).toEqual([[false, "the role reports-reader needs 1 managed policies, and the account takes 0"]]);
});
