import { describe, expect, test } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import type { Live, Session, World } from "../src/model.ts";
import { explain } from "../src/parties/aws/explain.ts";
import { aws } from "../src/parties/aws/index.ts";
import { parties } from "../src/parties/index.ts";
import { lookupOf } from "../src/plan/compare.ts";
import { expand } from "../src/plan/expand.ts";
import { CloudError } from "../src/run/retry.ts";
import { account, type Bench, bench, example, federationOf } from "./support/bench.ts";
import { eventually } from "./support/guard.ts";
import { Somebody } from "./support/somebody.ts";

const google = "accounts.google.com";
const used = example
  .replace("role: reports-reader", `role: "arn:aws:iam::${account}:role/theirs"`)
  .replace(/ {4}may:.*\n/, "");
const theirs = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };

const trustOf = async (b: Bench, role: string): Promise<{ Statement: Record<string, unknown>[] }> =>
  JSON.parse(decodeURIComponent(String((await new Somebody(b).role(role)).AssumeRolePolicyDocument)));

describe("one statement in somebody's role", () => {
  const withTheirs = async (Statement: readonly unknown[]): Promise<Bench> => {
    const b = await bench();
    await new Somebody(b).iam("CreateRole", {
      RoleName: "theirs",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    });
    return b;
  };

  // Catches a comparison by text: IAM keeps documents as they were sent, keys in any order.
  test("an equal one serves, whoever wrote it and in whatever order its keys stand", async () => {
    const b = await withTheirs([theirs]);
    await b.apply(used, { consents: { adopt: ["reports-to-s3"] } });
    const [, ours] = (await trustOf(b, "theirs")).Statement as [unknown, Record<string, Record<string, object>>];
    const keys = Object.entries(ours.Condition?.StringEquals ?? {}).reverse();
    const rewritten = { ...ours, Sid: "Theirs", Condition: { StringEquals: Object.fromEntries(keys) } };
    await new Somebody(b).document({ Version: "2012-10-17", Statement: [theirs, rewritten] }, "theirs");
    const { plan } = await b.plan(used);
    expect(plan.changes.map(({ verb }) => verb)).toEqual(["keep", "keep", "keep"]);
  });

  test("the only one: destroy leaves one that lets nobody in, because IAM keeps no empty trust policy", async () => {
    const b = await withTheirs([theirs]);
    await b.apply(used, { consents: { adopt: ["reports-to-s3"] } });
    const [, ours] = (await trustOf(b, "theirs")).Statement;
    await new Somebody(b).document({ Version: "2012-10-17", Statement: [ours] }, "theirs");
    const { applied } = await b.apply(used, { destroy: true });
    expect(applied.findings).toEqual([]);
    expect((await trustOf(b, "theirs")).Statement).toMatchObject([{ Effect: "Deny" }]);
    await b.apply(used, { consents: { adopt: ["reports-to-s3"] } });
    expect((await trustOf(b, "theirs")).Statement.map(({ Effect }) => Effect)).toEqual(["Allow"]);
  });
});

describe("removing a role", () => {
  test("a lost answer: it looks, and does not delete by name again", async () => {
    const b = await bench();
    b.haste = 100;
    await b.apply(example);
    b.sandbox.faults.set([{ service: "aws.iam", operation: "DeleteRole", nth: 1, fault: "reset-after" }]);
    const calls = await b.callsOf(() => b.apply(example, { destroy: true }));
    expect(calls.filter(({ operation }) => operation === "DeleteRole")).toHaveLength(1);
    expect((await b.plan(example)).plan.changes.map(({ verb }) => verb)).toContain("create");
  });

  test("a policy attached in between: it detaches that too", async () => {
    const b = await bench();
    b.haste = 100;
    await b.apply(example);
    const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    b.sandbox.faults.set([{ service: "aws.iam", operation: "DeleteRole", nth: 1, fault: "stall", seconds: 600 }]);
    const destroying = b.apply(example, { destroy: true });
    await eventually(() => expect(b.sandbox.faults.holding).toBe(1));
    await new Somebody(b).iam("AttachRolePolicy", { RoleName: "reports-reader", PolicyArn });
    b.sandbox.faults.set([]);
    expect((await destroying).applied.findings).toEqual([]);
  });
});

