import { describe, expect, test } from "vitest";
import { bench, example } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// Drift truth (fact sheet reliability-and-security, 6 and figure F10): every hand edit that means something is seen with
// its weight, every rewrite that means nothing is silent.

const google = "accounts.google.com";

async function applied() {
  const b = await bench();
  await b.apply(example);
  const somebody = new Somebody(b);
  const role = await somebody.role();
  const trust = JSON.parse(decodeURIComponent(String(role.AssumeRolePolicyDocument)));
  return { b, somebody, trust, sub: trust.Statement[0].Condition.StringEquals[`${google}:sub`] as string };
}

type Trust = { Version?: string; Id?: string; Statement: Record<string, unknown>[] | Record<string, unknown> };
type Edit = (
  trust: {
    Version: string;
    Statement: [Record<string, Record<string, unknown>> & { Condition: Record<string, Record<string, unknown>> }];
  },
  sub: string,
) => Trust;

const condition =
  (change: (keys: Record<string, unknown>, sub: string) => Record<string, unknown>): Edit =>
  (trust, sub) => ({
    ...trust,
    Statement: [{ ...trust.Statement[0], Condition: change(trust.Statement[0].Condition.StringEquals ?? {}, sub) }],
  });

const cosmetic: readonly (readonly [string, Edit])[] = [
  ["a Sid and an Id", (t) => ({ ...t, Id: "x", Statement: [{ ...t.Statement[0], Sid: "Mine" }] })],
  ["one statement instead of a list", (t) => ({ ...t, Statement: t.Statement[0] })],
  [
    "lists of one",
    (t) => ({
      ...t,
      Statement: [{ ...t.Statement[0], Action: ["sts:AssumeRoleWithWebIdentity"], Principal: { Federated: [google] } }],
    }),
  ],
  [
    "values as lists",
    condition((keys) => ({
      StringEquals: Object.fromEntries(Object.entries(keys).map(([key, value]) => [key, [value]])),
    })),
  ],
  [
    "keys in another order",
    condition((keys) => ({ StringEquals: Object.fromEntries(Object.entries(keys).reverse()) })),
  ],
  [
    "keys in another case",
    condition((keys) => ({
      StringEquals: Object.fromEntries(Object.entries(keys).map(([key, value]) => [key.toUpperCase(), value])),
    })),
  ],
  ["the operator in another case", condition((keys) => ({ stringequals: keys }))],
  [
    "the action in another case",
    (t) => ({ ...t, Statement: [{ ...t.Statement[0], Action: "STS:assumerolewithwebidentity" }] }),
  ],
  ["a value twice", condition((keys, sub) => ({ StringEquals: { ...keys, [`${google}:sub`]: [sub, sub] } }))],
  ["the statement twice", (t) => ({ ...t, Statement: [t.Statement[0], t.Statement[0]] })],
  [
    "another order of members",
    (t) => ({ Statement: [Object.fromEntries(Object.entries(t.Statement[0]).reverse())], Version: t.Version }),
  ],
];

describe("rewrites that mean nothing are silent", () => {
  test.each(cosmetic)("%s", async (_, edit) => {
    const { b, somebody, trust, sub } = await applied();
    await somebody.document(edit(trust, sub));
    const { plan } = await b.plan(example);
    expect(plan.changes.map(({ verb }) => verb)).toEqual(["keep", "keep"]);
    expect((await b.callsOf(() => b.apply(example))).filter(({ write }) => write)).toEqual([]);
  });
});

