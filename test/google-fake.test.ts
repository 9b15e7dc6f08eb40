import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Bench, bench } from "./support/bench.ts";

// What Google does with pools and their neighbours where nobody of ours asks (google.md 3, 5, 6, 12): a fake that is
// kinder than Google teaches wrong programs.

const oidc = readFileSync(join(import.meta.dirname, "..", "examples", "oidc-to-google.yaml"), "utf8");
const pools = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools";
const issuer = "https://idp.example.com";
const source = { oidc: { issuerUri: issuer }, attributeMapping: { "google.subject": "assertion.sub" } };
const accounts = "iam/v1/projects/acme-prod/serviceAccounts";
const day = 86_400;

async function withPool(): Promise<Bench> {
  const b = await bench();
  expect((await b.google("POST", `${pools}?workloadIdentityPoolId=pool-a`, {})).status).toBe(200);
  expect((await make(b, "oidc-a", source)).status).toBe(200);
  return b;
}
const make = (b: Bench, id: string, body: object) =>
  b.google("POST", `${pools}/pool-a/providers?workloadIdentityPoolProviderId=${id}`, body);
const messageOf = ({ body }: { body: Record<string, unknown> }) =>
  (body.error as { message: string } | undefined)?.message;

describe("what is refused", () => {
  const github = { ...source, oidc: { issuerUri: "https://token.actions.githubusercontent.com" } };
  const keys = (text: string) => ({ ...source, oidc: { issuerUri: issuer, jwksJson: text } });
  test.each([
    ["keys that are none", keys("nonsense"), /^Input JWK is not in a valid json format/],
    ["keys with certificates", keys('{"keys":[{"kty":"RSA","kid":"k","x5c":["a"]}]}'), /^Input JWK/],
    ["a shared issuer without a condition", github, /^The attribute condition must reference/],
    [
      "a shared issuer with a condition of nothing",
      { ...github, attributeCondition: "true" },
      /^The attribute condition/,
    ],
    ["a name that is a number", { ...source, displayName: 5 }, /displayName/],
    ["no mapping at all", { ...source, attributeMapping: null }, /google\.subject/],
  ])("%s", async (_, body, message) => {
    const answer = await make(await withPool(), "another", body);
    expect([answer.status, messageOf(answer)]).toEqual([400, expect.stringMatching(message)]);
  });

  test("fields that are no fields, in a mask and in a body", async () => {
    const b = await withPool();
    const at = `${pools}/pool-a/providers/oidc-a`;
    expect((await b.google("PATCH", `${at}?updateMask=id`, { id: "evil" })).status).toBe(400);
    expect((await b.google("PATCH", `${pools}/pool-a?updateMask=foo`, { foo: 1 })).status).toBe(400);
    await make(b, "plain", { ...source, project: "victim", pool: "nopool", id: "zzzz" });
    expect((await b.google("GET", `${pools}/pool-a/providers/plain`)).status).toBe(200);
    expect(b.sandbox.state.list("google.poolProvider/").map(([key]) => key.split("/")[1])).toEqual([
      "acme-prod",
      "acme-prod",
    ]);
  });

  test.each(["abc", "-5s", "0s", 1800])("a lifetime of %s, with an answer and not a broken line", async (lifetime) => {
    const b = await bench();
    await b.google("POST", accounts, { accountId: "etl-sink" });
    const path =
      "iamcredentials/v1/projects/-/serviceAccounts/etl-sink@acme-prod.iam.gserviceaccount.com:generateAccessToken";
    expect((await b.google("POST", path, { scope: ["x"], lifetime })).status).toBeGreaterThanOrEqual(400);
  });

  test("a policy with conditions that does not say version 3", async () => {
    const b = await withPool();
    const binding = {
      role: "roles/viewer",
      members: ["user:a@example.com"],
      condition: { title: "t", expression: "true" },
    };
    const set = (version: number) =>
      b.google("POST", `${pools}/pool-a:setIamPolicy`, { policy: { version, bindings: [binding] } });
    expect([(await set(1)).status, (await set(3)).status]).toEqual([400, 200]);
    expect((await b.google("POST", `${pools}/pool-a:getIamPolicy`, {})).body.bindings).toEqual([binding]);
    const asked = await b.google("POST", `${pools}/pool-a:testIamPermissions`, {
      permissions: ["iam.workloadIdentityPools.get"],
    });
    expect(asked.body.permissions).toEqual(["iam.workloadIdentityPools.get"]);
  });
});

