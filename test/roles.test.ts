import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { applyPlan, checkHealth, makePlan } from "../src/crosstrust.ts";
import { lookingAtPools, permissions } from "../src/deploy/access.ts";
import type { Session, World } from "../src/model.ts";
import { type Bench, bench, federationOf, noConsents } from "./support/bench.ts";
import { control, controlled, controlStage, onboardControl, sessionOf, type Who, worldOf } from "./support/control.ts";

// What the functions' custom roles hold on Google's side: enough for all that they do, and each permission is needed.

const project = "acme-prod";

/** Puts a custom role with these permissions in the place of whatever the function's account had in the project. */
async function grant(b: Bench, who: Who, held: readonly string[]): Promise<void> {
  const roles = `iam/v1/projects/${project}/roles`;
  const role = { title: who, stage: "GA", includedPermissions: held };
  const made = await b.google("POST", roles, { roleId: `test.${who}`, role });
  if (made.status !== 200) expect((await b.google("PATCH", `${roles}/test.${who}`, role)).status).toBe(200);
  const path = `cloudresourcemanager/v1/projects/${project}`;
  const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
  const bindings = [
    ...(body.bindings as { role: string }[]).filter(({ role: name }) => !name.endsWith(`test.${who}`)),
    { role: `projects/${project}/roles/test.${who}`, members: [`serviceAccount:${control[who]}`] },
  ];
  expect((await b.google("POST", `${path}:setIamPolicy`, { policy: { ...body, bindings } })).status).toBe(200);
}

/** What the metadata server gives, which speaks as this account by now. */
async function tokenOf(b: Bench, who: Who): Promise<Session> {
  const headers = { "metadata-flavor": "Google" };
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  const { access_token: accessToken = "" } = (await (await fetch(b.url + path, { headers })).json()) as {
    access_token?: string;
  };
  return {
    ...{ secrets: { accessToken }, principal: control[who], about: { source: "metadata" } },
    expiresAt: Date.now() + 600_000,
  };
}

/** The world of a deployed function: its control role in AWS, its own token in Google, and no operator anywhere. */
async function worldAs(b: Bench, who: Who): Promise<World> {
  const session = await sessionOf(b, who);
  const google = await tokenOf(b, who);
  const world = worldOf(b, session);
  // Whoever may not read waits for what it has made to be seen, as long as IAM takes: that passes at once here.
  let slept = 0;
  const clock = {
    now: () => world.clock.now() + slept,
    sleep: async (ms: number) => {
      slept += ms;
    },
  };
  return { ...world, clock, credentials: async (ask) => (ask.party === "google" ? google : world.credentials(ask)) };
}

/** Calls of Google that were refused while something ran. */
async function refused(b: Bench, work: () => Promise<unknown>): Promise<readonly string[]> {
  const calls = await b.callsOf(work);
  const denied = calls.filter(({ service, status }) => service.startsWith("google.") && status === 403);
  return denied.map(({ service, operation }) => `${service} ${operation}`).sort();
}

/** The policy of the organization, which no role of a project lets anybody read. */
const above = ["google.cloudresourcemanager GetIamPolicy"];

/** Somebody holds a custom role of the project that lets him sign as its accounts. */
async function customRole(b: Bench): Promise<void> {
  const role = { title: "signer", stage: "GA", includedPermissions: ["iam.serviceAccounts.signJwt"] };
  expect((await b.google("POST", `iam/v1/projects/${project}/roles`, { roleId: "signer", role })).status).toBe(200);
  const path = `cloudresourcemanager/v1/projects/${project}`;
  const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
  const binding = { role: `projects/${project}/roles/signer`, members: ["user:jo@example.com"] };
  const policy = { ...body, bindings: [...(body.bindings as object[]), binding] };
  expect((await b.google("POST", `${path}:setIamPolicy`, { policy })).status).toBe(200);
}

const only = controlled.slice(0, controlled.indexOf("  okta-engineers"));
const ask = { federation: federationOf(only), only: [], consents: noConsents };

