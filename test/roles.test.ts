import { describe, expect, test } from "vitest";
import { applyPlan, checkHealth, makePlan } from "../src/crosstrust.ts";
import { permissions } from "../src/deploy/access.ts";
import type { World } from "../src/model.ts";
import { type Bench, federationOf, noConsents } from "./support/bench.ts";
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

/** The world of a deployed function: its control role in AWS, its own token in Google, and no operator anywhere. */
async function worldAs(b: Bench, who: Who): Promise<World> {
  const session = await sessionOf(b, who);
  const headers = { "metadata-flavor": "Google" };
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  const { access_token: accessToken } = (await (await fetch(b.url + path, { headers })).json()) as never;
  const google = {
    ...{ secrets: { accessToken }, principal: control[who], about: { source: "metadata" } },
    expiresAt: Date.now() + 600_000,
  };
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
async function refused(b: Bench, work: () => Promise<unknown>): Promise<number> {
  const calls = await b.callsOf(work);
  return calls.filter(({ service, status }) => service.startsWith("google.") && status === 403).length;
}

const only = controlled.slice(0, controlled.indexOf("  okta-engineers"));
const ask = { federation: federationOf(only), only: [], consents: noConsents };

describe("the checker", () => {
  async function stage(): Promise<Bench> {
    const b = await controlStage(only);
    await b.apply(only);
    await onboardControl(b, only);
    return b;
  }
  const check = async (b: Bench, held: readonly string[]) => {
    await grant(b, "checker", held);
    const world = await worldAs(b, "checker");
    return refused(b, () => checkHealth(ask, world));
  };

  test("checks with the role that deploy gives it, and is refused without any one of its permissions", async () => {
    const b = await stage();
    expect(await check(b, permissions.checker)).toBe(0);
    const { verdict, findings } = await checkHealth(ask, await worldAs(b, "checker"));
    expect([verdict, findings.filter(({ severity }) => severity !== "hint")]).toEqual(["works", []]);
    for (const one of permissions.checker)
      expect([
        one,
        await check(
          b,
          permissions.checker.filter((held) => held !== one),
        ),
      ]).not.toEqual([one, 0]);
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

  const run = async (held: readonly string[]): Promise<number> => {
    const b = await controlStage(only);
    await grant(b, "provisioner", held);
    const world = await worldAs(b, "provisioner");
    return refused(b, () => flows(b, world));
  };

  test("makes and mends accounts with the role that deploy gives it, and not without any one of its permissions", async () => {
    expect(await run(permissions.provisioner)).toBe(0);
    for (const one of permissions.provisioner)
      expect([one, await run(permissions.provisioner.filter((held) => held !== one))]).not.toEqual([one, 0]);
  });

  test("lets nobody mint, and takes no account away", () => {
    for (const held of [...permissions.checker, ...permissions.provisioner])
      expect(held).not.toMatch(/setIamPolicy|delete|actAs|getAccessToken|getOpenIdToken|signBlob|signJwt|Keys|\*/);
  });
});
