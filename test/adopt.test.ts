import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nameFor } from "../src/cli/commands/init.ts";
import type { Change } from "../src/model.ts";
import { wasTags } from "../src/parties/aws/role/former.ts";
import { charactersOf, formerIn, recordIn } from "../src/parties/google/former.ts";
import { withMark } from "../src/parties/google/mark.ts";
import { packed } from "../src/run/packed.ts";
import { account, type Bench, bench, example, type Options } from "./support/bench.ts";
import { at, poolByHand, roleByHand, theirTrust } from "./support/by-hand.ts";
import { stage } from "./support/cli.ts";
import { Somebody } from "./support/somebody.ts";

// What was there before crosstrust comes back as it was, byte for byte (contract, section 9, "Adopting").

const verbs = (changes: readonly Change[]) =>
  changes.map(({ address, verb, cause }) => [address, verb, ...(cause ? [cause] : [])].join(" "));

const sha512 = (text: string): string => createHash("sha512").update(text).digest("base64url");

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
    const somebody = await roleByHand(b);
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
    await b.apply(example.replace("AmazonS3ReadOnlyAccess", "AmazonSQSFullAccess"));
    await b.apply(example);
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

// Catches a program that knows an adopted role's path only while it reads AWS.
test("the workload of an adopted role gets its credentials without reading AWS", async () => {
  const { ct, b } = await stage(example);
  await roleByHand(b);
  await ct("apply --adopt reports-to-s3");
  const { exit, out } = await ct("credentials reports-to-s3");
  expect([exit, JSON.parse(out)]).toEqual([0, expect.objectContaining({ Version: 1 })]);
});

test("a role that is only used gets one statement, and its trust policy comes back letter for letter", async () => {
  const b = await bench();
  const somebody = await roleByHand(b);
  const used = example
    .replace("role: reports-reader", `role: "arn:aws:iam::${account}:role/reports-reader"`)
    .replace(/ {4}may:.*\n/, "");
  await b.apply(used, { consents });
  const trust = decodeURIComponent((await somebody.role()).AssumeRolePolicyDocument as string);
  expect(JSON.parse(trust).Statement).toHaveLength(3);
  await b.apply(used, { destroy: true });
  expect(decodeURIComponent((await somebody.role()).AssumeRolePolicyDocument as string)).toBe(theirTrust);
});