describe("the checker", () => {
  async function stage(): Promise<Bench> {
    const b = await controlStage(only);
    await b.apply(only);
    await onboardControl(b, only);
    await customRole(b);
    return b;
  }
  const check = async (b: Bench, held: readonly string[]) => {
    await grant(b, "checker", held);
    const world = await worldAs(b, "checker");
    return refused(b, () => checkHealth(ask, world));
  };

  test("checks with the role that deploy gives it, and is refused without any one of its permissions", async () => {
    const b = await stage();
    expect(await check(b, permissions.checker)).toEqual(above);
    const { verdict, findings, inventory } = await checkHealth(ask, await worldAs(b, "checker"));
    expect([verdict, findings.map(({ code, says }) => `${code} ${says}`)]).toEqual([
      "works",
      ["NOT-WATCHED not watched: the policy of organizations/111111111111"],
    ]);
    expect(inventory?.map(({ of }) => of)).toContain("user:jo@example.com on projects/acme-prod");
    for (const one of permissions.checker)
      expect([
        one,
        await check(
          b,
          permissions.checker.filter((held) => held !== one),
        ),
      ]).not.toEqual([one, above]);
  });

  test("makes nothing: a plan that creates is refused", async () => {
    const b = await controlStage(only);
    await grant(b, "checker", permissions.checker);
    const world = await worldAs(b, "checker");
    const { findings } = await applyPlan(await makePlan(ask, world), false, world);
    expect(findings.map(({ asks }) => asks)).toContain("denied");
  });
});

describe("the provisioner", () => {
  const email = "reports@acme-prod.iam.gserviceaccount.com";
  const account = `iam/v1/projects/acme-prod/serviceAccounts/${email}`;

  /** From nothing; then over an account that somebody has switched off and described in other words. */
  const flows = async (b: Bench, world: World): Promise<void> => {
    const apply = async () => void (await applyPlan(await makePlan(ask, world), false, world));
    await apply();
    await b.google("POST", `${account}:disable`, {});
    await b.google("PATCH", account, { serviceAccount: { description: "theirs" }, updateMask: "description" });
    await apply();
  };

  const run = async (held: readonly string[]): Promise<readonly string[]> => {
    const b = await controlStage(only);
    await grant(b, "provisioner", held);
    const world = await worldAs(b, "provisioner");
    return refused(b, () => flows(b, world));
  };

  test("makes and mends accounts with the role that deploy gives it, and not without any one of its permissions", async () => {
    expect(await run(permissions.provisioner)).toEqual([]);
    for (const one of permissions.provisioner)
      expect([one, await run(permissions.provisioner.filter((held) => held !== one))]).not.toEqual([one, []]);
  });

  test("lets nobody mint, and takes no account away", () => {
    for (const held of [...permissions.checker, ...permissions.provisioner])
      expect(held).not.toMatch(
        /setIamPolicy|delete|actAs|getAccessToken|getOpenIdToken|signBlob|signJwt|Keys\.(?!list$)|\*/,
      );
  });
});

describe("links to Google", () => {
  const examples = ["aws-to-google", "azure-to-google", "oidc-to-google"];
  const textOf = (name: string): string =>
    readFileSync(new URL(`../examples/${name}.yaml`, import.meta.url), "utf8").replace(
      "\nlinks:",
      `\ncontrol: ${JSON.stringify(control)}\nlinks:`,
    );

  /** The operator in AWS and Entra, the checker's own token in Google. */
  async function refusals(name: string, held: readonly string[]): Promise<readonly string[]> {
    const b = await bench();
    for (const id of ["health", "provision"])
      await b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId: id });
    const text = textOf(name);
    const buckets = [...text.matchAll(/buckets\/([a-z0-9-]+)/g)].map(([, bucket]) => bucket);
    for (const bucket of new Set(buckets))
      expect((await b.google("POST", "storage/storage/v1/b?project=acme-prod", { name: bucket })).status).toBe(200);
    await b.apply(text.replace(/control: .*\n/, ""));
    await grant(b, "checker", held);
    const body = JSON.stringify({ serviceAccount: control.checker });
    await fetch(`${b.url}/_sandbox/metadata`, { method: "PUT", body });
    const google = await tokenOf(b, "checker");
    const world = b.world();
    const asChecker: World = {
      ...world,
      credentials: async (ask) => (ask.party === "google" ? google : world.credentials(ask)),
    };
    const federation = federationOf(text.replace(/control: .*\n/, ""));
    return refused(b, () => checkHealth({ federation, only: [], consents: noConsents }, asChecker));
  }

  test.each(examples)("%s: the checker reads all of it with its role", async (name) => {
    expect(await refusals(name, [...permissions.checker, ...lookingAtPools])).toEqual(above);
  });

  test("each of these permissions is needed", async () => {
    const all = [...permissions.checker, ...lookingAtPools];
    const onProject = "resourcemanager.projects.getIamPolicy";
    for (const one of lookingAtPools.filter((permission) => permission !== onProject))
      expect([
        one,
        await refusals(
          "azure-to-google",
          all.filter((held) => held !== one),
        ),
      ]).not.toEqual([one, above]);
  });
});
