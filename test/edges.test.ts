import { describe, expect, test, vi } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import { parties, shapes } from "../src/parties/index.ts";
import {
  account,
  type Bench,
  bench,
  example,
  federationOf,
  manyLinks,
  reports,
  timeByPauses,
} from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// Where the verbs meet what people and clouds do between two runs. Each test names the wrong program it catches.

const role = "reports-reader";
const verbs = (changes: readonly { verb: string }[]) => changes.map(({ verb }) => verb);

/** The operator with these project roles alone. */
async function operatorWith(b: Bench, ...roles: readonly string[]): Promise<void> {
  const project = b.sandbox.state.get<{ policy: object }>("google.project/acme-prod");
  const bindings = roles.map((one) => ({ role: one, members: ["user:operator@example.com"] }));
  b.sandbox.state.put("google.project/acme-prod", { ...project, policy: { ...project?.policy, bindings } });
}

describe("consent to widen", () => {
  const second = `  more:
    from: { google: { project: acme-prod, serviceAccount: worker-1 } }
    to:   { aws: { account: ${account}, role: ${role}, audience: aws-trust-1 } }
`;

  // Catches a guard that looks at "edited" alone: a run that was cut off must not hide an edit.
  test("an edit after a run that was cut off still needs it; the same file goes on without", async () => {
    const b = await bench();
    await b.apply(example);
    await new Somebody(b).iam("TagRole", { RoleName: role, Tags: [{ Key: "crosstrust:put", Value: "-" }] });
    const codes = async (text: string) => (await b.plan(text)).plan.findings.map(({ code }) => code);
    expect(await codes(example)).not.toContain("TRUST-WIDENED");
    await b.apply(example + second.replace("worker-1", "worker-9").replace(role, "other"));
    expect(await codes(example + second)).toContain("TRUST-WIDENED");
  });
});

describe("what a role that is only used needs again", () => {
  const used = example
    .replace(`role: ${role}`, `role: "arn:aws:iam::${account}:role/theirs"`)
    .replace(/ {4}may:.*\n/, "");

  // Catches a statement that is rewritten in somebody's role because the file was edited, without a word.
  test("a change of its statement is a write into it, and needs consent like the first one", async () => {
    const b = await bench();
    const theirs = { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
    await new Somebody(b).iam("CreateRole", {
      RoleName: "theirs",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
    });
    await b.apply(used, { consents: { adopt: ["reports-to-s3"] } });
    const { plan } = await b.plan(used.replace("aws-trust-1", "aws-trust-2"));
    expect(verbs(plan.changes)).toEqual(["keep", "keep", "update"]);
    expect(plan.findings.map(({ code, asks }) => [code, asks])).toEqual([["NOT-OURS", "conflict"]]);
  });
});

describe("accounts that come and go", () => {
  test("no right to undelete: it is told, and no namesake is made that would bar the way back", async () => {
    const b = await bench();
    await b.apply(example);
    await b.google("DELETE", `iam/v1/projects/acme-prod/serviceAccounts/${reports}`);
    await operatorWith(b, "roles/iam.serviceAccountCreator", "roles/viewer");
    const { applied } = await b.apply(example);
    expect(applied.findings.map(({ code }) => code)).toContain("NOT-PERMITTED");
    await operatorWith(b, "roles/owner", "roles/iam.serviceAccountOpenIdTokenCreator");
    expect(verbs((await b.plan(example)).plan.changes)).toContain("restore");
    const { traces } = await b.apply(example);
    expect(traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
  });

  test("a description that leaves no room for a mark is never cut: adopting says so", async () => {
    const b = await bench();
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", {
      accountId: "reports",
      serviceAccount: { description: "x".repeat(250) },
    });
    const { applied } = await b.apply(example, { consents: { adopt: ["reports-to-s3"] } });
    expect(applied.findings[0]?.says).toContain("shorten it by");
    const { body } = await b.google("GET", `iam/v1/projects/acme-prod/serviceAccounts/${reports}`);
    expect(body.description).toBe("x".repeat(250));
  });
});