const meaning: readonly (readonly [string, string, string, Edit])[] = [
  [
    "the subject loosened to a pattern",
    "open",
    "opens",
    condition((keys) => ({
      StringEquals: { [`${google}:oaud`]: keys[`${google}:oaud`] },
      StringLike: { [`${google}:sub`]: "*" },
    })),
  ],
  [
    "the subject taken out",
    "open",
    "opens",
    condition((keys) => ({ StringEquals: { [`${google}:oaud`]: keys[`${google}:oaud`] } })),
  ],
  [
    "every condition taken out",
    "open",
    "opens",
    (t) => ({ ...t, Statement: [{ ...t.Statement[0], Condition: undefined }] }),
  ],
  ["the audience taken out", "open", "opens", condition((_, sub) => ({ StringEquals: { [`${google}:sub`]: sub } }))],
  [
    "another subject besides",
    "open",
    "opens",
    condition((keys, sub) => ({ StringEquals: { ...keys, [`${google}:sub`]: [sub, "1234"] } })),
  ],
  ["...IfExists", "drifted", "plain", condition((keys) => ({ StringEqualsIfExists: keys }))],
  [
    "ForAllValues over a claim nobody has",
    "open",
    "opens",
    condition(() => ({ "ForAllValues:StringEquals": { [`${google}:groups`]: "x" } })),
  ],
  [
    "any AWS account besides",
    "open",
    "opens",
    (t) => ({
      ...t,
      Statement: [t.Statement[0], { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" }],
    }),
  ],
  [
    // A service acts for the role's own account, and is nobody outside of it.
    "a service besides",
    "drifted",
    "plain",
    (t) => ({
      ...t,
      Statement: [
        t.Statement[0],
        { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
      ],
    }),
  ],
  [
    "the address of the caller instead",
    "broken",
    "narrows",
    condition(() => ({ IpAddress: { "aws:SourceIp": "10.0.0.0/8" } })),
  ],
  [
    "another subject instead",
    "open",
    "opens",
    condition((keys) => ({ StringEquals: { ...keys, [`${google}:sub`]: "1234" } })),
  ],
  [
    "another audience instead",
    "broken",
    "loosens",
    condition((keys) => ({ StringEquals: { ...keys, [`${google}:oaud`]: "aws-trust-2" } })),
  ],
  [
    "the published aud condition",
    "broken",
    "narrows",
    condition((keys, sub) => ({ StringEquals: { ...keys, [`${google}:aud`]: "aws-trust-1", [`${google}:sub`]: sub } })),
  ],
  [
    "an explicit Deny",
    "broken",
    "narrows",
    (t) => ({
      ...t,
      Statement: [
        t.Statement[0],
        { Effect: "Deny", Principal: { Federated: google }, Action: "sts:AssumeRoleWithWebIdentity" },
      ],
    }),
  ],
  ["the older policy version", "drifted", "plain", (t) => ({ ...t, Version: "2008-10-17" })],
];

describe("hand edits that mean something are seen, with their weight", () => {
  test.each(meaning)("%s: %s", async (_, verdict, weight, edit) => {
    const { b, somebody, trust, sub } = await applied();
    await somebody.document(edit(trust, sub));
    const { plan } = await b.plan(example);
    const change = plan.changes.find(({ address }) => address.startsWith("aws:role"));
    expect([change?.verb, change?.cause]).toEqual(["update", "drifted"]);
    expect([...new Set(change?.differences.map((one) => one.weight ?? "plain"))]).toEqual([weight]);
    const security = plan.findings.filter(({ severity }) => severity === "security");
    expect(security.length > 0).toBe(weight === "opens");
    expect((await b.health(example)).verdict).toBe(verdict);
    await b.apply(example);
    expect((await b.health(example)).verdict).toBe("works");
  });
});

describe("the rest of a role", () => {
  test.each([
    ["a policy attached", "AttachRolePolicy", { PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" }, "grants"],
    [
      "a policy detached",
      "DetachRolePolicy",
      { PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" },
      "narrows",
    ],
    [
      "an inline policy",
      "PutRolePolicy",
      {
        PolicyName: "x",
        PolicyDocument: '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sqs:*","Resource":"*"}}',
      },
      "grants",
    ],
    ["a longer session", "UpdateRole", { MaxSessionDuration: 43200 }, undefined],
    [
      "a boundary",
      "PutRolePermissionsBoundary",
      { PermissionsBoundary: "arn:aws:iam::aws:policy/ReadOnlyAccess" },
      undefined,
    ],
  ])("%s", async (_, operation, input, weight) => {
    const { b, somebody } = await applied();
    await somebody.iam(operation, { RoleName: "reports-reader", ...input });
    const { plan } = await b.plan(example);
    const change = plan.changes.find(({ address }) => address.startsWith("aws:role"));
    expect([change?.cause, change?.differences.map((one) => one.weight)]).toEqual(["drifted", [weight]]);
    expect((await b.health(example)).verdict).toBe("drifted");
    await b.apply(example);
    expect((await b.plan(example)).plan.changes.map(({ verb }) => verb)).toEqual(["keep", "keep"]);
  });

  test("tags of others and a new description are nobody's business", async () => {
    const { b, somebody } = await applied();
    await somebody.iam("TagRole", { RoleName: "reports-reader", Tags: [{ Key: "team", Value: "data" }] });
    await somebody.iam("UpdateRole", { RoleName: "reports-reader", Description: "hello" });
    expect((await b.plan(example)).plan.changes.map(({ verb }) => verb)).toEqual(["keep", "keep"]);
    await b.apply(example);
    expect((await somebody.role()).Tags).toContainEqual({ Key: "team", Value: "data" });
  });

  test("without our mark it is not ours any more: conflict, not repair", async () => {
    const { b, somebody } = await applied();
    await somebody.iam("UntagRole", {
      RoleName: "reports-reader",
      TagKeys: ["crosstrust:owner", "crosstrust:want", "crosstrust:put", "crosstrust:subject"],
    });
    const { plan } = await b.plan(example);
    expect(plan.findings.map(({ code }) => code)).toEqual(["NOT-OURS"]);
  });
});