describe("what a refusal means", () => {
  const failed = async (condition: Record<string, unknown>, init: Partial<CloudError> = {}) => {
    const b = await bench();
    const { planned, applied } = await b.apply(example);
    await new Somebody(b).trust(condition);
    const [link] = federationOf(example).links;
    if (!link) throw new Error("no link");
    const { observed } = await b.plan(example);
    const live = new Map([...planned.observed.live, ...applied.live, ...observed.live]);
    const address = planned.expansion.trustOf.get(link.name) ?? "x:y/z";
    const claims = { iss: `https://${google}`, sub: "1", azp: "1", aud: "aws-trust-1" };
    const error = new CloudError({
      ...{ class: "denied", service: "aws.sts", operation: "AssumeRoleWithWebIdentity", code: "AccessDenied" },
      ...{ status: 403, message: "Not authorized to perform sts:AssumeRoleWithWebIdentity" },
      ...init,
    } as ConstructorParameters<typeof CloudError>[0]);
    return explain({ view: { link, live: live.get(address) as Live, lookup: lookupOf(live) }, error, claims });
  };

  test("a star under StringEquals is a letter, one under StringLike is not", async () => {
    expect((await failed({ StringEquals: { [`${google}:sub`]: "*" } }))?.code).toBe("AWS-WILDCARD-LITERAL");
    expect((await failed({ "ForAnyValue:StringLike": { [`${google}:sub`]: "2*" } }))?.code).toBe("AWS-TRUST-REFUSES");
  });

  test("keys that could not be fetched: tried again, then could not tell, never broken", async () => {
    const message = "Couldn't retrieve verification key from your identity provider,  please reference x";
    const finding = await failed({}, { class: "transient", code: "InvalidIdentityToken", status: 400, message });
    expect([finding?.code, finding?.asks]).toEqual(["AWS-NO-KEYS", "untold"]);
    const b = await bench();
    b.haste = 100;
    const { planned, applied } = await b.apply(example);
    const [link] = federationOf(example).links;
    const lookup = lookupOf(new Map([...planned.observed.live, ...applied.live]));
    const world = b.world();
    const sub = lookup({ $ref: "google:serviceAccount/acme-prod/reports", field: "uniqueId" });
    const { token } = (await (
      await fetch(`${b.url}/_sandbox/mint`, {
        method: "POST",
        body: JSON.stringify({
          issuer: `https://${google}`,
          claims: { sub, azp: sub, aud: "aws-trust-1" },
          header: { kid: "gone" },
        }),
      })
    ).json()) as { token: string };
    if (!link || !aws.relying) throw new Error("no link");
    const minted = { text: token, header: {}, claims: { sub: String(sub) }, mintedBy: "test" };
    const calls = await b.callsOf(() =>
      expect(aws.relying?.exchange({ link, purpose: "prove" }, minted, world)).rejects.toMatchObject({
        class: "transient",
      }),
    );
    expect(calls.length).toBeGreaterThan(1);
  });
});

describe("drift", () => {
  // Catches a telling by key alone: two operators on one key are two conditions.
  test("a second operator on the same key is told beside the first", async () => {
    const b = await bench();
    await b.apply(example);
    const [statement] = (await trustOf(b, "reports-reader")).Statement as [
      { Condition: { StringEquals: Record<string, string> } },
    ];
    const { StringEquals } = statement.Condition;
    const Condition = { StringEquals, StringNotEquals: { [`${google}:sub`]: StringEquals[`${google}:sub`] } };
    await new Somebody(b).document({ Version: "2012-10-17", Statement: [{ ...statement, Condition }] });
    const change = (await b.plan(example)).plan.changes.find(({ address }) => address.startsWith("aws:role/"));
    expect(change).toMatchObject({ verb: "update", cause: "drifted" });
    expect(change?.differences).toMatchObject([{ path: `trust.${google}:sub`, weight: "narrows" }]);
  });
});

