import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { preflight } from "../src/crosstrust.ts";
import { type Bench, bench } from "./support/bench.ts";

// Organization policies that name whom pools may believe (google.md 5): told before anything is made, with the value
// and the command; and Google's own refusal of what was made all the same.

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");
const files = { aws: example("aws-to-google"), azure: example("azure-to-google"), oidc: example("oidc-to-google") };
const tenant = "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/";
const issuers = "iam.workloadIdentityPoolProviders";
const accounts = "iam.workloadIdentityPoolAwsAccounts";

async function set(b: Bench, constraint: string, listPolicy: object): Promise<void> {
  const policy = { constraint: `constraints/${constraint}`, listPolicy };
  const path = "cloudresourcemanager/v1/projects/acme-prod:setOrgPolicy";
  expect((await b.google("POST", path, { policy })).status).toBe(200);
}

const line = async (b: Bench, file: string) =>
  (await preflight(b.ask(file).federation, b.world())).find(({ topic }) => topic === "google org policies");

const cases: readonly (readonly [string, keyof typeof files, string, object, string | undefined])[] = [
  ["another account alone", "aws", accounts, { allowedValues: ["210987654321"] }, "123456789000"],
  ["the account", "aws", accounts, { allowedValues: ["is:123456789000"] }, undefined],
  [
    "the account, denied as well",
    "aws",
    accounts,
    { allowedValues: ["123456789000"], deniedValues: ["123456789000"] },
    "123456789000",
  ],
  ["no issuer but a tenant", "aws", issuers, { allowedValues: [tenant] }, "https://sts.amazonaws.com"],
  ["a tenant", "azure", issuers, { allowedValues: [tenant] }, undefined],
  ["the tenant without its slash", "azure", issuers, { allowedValues: [tenant.slice(0, -1)] }, tenant],
  ["nobody", "oidc", issuers, { allValues: "DENY" }, "https://idp.example.com"],
  ["anybody", "oidc", issuers, { allValues: "ALLOW" }, undefined],
  ["another is denied", "oidc", issuers, { deniedValues: ["https://gitlab.com"] }, undefined],
  ["an AWS account, for a link of none", "oidc", accounts, { allValues: "DENY" }, undefined],
];

describe.each(cases)("%s", (_, from, constraint, policy, value) => {
  test(`${value ? "stops" : "lets"} a link from ${from}${value ? "" : " be"}, and both say so`, async () => {
    const b = await bench();
    await set(b, constraint, policy);
    const before = await line(b, files[from]);
    const { applied } = await b.apply(files[from]);
    const refused = applied.findings.find(({ code }) => code === "REFUSED");
    if (value === undefined) {
      expect([before?.ok, refused]).toEqual([true, undefined]);
      return;
    }
    expect(before).toMatchObject({ ok: false, says: `constraints/${constraint} does not allow ${value}` });
    expect(before?.fix).toEqual([
      `gcloud resource-manager org-policies allow ${constraint} ${value} --project acme-prod`,
    ]);
    expect(refused?.says).toContain(`Org Policy violated for value: '${value}'.`);
    expect(refused?.fix.join("\n")).toContain(`constraints/${constraint}`);
  });
});

test("what is there already is not asked again, until it changes", async () => {
  const b = await bench();
  await b.apply(files.aws);
  await set(b, accounts, { allowedValues: ["210987654321"] });
  expect((await b.health(files.aws)).verdict).toBe("works");
  const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/aws-prod";
  const { status, body } = await b.google("PATCH", `${pool}?updateMask=disabled`, { disabled: true });
  expect([status, (body.error as { status: string }).status]).toEqual([400, "FAILED_PRECONDITION"]);
});

test("keys that somebody stores are an issuer of their own", async () => {
  const b = await bench();
  await b.apply(files.oidc);
  await set(b, issuers, { allowedValues: ["https://idp.example.com"] });
  const path = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/idp-example";
  const keys = { oidc: { jwksJson: '{"keys":[]}' } };
  const { body } = await b.google("PATCH", `${path}?updateMask=oidc.jwksJson`, keys);
  expect(JSON.stringify(body)).toContain("Org Policy violated for value: 'KEY_UPLOAD'.");
});

// Catches a preflight that looks at accounts alone: the impersonation and a grant on the project need rights of their own.
test.each([
  ["a link with an account", files.aws, "google roles", "iam.serviceAccounts.setIamPolicy"],
  [
    "a grant on the project",
    files.azure.replace(
      "//storage.googleapis.com/projects/_/buckets/acme-reports",
      "//cloudresourcemanager.googleapis.com/projects/acme-prod",
    ),
    "google grants",
    "resourcemanager.projects.setIamPolicy",
  ],
])("%s needs what it writes", async (_, file, topic, permission) => {
  const b = await bench();
  const path = "cloudresourcemanager/v1/projects/acme-prod";
  const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
  const bindings = ["roles/iam.workloadIdentityPoolAdmin", "roles/browser"].map((role) => ({
    role,
    members: ["user:operator@example.com"],
  }));
  await b.google("POST", `${path}:setIamPolicy`, { policy: { ...body, bindings } });
  const lines = await preflight(b.ask(file).federation, b.world());
  expect(lines.find((one) => one.topic === topic)).toMatchObject({
    ok: false,
    says: expect.stringContaining(permission),
  });
});
