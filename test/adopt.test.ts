import { describe, expect, test } from "vitest";
import type { Change } from "../src/model.ts";
import { account, type Bench, bench, example } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// What was there before crosstrust comes back as it was, byte for byte (contract, section 9, "Adopting").

const verbs = (changes: readonly Change[]) =>
  changes.map(({ address, verb, cause }) => [address, verb, ...(cause ? [cause] : [])].join(" "));

/** A trust policy in somebody's own spelling, blanks and Sids included. */
const theirTrust = `{
  "Version": "2012-10-17",
  "Statement": [
    { "Sid": "Ec2", "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" },
    { "Sid": "Ops", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::${account}:root" }, "Action": "sts:AssumeRole" }
  ]
}`;
const theirInline = `{ "Version": "2012-10-17",  "Statement": { "Effect": "Allow", "Action": "sqs:*", "Resource": "*" } }`;
const theirManaged = "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess";

/** A role as people make it in the console: at the path `/`, with trust, permissions, limits and tags of its own. */
async function handMade(b: Bench, extra: Record<string, unknown> = {}): Promise<Somebody> {
  const somebody = new Somebody(b);
  await somebody.iam("CreateRole", {
    RoleName: "reports-reader",
    Description: "made by hand",
    MaxSessionDuration: 7200,
    AssumeRolePolicyDocument: theirTrust,
    Tags: [{ Key: "team", Value: "data" }],
    ...extra,
  });
  await somebody.iam("PutRolePolicy", {
    RoleName: "reports-reader",
    PolicyName: "queues",
    PolicyDocument: theirInline,
  });
  await somebody.iam("AttachRolePolicy", { RoleName: "reports-reader", PolicyArn: theirManaged });
  return somebody;
}

/** Everything that IAM tells of the role. */
async function whole(somebody: Somebody): Promise<unknown> {
  const RoleName = "reports-reader";
  const { $metadata: _, ...inline } = await somebody.iam("ListRolePolicies", { RoleName });
  const names = inline.PolicyNames as readonly string[];
  const documents = await Promise.all(
    names.map(async (PolicyName) => (await somebody.iam("GetRolePolicy", { RoleName, PolicyName })).PolicyDocument),
  );
  const { AttachedPolicies } = await somebody.iam("ListAttachedRolePolicies", { RoleName });
  return { role: await somebody.role(), names, documents, AttachedPolicies };
}

const consents = { adopt: ["reports-to-s3"] };

describe("a role at the path / with an extra statement, an inline and an attached policy", () => {
  test("is adopted, proved, checked for drift and given back byte for byte", async () => {
    const b = await bench();
    const somebody = await handMade(b);
    const before = await whole(somebody);
    const { planned, applied, traces } = await b.apply(example, { consents });
    expect(planned.plan.findings.filter(({ asks }) => asks)).toEqual([]);
    expect(applied.findings).toEqual([]);
    expect(traces[0]?.hops.map(({ step, result }) => `${step} ${result}`)).toEqual([
      "mint ok",
      "exchange ok",
      "whoami ok",
      "refuse ok",
    ]);
    const role = await somebody.role();
    expect(role).toMatchObject({ Path: "/", MaxSessionDuration: 7200, Description: "made by hand" });
    expect(verbs((await b.plan(example)).plan.changes).every((verb) => verb.endsWith("keep"))).toBe(true);
    expect((await b.callsOf(() => b.apply(example))).filter(({ write }) => write)).toEqual([]);
    await somebody.trust({ StringEquals: { "accounts.google.com:aud": "another" } });
    expect(verbs((await b.plan(example)).plan.changes)).toContain(`aws:role/${account}/reports-reader update drifted`);
    await b.apply(example);
    expect((await b.health(example)).verdict).toBe("works");
    const destroyed = await b.apply(example, { destroy: true });
    expect(destroyed.applied.findings).toEqual([]);
    expect(await whole(somebody)).toEqual(before);
  });
});