describe("what links bring", () => {
  test("the same permission in two links stands once on the role they share", () => {
    const may = "may:  [ { allow: [ s3:GetObject ], resources: [ arn:aws:s3:::x/* ] } ]";
    const link = (name: string) => example.split("\n").slice(3, 6).join("\n").replace("reports-to-s3", name);
    const text = `crosstrust: 1\nname: acme\nlinks:\n${link("one")}\n    ${may}\n${link("two")}\n    ${may}\n`;
    const { resources } = expand(federationOf(text).links, parties);
    const role = resources.find(({ address }) => address.startsWith("aws:role/"));
    const inline = role?.spec.inline as unknown as Record<string, { statements: unknown[] }>;
    expect(inline.crosstrust?.statements).toHaveLength(1);
  });

  test.each(["*", "iam:PassRole", "sts:A*", "sts:?ssumeRole", "sts:AssumeRoleWithSAML", "organizations:*"])(
    "%s makes whoever gets in an administrator",
    (action) => {
      const text = example.replace(/\[ arn.*\]/, `[ { allow: [ "${action}" ], resources: [ "*" ] } ]`);
      const ask = { federation: federationOf(text), parties, allowPrivileged: [], maxLinks: 10 };
      expect(lintFile(ask).map(({ code }) => code)).toContain("AWS-PRIVILEGED");
    },
  );

  test.each(["sts:GetCallerIdentity", "sts:TagSession", "s3:*", "organizations:Describe*"])("%s does not", (action) => {
    const text = example.replace(/\[ arn.*\]/, `[ { allow: [ "${action}" ], resources: [ "*" ] } ]`);
    const ask = { federation: federationOf(text), parties, allowPrivileged: [], maxLinks: 10 };
    expect(lintFile(ask).map(({ code }) => code)).not.toContain("AWS-PRIVILEGED");
  });
});

describe("preflight", () => {
  const actions = [
    ...["CreateRole", "GetRole", "TagRole", "UntagRole", "UpdateRole", "UpdateAssumeRolePolicy", "DeleteRole"],
    ...["AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "GetRolePolicy"],
    ...["ListRolePolicies", "ListAttachedRolePolicies"],
  ].map((name) => `iam:${name}`);

  /** A world whose AWS credentials are a session of a role with these permissions. */
  async function as(Statement: readonly unknown[]): Promise<{ b: Bench; world: World }> {
    const b = await bench();
    const { planned, applied } = await b.apply(example);
    await new Somebody(b).iam("PutRolePolicy", {
      RoleName: "reports-reader",
      PolicyName: "setup",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement }),
    });
    // Setup roles stand at the root: the ARN of a session does not tell its role's path.
    const [link] = federationOf(example).links;
    const issuer = parties.find(({ name }) => name === "google")?.issuer;
    if (!link || !issuer) throw new Error("no link");
    const lookup = lookupOf(new Map([...planned.observed.live, ...applied.live]));
    const world = b.world();
    const token = await issuer.mint({ link, audience: link.audience, lookup }, world);
    const session = (await aws.relying?.exchange({ link, purpose: "use" }, token, world)) as Session;
    return {
      b,
      world: { ...world, credentials: async (ask) => (ask.party === "aws" ? session : world.credentials(ask)) },
    };
  }

  const lines = async (world: World) =>
    (await aws.preflight(expand(federationOf(example).links, parties).resources.slice(1), world)).map(
      ({ topic, ok, says, fix }) => [topic, ok, says, ...fix].join("   "),
    );

  test("permissions by path are enough, and what finds leftovers needs all", async () => {
    const Resource = `arn:aws:iam::${account}:role/crosstrust/*`;
    const { world } = await as([
      { Effect: "Allow", Action: actions, Resource },
      { Effect: "Allow", Action: ["iam:ListRoles", "iam:GetAccountAuthorizationDetails"], Resource: "*" },
      { Effect: "Allow", Action: "iam:SimulatePrincipalPolicy", Resource: "*" },
    ]);
    expect((await lines(world))[1]).toMatch(/^aws permissions {3}true/);
  });

  test("what is missing is named, with the command that grants it for that path", async () => {
    const Resource = `arn:aws:iam::${account}:role/crosstrust/*`;
    const { world } = await as([
      { Effect: "Allow", Action: actions.filter((action) => action !== "iam:DeleteRole"), Resource },
      { Effect: "Allow", Action: ["iam:SimulatePrincipalPolicy", "iam:List*", "iam:GetAccount*"], Resource: "*" },
    ]);
    const line = (await lines(world))[1];
    expect(line).toContain("missing iam:DeleteRole");
    expect(line).toContain(`"Action":["iam:DeleteRole"],"Resource":"${Resource}"`);
  });
});
