import { describe, expect, test } from "vitest";
import { bench, example, reports } from "./support/bench.ts";

// What Google says of a token, and what an organization policy says that nobody has set.

async function stage() {
  const b = await bench();
  await b.apply(example);
  const operator = (await b.world().credentials({ party: "google", scope: "acme-prod" })).secrets.accessToken ?? "";
  const info = async (token: string) =>
    (await (await fetch(`${b.url}/google/oauth2/tokeninfo?access_token=${token}`)).json()) as Record<string, string>;
  const path = `iamcredentials/v1/projects/-/serviceAccounts/${reports}:generateAccessToken`;
  const policy = {
    bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: ["user:operator@example.com"] }],
  };
  await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${reports}:setIamPolicy`, { policy });
  const tokenFor = async (scope: readonly string[], lifetime: string) =>
    String((await b.google("POST", path, { scope, lifetime })).body.accessToken);
  return { b, operator, info, tokenFor };
}

const auth = "https://www.googleapis.com/auth";

describe("tokeninfo", () => {
  test("shows the scopes that a token was asked for, and how long it lives from now on", async () => {
    const { b, info, tokenFor } = await stage();
    const scopes = [`${auth}/devstorage.read_only`, `${auth}/userinfo.email`];
    const token = await tokenFor(scopes, "600s");
    const first = await info(token);
    expect(first).toMatchObject({ email: reports, scope: scopes.join(" "), access_type: "online" });
    expect(Number(first.expires_in)).toBeGreaterThan(590);
    expect(Number(first.expires_in)).toBeLessThanOrEqual(600);
    b.sandbox.set({ offsetSeconds: 500 });
    const later = await info(token);
    expect(Number(later.expires_in)).toBeLessThanOrEqual(100);
    expect(later.exp).toBe(first.exp);
    b.sandbox.set({ offsetSeconds: 601 });
    expect(await info(token)).toEqual({ error: "invalid_token", error_description: "Invalid Value" });
  });

  test("of a token of the machine: the scopes that it asked the metadata server for, else all", async () => {
    const { b, info } = await stage();
    const token = async (query: string) => {
      const at = `${b.url}/computeMetadata/v1/instance/service-accounts/default/token${query}`;
      const answer = await fetch(at, { headers: { "metadata-flavor": "Google" } });
      return ((await answer.json()) as { access_token: string }).access_token;
    };
    expect((await info(await token(""))).scope).toBe(`${auth}/cloud-platform`);
    const asked = encodeURIComponent(`${auth}/devstorage.read_write,${auth}/iam`);
    expect((await info(await token(`?scopes=${asked}`))).scope).toBe(`${auth}/devstorage.read_write ${auth}/iam`);
  });
});

describe("the machine of a sandbox in which nobody made an account", () => {
  const email = async (url: string) => {
    const at = `${url}/computeMetadata/v1/instance/service-accounts/default/email`;
    return (await fetch(at, { headers: { "metadata-flavor": "Google" } })).text();
  };

  test("speaks as the default account of Compute Engine, until somebody makes one", async () => {
    const b = await bench();
    expect(await email(b.url)).toMatch(/^\d+-compute@developer\.gserviceaccount\.com$/);
    await b.apply(example);
    expect(await email(b.url)).toBe(reports);
  });

  test("speaks as nobody where it was told to speak as an account that is not there", async () => {
    const b = await bench();
    b.sandbox.set({ actsAs: "nobody@acme-prod.iam.gserviceaccount.com" });
    expect(await email(b.url)).toBe("");
    expect(b.sandbox.state.list("google.account/")).toEqual([]);
  });
});

describe("an organization policy", () => {
  const at = "cloudresourcemanager/v1/projects/acme-prod";
  const ask = async (b: Awaited<ReturnType<typeof bench>>, verb: string, constraint: string) =>
    (await b.google("POST", `${at}:${verb}`, { constraint })).body;

  test.each(["constraints/iam.workloadIdentityPoolProviders", "constraints/iam.disableServiceAccountKeyCreation"])(
    "%s that nobody has set is of no kind, and effectively allows everything",
    async (constraint) => {
      const b = await bench();
      expect(await ask(b, "getOrgPolicy", constraint)).toEqual({ constraint });
      expect(Object.keys(await ask(b, "getEffectiveOrgPolicy", constraint))).toHaveLength(2);
    },
  );

  test("can be set and cleared again", async () => {
    const b = await bench();
    const lists = { constraint: "constraints/iam.workloadIdentityPoolProviders", listPolicy: { allowedValues: ["x"] } };
    const flag = { constraint: "constraints/iam.disableServiceAccountKeyCreation", booleanPolicy: { enforced: true } };
    for (const policy of [lists, flag]) {
      await b.google("POST", `${at}:setOrgPolicy`, { policy });
      expect(await ask(b, "getOrgPolicy", policy.constraint)).toEqual(policy);
      await ask(b, "clearOrgPolicy", policy.constraint);
      expect(await ask(b, "getOrgPolicy", policy.constraint)).toEqual({ constraint: policy.constraint });
    }
  });
});
