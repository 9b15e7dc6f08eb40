import { describe, expect, test } from "vitest";
import { bench } from "./support/bench.ts";

// What a deployment sets up in a Google project, where gcloud is no witness: time, and who may do what.

const day = 86_400;
const roles = "iam/v1/projects/acme-prod/roles";
const policyOf = "cloudresourcemanager/v1/projects/acme-prod";

/** A project with an account, and a way to call as it. */
async function stage() {
  const b = await bench();
  const make = await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "deployer" });
  const email = String(make.body.email);
  const grant = async (role: string) => {
    const { body } = await b.google("POST", `${policyOf}:getIamPolicy`, {});
    const bindings = [...(body.bindings as object[]), { role, members: [`serviceAccount:${email}`] }];
    return (await b.google("POST", `${policyOf}:setIamPolicy`, { policy: { ...body, bindings } })).status;
  };
  await b.google("POST", `iam/v1/projects/-/serviceAccounts/${email}:setIamPolicy`, {
    policy: { bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: ["user:operator@example.com"] }] },
  });
  const token = await b.google("POST", `iamcredentials/v1/projects/-/serviceAccounts/${email}:generateAccessToken`, {
    scope: ["https://www.googleapis.com/auth/cloud-platform"],
  });
  const as = async (method: string, path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${token.body.accessToken}`, "content-type": "application/json" };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return (await fetch(`${b.url}/google/${path}`, init)).status;
  };
  const clock = (days: number) =>
    fetch(`${b.url}/_sandbox/clock`, { method: "PUT", body: JSON.stringify({ offsetSeconds: days * day }) });
  return { b, grant, as, clock };
}

const role = (...includedPermissions: string[]) => ({ roleId: "ctRole", role: { stage: "GA", includedPermissions } });

describe("a custom role", () => {
  test("gives what it holds, nothing once deleted or disabled, and again when it is back", async () => {
    const { b, grant, as } = await stage();
    const list = () => as("GET", "iam/v1/projects/acme-prod/serviceAccounts");
    expect(await grant("projects/acme-prod/roles/ctRole")).toBe(400);
    await b.google("POST", roles, role("iam.roles.get"));
    expect(await grant("projects/acme-prod/roles/ctRole")).toBe(200);
    expect([await as("GET", `${roles}/ctRole`), await list()]).toEqual([200, 403]);
    await b.google("PATCH", `${roles}/ctRole?updateMask=included_permissions`, {
      includedPermissions: ["iam.serviceAccounts.list"],
      title: "outside the mask",
    });
    expect([await as("GET", `${roles}/ctRole`), await list()]).toEqual([403, 200]);
    expect((await b.google("GET", `${roles}/ctRole`)).body).not.toHaveProperty("title");
    await b.google("DELETE", `${roles}/ctRole`);
    expect(await list()).toBe(403);
    // It stays bound, so that a policy can still be written; it cannot be bound anew.
    expect(await grant("roles/browser")).toBe(200);
    await b.google("POST", `${roles}/ctRole:undelete`, {});
    expect(await list()).toBe(200);
    await b.google("PATCH", `${roles}/ctRole?updateMask=stage`, { stage: "DISABLED" });
    expect(await list()).toBe(403);
  });

  test("comes back within seven days; its id is free after thirty-seven", async () => {
    const { b, clock } = await stage();
    await b.google("POST", roles, role("iam.roles.get"));
    await b.google("DELETE", `${roles}/ctRole`);
    await clock(8);
    const late = await b.google("POST", `${roles}/ctRole:undelete`, {});
    expect(late.body.error).toMatchObject({ status: "FAILED_PRECONDITION" });
    const taken = await b.google("POST", roles, role("iam.roles.get"));
    expect(taken.body.error).toMatchObject({
      status: "FAILED_PRECONDITION",
      message: "You can't create a role_id (ctRole) which has been marked for deletion.",
    });
    await clock(38);
    expect((await b.google("GET", `${roles}/ctRole`)).status).toBe(404);
    expect((await b.google("POST", roles, role("iam.roles.get"))).status).toBe(200);
  });

  test("is changed by its etag, and takes no permission that is none", async () => {
    const { b } = await stage();
    const { body } = await b.google("POST", roles, role("iam.roles.get"));
    await b.google("PATCH", `${roles}/ctRole`, { title: "a" });
    const stale = await b.google("PATCH", `${roles}/ctRole`, { title: "b", etag: body.etag });
    expect(stale.body.error).toMatchObject({ code: 409, status: "ABORTED" });
    // gcloud sends an etag back in the alphabet of URLs: it is the same one.
    let etag = "";
    while (!/[+/]/.test(etag)) etag = String((await b.google("PATCH", `${roles}/ctRole`, { title: "c" })).body.etag);
    const spelt = etag.replaceAll("+", "-").replaceAll("/", "_");
    expect((await b.google("PATCH", `${roles}/ctRole`, { title: "d", etag: spelt })).status).toBe(200);
    const bad = await b.google("POST", roles, { ...role("not a permission"), roleId: "other" });
    expect([bad.status, (bad.body.error as { message: string }).message]).toEqual([
      400,
      "Permission not a permission is not valid.",
    ]);
  });
});

describe("a bucket that was made", () => {
  test("asks whoever reads and writes its objects for the permission, on it or on the project", async () => {
    const { b, grant, as } = await stage();
    const object = "storage/upload/storage/v1/b/acme-state/o?uploadType=media&name=a";
    expect(await as("POST", object, {})).toBe(200);
    await b.google("POST", "storage/storage/v1/b?project=acme-prod", { name: "acme-state" });
    expect([await as("POST", object, {}), await as("GET", "storage/storage/v1/b/acme-state/o/a")]).toEqual([403, 403]);
    await grant("roles/storage.objectViewer");
    expect([await as("POST", object, {}), await as("GET", "storage/storage/v1/b/acme-state/o/a")]).toEqual([403, 200]);
    await grant("roles/storage.objectUser");
    expect([await as("POST", object, {}), await as("GET", "storage/storage/v1/b/acme-state")]).toEqual([200, 403]);
  });
});

test("a metric's kind cannot be changed, and every label needs an extractor", async () => {
  const { b } = await stage();
  const metrics = "logging/v2/projects/acme-prod/metrics";
  const metric = { name: "m", filter: "severity>=ERROR" };
  expect((await b.google("POST", metrics, metric)).status).toBe(200);
  const gauge = { ...metric, metricDescriptor: { metricKind: "DELTA", valueType: "DISTRIBUTION" } };
  expect((await b.google("PUT", `${metrics}/m`, gauge)).status).toBe(400);
  const labelled = { ...metric, name: "n", metricDescriptor: { labels: [{ key: "link" }] } };
  expect((await b.google("POST", metrics, labelled)).status).toBe(400);
});