describe("what could not be seen", () => {
  test("leftovers that could not be listed: the plan stands, and could not tell what was left", async () => {
    const b = await bench();
    await b.apply(example);
    b.sandbox.faults.set([{ service: "aws.iam", operation: "ListRoles", fault: "empty" }]);
    b.haste = 1000;
    const { plan } = await b.plan(example);
    expect(verbs(plan.changes)).toEqual(["keep", "keep"]);
    expect(plan.findings.map(({ code, severity, asks }) => [code, severity, asks])).toEqual([
      ["LEFTOVERS-UNSEEN", "error", "untold"],
    ]);
  });

  // Catches a check that counts "nobody answered" as "turned away".
  test("refusals that could not be told are unknown, and the link is not said to work", async () => {
    const b = await bench();
    await b.apply(example);
    b.haste = 1000;
    const faults = Array.from({ length: 12 }, (_, at) => ({
      ...{ service: "aws.sts", operation: "AssumeRoleWithWebIdentity", fault: "error500" as const, nth: at + 2 },
    }));
    b.sandbox.faults.set(faults);
    const health = await b.health(example);
    expect(health.verdict).toBe("unknown");
    expect(health.links[0]?.hops.at(-1)).toMatchObject({ step: "refuse", result: "unknown" });
    expect(health.links[0]?.hops.at(-1)?.saw).toContain("could not be told of");
  });
});

describe("a link that nothing can mint for", () => {
  const judged = example.replace("    may:", "    prove: judge\n    may:");

  test("prove: judge holds the declared claims against the live trust: unproved, never works", async () => {
    const b = await bench();
    await b.apply(judged);
    const health = await b.health(judged);
    expect(health.verdict).toBe("unproved");
    expect(health.links[0]?.hops.map(({ step, result, how }) => [step, result, how])).toEqual([
      ["mint", "skipped", undefined],
      ["exchange", "ok", "judged"],
      ["whoami", "skipped", undefined],
      ["refuse", "ok", "judged"],
    ]);
  });

  test("and a trust that refuses them is broken, with the rows", async () => {
    const b = await bench();
    await b.apply(judged);
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } });
    const health = await b.health(judged);
    expect(health.verdict).toBe("open");
    expect(health.findings.map(({ code }) => code)).toContain("JUDGED-REFUSED");
  });
});

describe("--grant-me", () => {
  // Catches a grant that the first of two links takes away from the second.
  test("two links of one account: both are proved, and the right is gone afterwards", async () => {
    const b = await bench();
    const two = `${example}  other:
    from: { google: { project: acme-prod, serviceAccount: reports } }
    to:   { aws: { account: ${account}, role: other, audience: aws-trust-2 } }
`;
    await b.apply(two);
    await operatorWith(b, "roles/owner");
    expect((await b.health(two)).verdict).toBe("unknown");
    const { traces } = await b.apply(two, { consents: { grantMe: true } });
    expect(traces.map(({ hops }) => hops.every(({ result }) => result === "ok"))).toEqual([true, true]);
    const policy = await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:getIamPolicy`);
    expect(policy.body.bindings).toBeUndefined();
  });

  test("it waits until the grant has arrived", async () => {
    const b = await bench();
    await b.apply(example);
    await operatorWith(b, "roles/owner");
    timeByPauses(b);
    vi.setSystemTime(Date.now() + 10_000);
    b.sandbox.set({ propagationSeconds: 1 });
    const { traces } = await b.apply(example, { consents: { grantMe: true } });
    expect(traces[0]?.hops.every(({ result }) => result === "ok")).toBe(true);
    expect(b.progress.some(({ what, state }) => state === "waiting" && what.includes("mint for"))).toBe(true);
  });
});

describe("the file", () => {
  test("names that differ only by case in two accounts are two things, in one account a mistake", () => {
    const link = (name: string, to: string, id: string) =>
      `  ${name}:\n    from: { google: { project: acme-prod, serviceAccount: reports } }\n    to:   { aws: { account: ${id}, role: ${to} } }\n`;
    const codes = (text: string) =>
      lintFile({ federation: federationOf(text), parties, allowPrivileged: [], maxLinks: 9 }).map(({ code }) => code);
    const head = "crosstrust: 1\nname: acme\nlinks:\n";
    expect(codes(head + link("a", "Reader", account) + link("b", "reader", "444455556666"))).toEqual([]);
    expect(codes(head + link("a", "Reader", account) + link("b", "reader", account))).toEqual(["NAME-COLLISION"]);
  });

  test("each of two unknown keys gets its own advice", () => {
    const text = example.replace("role: reports-reader", "rol: reports-reader, regoin: us-east-1, role: x");
    const { findings } = readFederation("federation.yaml", Buffer.from(text), shapes);
    expect(findings.map(({ says }) => says)).toEqual([
      "unknown key rol: did you mean role?",
      "unknown key regoin: did you mean region?",
    ]);
  });

  test("many deletions are more than a slip of the pen: it says so", async () => {
    const b = await bench();
    await b.apply(manyLinks(4));
    const { plan } = await b.plan(manyLinks(1));
    expect(plan.findings.map(({ code }) => code)).toEqual(["PRUNE-ASKED", "DELETES-MUCH"]);
  });
});