describe("what comes back", () => {
  test("a pool of the same id, after its 30 days, begins with nothing", async () => {
    const b = await withPool();
    await b.google("DELETE", `${pools}/pool-a`);
    expect((await b.google("POST", `${pools}/pool-a/providers/oidc-a:undelete`, {})).status).toBe(400);
    b.sandbox.set({ offsetSeconds: 32 * day });
    expect((await b.google("POST", `${pools}?workloadIdentityPoolId=pool-a`, {})).status).toBe(200);
    expect((await b.google("GET", `${pools}/pool-a/providers`)).body).toEqual({});
    expect((await make(b, "oidc-a", source)).status).toBe(200);
  });

  test("an account that is made again inherits nothing, of buckets either", async () => {
    const b = await bench();
    const member = "serviceAccount:etl-sink@acme-prod.iam.gserviceaccount.com";
    const { body } = await b.google("POST", accounts, { accountId: "etl-sink" });
    const policy = "storage/storage/v1/b/acme-reports/iam";
    await b.google("PUT", policy, { bindings: [{ role: "roles/storage.objectViewer", members: [member] }] });
    await b.google("DELETE", `${accounts}/${body.uniqueId}`);
    await b.google("POST", accounts, { accountId: "etl-sink" });
    const [binding] = (await b.google("GET", policy)).body.bindings as { members: string[] }[];
    expect(binding?.members).toEqual([`deleted:${member}?uid=${body.uniqueId}`]);
  });
});

describe("sessions", () => {
  const exchange = async (b: Bench, more: object = {}) => {
    const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
    const audience = `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/partners/providers/idp-example`;
    const now = Math.floor(Date.now() / 1000);
    const claims = { sub: "deployer", aud: "gcp-access-client", iat: now - 5, exp: now + 1800, ...more };
    const minted = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body: JSON.stringify({ issuer, claims }) });
    const { token } = (await minted.json()) as { token: string };
    const form = {
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience,
      scope: "https://www.googleapis.com/auth/iam",
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      subjectToken: token,
    };
    const answer = await fetch(`${b.url}/v1/token`, { method: "POST", body: JSON.stringify(form) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  test("live as long as the token, or as the pool says; v1beta does not show that", async () => {
    const b = await bench();
    await b.apply(oidc);
    expect(Number((await exchange(b)).body.expires_in)).toBeGreaterThan(1700);
    const patch = await b.google("PATCH", `${pools}/partners?updateMask=sessionDuration`, { sessionDuration: "600s" });
    expect(patch.status).toBe(200);
    expect((await exchange(b)).body.expires_in).toBe(600);
    expect((await b.google("GET", `${pools}/partners`)).body.sessionDuration).toBe("600s");
    expect(
      (await b.google("GET", `${pools.replace("/v1/", "/v1beta/")}/partners`)).body.sessionDuration,
    ).toBeUndefined();
    expect(
      (await b.google("PATCH", `${pools}/partners?updateMask=sessionDuration`, { sessionDuration: "60s" })).status,
    ).toBe(400);
  });

  test("not before their time", async () => {
    const b = await bench();
    await b.apply(oidc);
    const { status, body } = await exchange(b, { nbf: Math.floor(Date.now() / 1000) + 3000 });
    expect([status, body.error]).toEqual([400, "invalid_grant"]);
  });
});

test("a deny policy is deleted with the etag that was read", async () => {
  const b = await bench();
  const number = (await b.google("GET", "cloudresourcemanager/v1/projects/acme-prod")).body.projectNumber;
  const at = `iam/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2F${number}/denypolicies`;
  expect((await b.google("POST", `${at}?policyId=no-keys`, { displayName: "x" })).status).toBe(200);
  expect((await b.google("DELETE", `${at}/no-keys?etag=c3RhbGU=`)).status).toBe(409);
  expect((await b.google("DELETE", `${at}/no-keys`)).status).toBe(200);
});
