import { describe, expect, test } from "vitest";
import type { Change } from "../src/model.ts";
import { bench, example, manyLinks, reports } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

const verbs = (changes: readonly Change[]) =>
  changes.map(({ address, verb, cause }) => [address, verb, ...(cause ? [cause] : [])].join(" "));
const writes = (calls: readonly { write: boolean; operation: string }[]) =>
  calls.filter(({ write }) => write).map(({ operation }) => operation);

describe("idempotent", () => {
  test("from nothing to proved, then nothing to do, twice", async () => {
    const b = await bench();
    const { applied, traces } = await b.apply(example);
    expect(applied.findings).toEqual([]);
    expect(traces[0]?.hops.map(({ step, result, how }) => `${step} ${result} ${how}`)).toEqual([
      "mint ok proved",
      "exchange ok proved",
      "whoami ok proved",
      "refuse ok proved",
    ]);
    for (const _ of [1, 2]) {
      const { plan } = await b.plan(example);
      expect(plan.findings).toEqual([]);
      expect(verbs(plan.changes)).toEqual([
        "google:serviceAccount/acme-prod/reports keep",
        "aws:role/111122223333/reports-reader keep",
      ]);
    }
  });

  // Catches a program that refreshes marks or bindings on every run.
  test("the second apply writes nothing", async () => {
    const b = await bench();
    const first = await b.callsOf(() => b.apply(example));
    expect(writes(first).length).toBeGreaterThan(0);
    expect(writes(await b.callsOf(() => b.apply(example)))).toEqual([]);
  });
});

describe("economical", () => {
  test("a new link with one managed policy costs at most 5 writes", async () => {
    const b = await bench();
    const calls = await b.callsOf(() => b.apply(example));
    expect(writes(calls)).toEqual(["CreateServiceAccount", "CreateRole", "AttachRolePolicy", "TagRole"]);
  });

  test("observing costs at most 5 reads a link, 1 an inline policy, 4 an account and project", async () => {
    const b = await bench();
    const inline = example.replace("may:  [", "may:  [ { allow: [ s3:GetObject ], resources: [ '*' ] },");
    await b.apply(inline);
    const calls = await b.callsOf(() => b.plan(inline));
    expect(calls.length).toBeLessThanOrEqual(5 + 1 + 4 + 4);
    const ten = manyLinks(10);
    await b.apply(ten);
    const more = await b.callsOf(() => b.plan(ten));
    expect(more.length).toBeLessThanOrEqual(10 * 5 + 4 + 4 + 1);
  });
});

