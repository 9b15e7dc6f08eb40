import { describe, expect, test } from "vitest";
import { checkHealth } from "../src/crosstrust.ts";
import { readFederation } from "../src/file/read.ts";
import type { World } from "../src/model.ts";
import { shapes } from "../src/parties/index.ts";
import { account, type Bench, bench, example, federationOf, noConsents } from "./support/bench.ts";
import { control, controlStage, onboardControl, sessionOf } from "./support/control.ts";
import { Somebody } from "./support/somebody.ts";

// `prove: canary`: the checker proves the way with a role of its own, and can become no workload.

const canary = example
  .replace("name: acme", `name: acme\ncontrol: { checker: ${control.checker}, provisioner: ${control.provisioner} }`)
  .replace("    may:", "    prove: canary\n    may:");

/** May look at projects and accounts, and mint for nobody. */
async function looksAt(b: Bench, project: string): Promise<void> {
  const path = `cloudresourcemanager/v1/projects/${project}`;
  const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
  const viewer = { role: "roles/viewer", members: [`serviceAccount:${control.checker}`] };
  const policy = { ...body, bindings: [...(body.bindings as unknown[]), viewer] };
  expect((await b.google("POST", `${path}:setIamPolicy`, { policy })).status).toBe(200);
}

const applied = async (): Promise<Bench> => {
  const b = await controlStage(canary);
  for (const project of ["acme-prod", "acme-ops"]) await looksAt(b, project);
  const { applied, traces } = await b.apply(canary);
  expect([applied.findings, traces.flatMap(({ findings }) => findings)]).toEqual([[], []]);
  return b;
};

/** The world as the deployed checker has it: its own token from the metadata server, its control role, no operator. */
async function checkerOf(b: Bench): Promise<World> {
  const aws = await sessionOf(b, "checker");
  const headers = { "metadata-flavor": "Google" };
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  const { access_token: accessToken } = (await (await fetch(b.url + path, { headers })).json()) as never;
  const google = {
    ...{ secrets: { accessToken }, principal: control.checker, about: { source: "metadata" } },
    expiresAt: Date.now() + 600_000,
  };
  const { sandbox: _, ...world } = b.world();
  return { ...world, credentials: async ({ party }) => (party === "aws" ? aws : google) };
}

const check = (world: World) =>
  checkHealth({ federation: federationOf(canary), only: [], consents: noConsents }, world);

const hopsOf = async (health: ReturnType<typeof check>) =>
  (await health).links[0]?.hops.map(({ step, result, how, saw }) => [step, result, how, saw]);

describe("prove: canary", () => {
  test("makes a second role that lets in the checker alone and may do nothing", async () => {
    const b = await applied();
    const role = await new Somebody(b).role("reports-reader-canary");
    const [statement] = JSON.parse(decodeURIComponent(String(role.AssumeRolePolicyDocument))).Statement;
    const { body } = await b.google("GET", `iam/v1/projects/-/serviceAccounts/${control.checker}`);
    expect(statement.Condition.StringEquals).toEqual({
      "accounts.google.com:oaud": "aws-trust-1",
      "accounts.google.com:sub": body.uniqueId,
    });
    expect(role.PermissionsBoundary).toMatchObject({
      PermissionsBoundaryArn: expect.stringContaining("acme-boundary"),
    });
    const RoleName = "reports-reader-canary";
    const attached = await new Somebody(b).iam("ListAttachedRolePolicies", { RoleName });
    const inline = await new Somebody(b).iam("ListRolePolicies", { RoleName });
    expect([attached.AttachedPolicies, inline.PolicyNames]).toEqual([[], []]);
    const { plan } = await b.plan(canary);
    expect(plan.changes.filter(({ verb }) => verb !== "keep")).toEqual([]);
  });

  // Catches a canary for which the checker is let mint for the workload all the same.
  test("the checker is granted nothing on the workload's account, and a grant-less checker proves the link", async () => {
    const b = await applied();
    const again = await onboardControl(b, canary);
    expect(again.planned.plan.changes.map(({ address }) => address).join()).not.toContain("tokenCreator");
    const world = await checkerOf(b);
    const health = await check(world);
    // What is above the project no role of the project lets it read.
    expect([health.verdict, health.findings.map(({ code }) => code)]).toEqual(["works", ["NOT-WATCHED"]]);
    expect(await hopsOf(Promise.resolve(health))).toMatchObject([
      ["mint", "ok", "proved", expect.stringContaining(control.checker)],
      [
        "exchange",
        "ok",
        "proved",
        expect.stringMatching(/reports-reader-canary.*the trust admits the declared claims/),
      ],
      ["whoami", "ok", "proved", expect.stringContaining("reports-reader-canary")],
      ["refuse", "ok", "judged", expect.stringContaining("a token of the checker itself")],
    ]);
    const calls = await b.callsOf(() => check(world));
    expect(calls.filter(({ operation }) => operation === "GenerateIdToken")).toEqual([]);
  });

  test("a trust of the workload that no longer admits it is broken, whatever the canary says", async () => {
    const b = await applied();
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } });
    const health = await check(await checkerOf(b));
    expect(health.findings.map(({ code }) => code)).toContain("JUDGED-REFUSED");
    expect(["open", "broken"]).toContain(health.verdict);
  });

  test("a trust that lets anybody in lets the checker in: open, and proved", async () => {
    const b = await applied();
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:oaud": "aws-trust-1" } });
    const health = await check(await checkerOf(b));
    expect(health.verdict).toBe("open");
    expect(health.findings.map(({ says }) => says).join()).toContain("aws accepted a token of the checker itself");
  });

  test("a canary that lets nobody in is broken, and its drift is seen", async () => {
    const b = await applied();
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } }, "reports-reader-canary");
    const health = await check(await checkerOf(b));
    expect(health.verdict).toBe("broken");
    expect(health.links[0]?.changes.map(({ address }) => address)).toEqual([
      `aws:role/${account}/reports-reader-canary`,
    ]);
  });

  test("destroying the link takes the canary along", async () => {
    const b = await applied();
    await b.apply(canary, { destroy: true });
    await expect(new Somebody(b).role("reports-reader-canary")).rejects.toThrow("cannot be found");
  });

  test.each([
    ["without a control plane", canary.replace(/control: .*\n/, "")],
    ["for people who sign in", canary.replace(/google: \{.*\} \}/, "google: { clientId: app, subject: 12345678 } }")],
    [
      "from another issuer",
      canary.replace(/google: \{.*\} \}/, "oidc: { issuer: https://i.example, clientId: a, subject: b } }"),
    ],
  ])("%s it is an error with its place", (_, text) => {
    const { findings } = readFederation("federation.yaml", Buffer.from(text), shapes);
    expect(findings.map(({ code, says }) => [code, says])).toEqual([
      ["BAD-VALUE", expect.stringContaining("prove: canary is for service accounts of google that go to aws")],
    ]);
    expect(findings[0]?.at.place?.line).toBe(text.split("\n").findIndex((line) => line.includes("prove: canary")) + 1);
  });

  test("a role that is only used gets a canary that is made, in the account of its ARN", async () => {
    const used = canary
      .replace("role: reports-reader", "role: arn:aws:iam::444455556666:role/theirs/reports")
      .replace(/ {4}may: .*\n/, "");
    const { plan } = await (await bench()).plan(used);
    const made = plan.changes.find(({ address }) => address.endsWith("/reports-canary"));
    expect([made?.address, made?.verb]).toEqual(["aws:role/444455556666/reports-canary", "create"]);
  });
});