describe("what a role cannot be given back from is said before", () => {
  const planned = async (b: Bench, text: string, more: Options = {}) =>
    (await b.plan(text, { consents, ...more })).plan.findings
      .filter(({ asks }) => asks)
      .map(({ code, says }) => [code, says]);

  test("a path that the file states is an error of the plan, the live path is not", async () => {
    const b = await bench();
    await roleByHand(b);
    const stated = (path: string) => example.replace("audience:", `path: ${path}, audience:`);
    expect(await planned(b, stated("/team/"))).toEqual([
      [
        "ADOPT-IMMUTABLE",
        `aws role ${account}/reports-reader has the path /, the file states /team/, and a path cannot change`,
      ],
    ]);
    expect(await planned(b, stated("/"))).toEqual([]);
  });

  test("a policy that no tag has room for is named, and lost only by name", async () => {
    const b = await bench();
    const Tags = Array.from({ length: 35 }, (_, at) => ({ Key: `t${at}`, Value: "x" }));
    const somebody = await roleByHand(b, { Tags });
    // Random names do not compress.
    const names = Array.from({ length: 40 }, (_, at) => sha512(String(at)));
    const Statement = names.map((name) => ({
      Effect: "Allow",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::x/${name}`,
    }));
    const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await somebody.iam("PutRolePolicy", { RoleName: "reports-reader", PolicyName: "large", PolicyDocument });
    const [[code, says] = []] = await planned(b, example);
    expect([code, says]).toEqual(["ADOPT-FORGETS", expect.stringContaining("its inline policy large")]);
    const adoptForget = ["reports-to-s3"];
    expect(await planned(b, example, { consents: { ...consents, adoptForget } })).toEqual([]);
    const { applied } = await b.apply(example, { consents: { ...consents, adoptForget } });
    expect(applied.findings).toEqual([]);
    await b.apply(example, { destroy: true });
    const { names: left, role } = (await whole(somebody)) as { names: string[]; role: { Tags: unknown } };
    expect(left).toEqual(["queues"]);
    // IAM lists them by key.
    expect(role.Tags).toEqual(Tags.toSorted((one, other) => (one.Key < other.Key ? -1 : 1)));
  });

  test("too many tags of its own: there is no room for a mark", async () => {
    const b = await bench();
    const Tags = Array.from({ length: 48 }, (_, at) => ({ Key: `t${at}`, Value: "x" }));
    await roleByHand(b, { Tags });
    expect(await planned(b, example)).toEqual([["ADOPT-NO-ROOM", expect.stringContaining("48 tags")]]);
  });
});

describe("what a tag says is not enough", () => {
  const RoleName = "reports-reader";

  test("crosstrust:adopted on a role of ours: it is reported, and destroy deletes the role", async () => {
    const b = await bench();
    await b.apply(example);
    const somebody = new Somebody(b);
    await somebody.iam("TagRole", { RoleName, Tags: [{ Key: "crosstrust:adopted", Value: "true" }] });
    const { plan } = await b.plan(example);
    expect(plan.findings.map(({ code }) => code)).toEqual(["MARK-CONTRADICTED"]);
    await b.apply(example, { destroy: true });
    await expect(somebody.role()).rejects.toThrow(/cannot be found/);
  });

  test("nor is a record of another trust beside it", async () => {
    const b = await bench();
    await b.apply(example);
    const somebody = new Somebody(b);
    await somebody.iam("TagRole", { RoleName, Tags: forged() });
    await b.apply(example, { destroy: true });
    await expect(somebody.role()).rejects.toThrow(/cannot be found/);
  });

  test("the record of an adopted role is replaced: nothing of it comes into being, and destroy says so", async () => {
    const b = await bench();
    const somebody = await roleByHand(b);
    await b.apply(example, { consents });
    const before = (await whole(somebody)) as { role: { AssumeRolePolicyDocument: string } };
    await somebody.iam("TagRole", { RoleName, Tags: forged() });
    const { applied } = await b.apply(example, { destroy: true });
    expect(applied.findings.map(({ code }) => code)).toEqual(["NOT-RESTORED"]);
    const after = (await whole(somebody)) as typeof before;
    expect(after.role.AssumeRolePolicyDocument).toBe(before.role.AssumeRolePolicyDocument);
  });

  /** What somebody writes who may tag a role, and would like to assume it. */
  function forged() {
    const trust = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { AWS: "999988887777" }, Action: "sts:AssumeRole" }],
    });
    const record = { trust, managed: [], inline: {}, maxSession: 3600, boundary: null, tags: {} };
    return [{ Key: "crosstrust:adopted", Value: "true" }, ...wasTags(packed(record))];
  }

  test("a stranger's role that carries our mark is neither changed nor deleted, and is listed", async () => {
    const b = await bench();
    await b.apply(example);
    const somebody = new Somebody(b);
    const theirs = { RoleName: "strangers", Path: "/crosstrust/" };
    const Tags = Object.entries({ owner: "acme", want: "0".repeat(16), put: "0".repeat(16) });
    await somebody.iam("CreateRole", {
      ...theirs,
      AssumeRolePolicyDocument: theirTrust,
      Tags: Tags.map(([key, Value]) => ({ Key: `crosstrust:${key}`, Value })),
    });
    const { plan } = await b.plan(example);
    expect(plan.findings.map(({ code }) => code)).toEqual(["LEFTOVERS-CHANGED"]);
    expect(plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
    for (const options of [{}, { destroy: true }]) await b.apply(example, options);
    expect((await somebody.role("strangers")).AssumeRolePolicyDocument).toBe(encodeURIComponent(theirTrust));
  });

  test("a stranger's account that carries our mark stays", async () => {
    const b = await bench();
    await b.apply(example);
    const description = `theirs [crosstrust/1 acme ${"0".repeat(16)} ${"0".repeat(16)}]`;
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", {
      accountId: "stranger",
      serviceAccount: { description },
    });
    const { plan } = await b.plan(example);
    expect(plan.findings.map(({ code }) => code)).toEqual(["LEFTOVERS-CHANGED"]);
    for (const options of [{}, { destroy: true }]) await b.apply(example, options);
    const left = await b.google(
      "GET",
      "iam/v1/projects/acme-prod/serviceAccounts/stranger@acme-prod.iam.gserviceaccount.com",
    );
    expect(left.body.description).toBe(description);
  });
});

test("two files with one name in one account: neither deletes or gives back what is the other's", async () => {
  const b = await bench();
  const other = example
    .replace("reports-to-s3", "other-to-s3")
    .replace("serviceAccount: reports", "serviceAccount: others")
    .replace("role: reports-reader", "role: others-reader");
  await roleByHand(b);
  await b.apply(example, { consents });
  await b.apply(other);
  await b.apply(other);
  expect((await b.health(example)).links.map(({ verdict }) => verdict)).toEqual(["works"]);
  await b.apply(other, { destroy: true });
  expect((await b.health(example)).verdict).toBe("works");
  const { plan } = await b.plan(other, { consents: { prune: 5 } });
  expect(plan.findings.map(({ code, asks }) => [code, asks])).toEqual([["PRUNE-ASKED", "usage"]]);
});

describe("replacing", () => {
  const moved = (path: string) => example.replace("audience:", `path: ${path}, audience:`);
  const replace = [`aws:role/${account}/reports-reader` as const];

  test("takes the address of what is replaced", async () => {
    const b = await bench();
    await b.apply(example);
    const { plan } = await b.plan(moved("/team/"));
    expect(plan.findings.map(({ code, asks }) => [code, asks])).toEqual([["REPLACES", "usage"]]);
    const { applied, traces } = await b.apply(moved("/team/"), { consents: { replace } });
    expect([applied.findings, traces[0]?.hops.every(({ result }) => result === "ok")]).toEqual([[], true]);
    expect((await new Somebody(b).role()).Path).toBe("/team/");
  });

  test("a replaced thing stays adopted, and gets back what it had", async () => {
    const b = await bench();
    const somebody = await roleByHand(b);
    const before = (await whole(somebody)) as { names: unknown; documents: unknown; AttachedPolicies: unknown };
    await b.apply(example, { consents });
    await b.apply(moved("/team/"), { consents: { replace } });
    expect((await b.plan(moved("/team/"))).plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
    const { planned, applied } = await b.apply(moved("/team/"), { destroy: true });
    expect(verbs(planned.plan.changes)).toContain(`aws:role/${account}/reports-reader release`);
    expect(applied.findings).toEqual([]);
    const after = (await whole(somebody)) as typeof before & { role: Record<string, unknown> };
    expect(after).toMatchObject({
      names: before.names,
      documents: before.documents,
      AttachedPolicies: before.AttachedPolicies,
    });
    expect(after.role).toMatchObject({ Path: "/team/", AssumeRolePolicyDocument: encodeURIComponent(theirTrust) });
  });
});

describe("things of Google", () => {
  const example = (name: string): string =>
    readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");
  const file = example("aws-to-google");
  const asked = { adopt: ["ec2-to-gcs"] };
  const email = "etl-sink@acme-prod.iam.gserviceaccount.com";
  const accounts = "iam/v1/projects/acme-prod/serviceAccounts";

  /** What Google tells of all of it, without etags and versions. */
  async function whole(b: Bench): Promise<unknown> {
    const [pool, poolProvider, account, policy, bucket] = await Promise.all([
      b.google("GET", at.pool),
      b.google("GET", at.poolProvider),
      b.google("GET", at.account),
      b.google("POST", at.policy, {}),
      b.google("GET", at.bucket),
    ]);
    const { etag: _, ...plain } = account.body;
    return [pool.body, poolProvider.body, plain, policy.body.bindings ?? [], bucket.body.bindings];
  }

  test("come back as they were: disabled, with their mapping, their condition, their description and their grants", async () => {
    const b = await bench();
    await poolByHand(b);
    const before = await whole(b);
    const { planned, applied, traces } = await b.apply(file, { consents: asked });
    expect(planned.plan.findings.filter(({ asks }) => asks)).toEqual([]);
    expect(applied.findings).toEqual([]);
    expect(traces[0]?.hops.map(({ result }) => result)).toEqual(["ok", "ok", "ok", "ok"]);
    expect((await b.plan(file)).plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
    expect((await b.callsOf(() => b.apply(file))).filter(({ write }) => write)).toEqual([]);
    await b.apply(file, { destroy: true });
    expect(await whole(b)).toEqual(before);
  });

  test("a condition that does not fit into the description is named, and lost only by name", async () => {
    const b = await bench();
    const long = Array.from({ length: 6 }, (_, at) => `assertion.arn != '${sha512(String(at))}'`).join(" && ");
    await poolByHand(b, { attributeCondition: long });
    const findings = (await b.plan(file, { consents: asked })).plan.findings.filter(({ asks }) => asks);
    expect(findings.map(({ code, says }) => [code, says])).toEqual([
      ["ADOPT-FORGETS", expect.stringContaining("its condition")],
    ]);
    await b.apply(file, { consents: { ...asked, adoptForget: ["ec2-to-gcs"] } });
    await b.apply(file, { destroy: true });
    expect((await b.google("GET", at.poolProvider)).body).toMatchObject({
      attributeMapping: { "google.subject": "assertion.arn" },
    });
  });

  test("a grant on an account that is only used, and that somebody made before, stays; one of ours goes", async () => {
    const b = await bench();
    const used = file.replace("serviceAccount: etl-sink", `serviceAccount: ${email}`).replace(/ {4}may:\n.*\n/, "");
    const grant = ["ec2-to-gcs"];
    await b.google("POST", accounts, { accountId: "etl-sink", serviceAccount: { description: "the sink" } });
    await b.apply(used, { consents: { adopt: grant } });
    const bound = (await b.google("POST", at.policy, {})).body.bindings;
    expect(bound).toHaveLength(1);
    await b.apply(used, { destroy: true });
    expect((await b.google("POST", at.policy, {})).body.bindings ?? []).toEqual([]);

    const again = await bench();
    await poolByHand(again);
    await again.google("POST", `${at.account}:enable`, {});
    await again.google("POST", at.policy.replace("getIamPolicy", "setIamPolicy"), { policy: { bindings: bound } });
    const before = await whole(again);
    const { applied } = await again.apply(used, { consents: { adopt: grant } });
    expect(applied.findings).toEqual([]);
    expect((await again.health(used)).verdict).toBe("works");
    for (const _ of [1, 2]) await again.apply(used, { destroy: true });
    expect(await whole(again)).toEqual(before);
  });

  test("whose link left the file they stay, and are given back with --prune", async () => {
    const b = await bench();
    await poolByHand(b);
    const before = await whole(b);
    await b.apply(file, { consents: asked });
    const other = example("google-to-aws");
    await b.apply(other);
    expect((await b.health(file)).links.map(({ verdict }) => verdict)).toEqual(["works"]);
    await b.prune(other);
    expect(await whole(b)).toEqual(before);
  });

  test("an adopted mark behind our own text makes nothing somebody else's", async () => {
    const b = await bench();
    await b.apply(file);
    const { description } = (await b.google("GET", at.pool)).body as { description: string };
    await b.google("PATCH", `${at.pool}?updateMask=description`, {
      description: description.replace(/\]$/, " adopted]"),
    });
    await b.apply(file, { destroy: true });
    expect((await b.google("GET", at.pool)).body.state).toBe("DELETED");
  });

  // Catches a record that a later edit of the file replaces with what crosstrust itself has written.
  test("a later edit adds to the record, and changes nothing of it", () => {
    const mark = { owner: "acme", want: "0".repeat(16), put: "0".repeat(16), adopted: true };
    const description = withMark("theirs", { ...mark, was: packed({ condition: "first" }) });
    const changed = {
      condition: { value: "second", says: "its condition" },
      audiences: { value: ["one"], says: "its audiences" },
    };
    const former = formerIn({ description, owner: "acme", measure: charactersOf }, changed);
    expect([recordIn(former), former.lost]).toEqual([{ condition: "first", audiences: ["one"] }, []]);
  });

  test("another deployment's pool provider gets its mark back, and its pool is shared", async () => {
    const b = await bench();
    await b.apply(file);
    const before = [(await b.google("GET", at.pool)).body, (await b.google("GET", at.poolProvider)).body];
    const other = file.replace("name: acme", "name: beta");
    await b.apply(other, { consents: asked });
    expect((await b.google("GET", at.pool)).body.description).toMatch(
      / \(crosstrust:claim beta\) \[crosstrust\/1 acme /,
    );
    expect((await b.google("GET", at.poolProvider)).body.description).toContain("[crosstrust/1 beta ");
    await b.apply(other, { destroy: true });
    expect([(await b.google("GET", at.pool)).body, (await b.google("GET", at.poolProvider)).body]).toEqual(before);
    expect((await b.health(file)).verdict).toBe("works");
  });
});

describe("init names the deployment after where its file is", () => {
  // Catches two people with a folder called infra whose things in one account are one deployment's.
  test("what many people call a folder is told apart by where it is", () => {
    const names = ["/home/ann/infra", "/home/bob/infra", "/srv/terraform"].map((at) =>
      nameFor(`${at}/federation.yaml`, {}),
    );
    expect(names).toEqual([
      expect.stringMatching(/^infra-[0-9a-f]{4}$/),
      expect.stringMatching(/^infra-[0-9a-f]{4}$/),
      expect.stringMatching(/^terraform-[0-9a-f]{4}$/),
    ]);
    expect(new Set(names).size).toBe(3);
    expect(nameFor("/home/ann/infra/federation.yaml", {})).toBe(names[0]);
  });

  test.each([
    ["/home/me/Data Platform/federation.yaml", {}, "data-platform"],
    ["/home/me/data-platform/staging.yaml", {}, "data-platfor-staging"],
    ["/home/me/a-very-long-name-of-a-repository/federation.yaml", {}, "a-very-long-name-of"],
    ["/home/me/a-very-long-name-of-a-repository/prod.yaml", {}, "a-very-long-nam-prod"],
    ["/x/federation.yaml", { GOOGLE_CLOUD_PROJECT: "acme-prod" }, "acme-prod"],
    ["/x/federation.yaml", {}, "x-links"],
    ["/federation.yaml", {}, "links"],
  ])("%s: %o", (file, env, name) => {
    expect(nameFor(file, env)).toBe(name);
    expect(name).toMatch(/^[a-z0-9-]{3,20}$/);
  });
});