describe("adopting and giving back", () => {
  test("a foreign role of the same name is never touched, and adopting it keeps its description", async () => {
    const b = await bench();
    const somebody = new Somebody(b);
    const Statement = [{ Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }];
    const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
    await somebody.iam("CreateRole", {
      RoleName: "reports-reader",
      Path: "/crosstrust/",
      Description: "theirs",
      AssumeRolePolicyDocument,
    });
    const { plan } = await b.plan(example);
    expect(plan.findings.map(({ code, asks }) => [code, asks])).toEqual([["NOT-OURS", "conflict"]]);
    const adopted = await b.apply(example, { consents: { adopt: ["reports-to-s3"] } });
    expect(adopted.applied.findings).toEqual([]);
    expect(adopted.traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
    expect((await somebody.role()).Description).toBe("theirs");
    expect(verbs((await b.plan(example)).plan.changes).every((verb) => verb.endsWith("keep"))).toBe(true);
    await b.apply(example, { destroy: true });
    const role = await somebody.role();
    expect(role.Tags ?? []).toEqual([]);
    expect(role.Description).toBe("theirs");
  });

  test("an account of another deployment is theirs", async () => {
    const b = await bench();
    await b.apply(example);
    const { plan } = await b.plan(example.replace("name: acme", "name: other"));
    expect(plan.findings.filter(({ code }) => code === "NOT-OURS").map(({ says }) => says)).toEqual([
      "google service account acme-prod/reports exists and belongs to the deployment acme",
      "aws role 111122223333/reports-reader exists and belongs to the deployment acme",
    ]);
  });
});

describe("the life of an account", () => {
  const account = `iam/v1/projects/acme-prod/serviceAccounts/${reports}`;

  test("deleted: comes back with its unique id, because the role remembers it", async () => {
    const b = await bench();
    await b.apply(example);
    const before = (await b.google("GET", account)).body.uniqueId;
    await b.google("DELETE", account);
    expect(verbs((await b.plan(example)).plan.changes)[0]).toBe("google:serviceAccount/acme-prod/reports restore");
    const { traces } = await b.apply(example);
    expect(traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
    expect((await b.google("GET", account)).body.uniqueId).toBe(before);
  });

  test("deleted more than 30 days ago: made anew, and the trust follows", async () => {
    const b = await bench();
    await b.apply(example);
    const before = (await b.google("GET", account)).body.uniqueId;
    await b.google("DELETE", account);
    b.sandbox.set({ offsetSeconds: 31 * 86_400 });
    const { applied, traces } = await b.apply(example);
    expect(applied.findings).toEqual([]);
    expect(traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
    expect((await b.google("GET", account)).body.uniqueId).not.toBe(before);
  });

  test("disabled by hand is drift, and apply switches it on", async () => {
    const b = await bench();
    await b.apply(example);
    await b.google("POST", `${account}:disable`, {});
    const health = await b.health(example);
    expect(health.verdict).toBe("broken");
    expect(health.findings.map(({ code }) => code)).toContain("GOOGLE-ACCOUNT-DISABLED");
    expect(verbs((await b.plan(example)).plan.changes)[0]).toBe(
      "google:serviceAccount/acme-prod/reports update drifted",
    );
    await b.apply(example);
    expect((await b.health(example)).verdict).toBe("works");
  });

  test("deleted and made again by somebody: the unique id changed, and adopt mends it", async () => {
    const b = await bench();
    await b.apply(example);
    await b.google("DELETE", account);
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "reports", serviceAccount: {} });
    const health = await b.health(example);
    expect(health.verdict).toBe("broken");
    expect(health.findings.map(({ code }) => code)).toEqual(["NOT-OURS", "GOOGLE-UNIQUE-ID-CHANGED"]);
    expect(verbs((await b.plan(example)).plan.changes)).toEqual([
      "google:serviceAccount/acme-prod/reports adopt",
      "aws:role/111122223333/reports-reader update moved",
    ]);
    await b.apply(example, { consents: { adopt: ["reports-to-s3"] } });
    expect((await b.health(example)).verdict).toBe("works");
  });
});

describe("destroy", () => {
  test("leaves nothing of ours, and can be done twice", async () => {
    const b = await bench();
    await b.apply(example);
    await b.apply(example, { destroy: true });
    expect(b.sandbox.state.list("aws.role/")).toEqual([]);
    expect(verbs((await b.plan(example, { destroy: true })).plan.changes)).toEqual([]);
    expect(verbs((await b.plan(example)).plan.changes)).toEqual([
      "google:serviceAccount/acme-prod/reports create",
      "aws:role/111122223333/reports-reader create",
    ]);
  });

  test("can keep service accounts, disabled", async () => {
    const b = await bench();
    await b.apply(example);
    await b.apply(example, { destroy: true, keep: true });
    expect((await b.google("GET", `iam/v1/projects/acme-prod/serviceAccounts/${reports}`)).body.disabled).toBe(true);
    await b.apply(example);
    expect((await b.health(example)).verdict).toBe("works");
  });

  test("one link of two that share a role leaves the other's statement", async () => {
    const b = await bench();
    const two = `${example}  more-to-s3:
    from: { google: { project: acme-prod, serviceAccount: more-reports } }
    to:   { aws: { account: 111122223333, role: reports-reader, audience: aws-trust-2 } }
`;
    expect((await b.apply(two)).traces.flatMap(({ hops }) => hops).every(({ result }) => result === "ok")).toBe(true);
    const { planned } = await b.apply(two, { destroy: true, only: ["more-to-s3"] });
    expect(verbs(planned.plan.changes)).toEqual([
      "aws:role/111122223333/reports-reader update edited",
      "google:serviceAccount/acme-prod/more-reports delete",
    ]);
    expect((await b.health(example)).verdict).toBe("works");
  });

  test("what no link names any more is a leftover, and apply --prune removes it", async () => {
    const b = await bench();
    await b.apply(manyLinks(3));
    const { plan } = await b.plan(manyLinks(2));
    expect(verbs(plan.changes).filter((verb) => !verb.endsWith("keep"))).toEqual([
      "google:serviceAccount/acme-prod/worker-2 delete",
      "aws:role/111122223333/role-2 delete",
    ]);
    await b.apply(manyLinks(2));
    expect(verbs((await b.plan(manyLinks(2))).plan.changes)).toEqual(verbs(plan.changes));
    await b.prune(manyLinks(2));
    expect(verbs((await b.plan(manyLinks(2))).plan.changes).every((verb) => verb.endsWith("keep"))).toBe(true);
  });
});

describe("a role that is only used", () => {
  const used = example
    .replace("role: reports-reader", `role: "arn:aws:iam::111122223333:role/theirs"`)
    .replace(/ {4}may:.*\n/, "");

  test("gets one statement with consent, and loses only that", async () => {
    const b = await bench();
    const somebody = new Somebody(b);
    expect((await b.plan(used)).plan.findings.map(({ code }) => code)).toContain("USED-MISSING");
    const theirs = {
      Sid: "Theirs",
      Effect: "Allow",
      Principal: { Service: "ec2.amazonaws.com" },
      Action: "sts:AssumeRole",
    };
    await somebody.iam("CreateRole", {
      RoleName: "theirs",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
    });
    expect((await b.plan(used)).plan.findings.map(({ code, asks }) => [code, asks])).toEqual([
      ["NOT-OURS", "conflict"],
    ]);
    const { traces } = await b.apply(used, { consents: { adopt: ["reports-to-s3"] } });
    expect(traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
    expect((await b.health(used)).verdict).toBe("works");
    await b.apply(used, { destroy: true });
    const document = JSON.parse(decodeURIComponent(String((await somebody.role("theirs")).AssumeRolePolicyDocument)));
    expect(document.Statement).toEqual([theirs]);
  });
});
