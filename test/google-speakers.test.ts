import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { certificateOf } from "../src/parties/google/sandbox/key-material.ts";
import { type Bench, bench } from "./support/bench.ts";

// Who may speak as a service account: keys, bindings on the account and on everything above it, custom roles. The sandbox
// must let a stranger in wherever Google would, or a test of the product proves nothing.

const organization = "111111111111";
const iam = "iam/v1/projects/acme-prod/serviceAccounts";
const email = "etl-sink@acme-prod.iam.gserviceaccount.com";
const keys = `${iam}/${email}/keys`;
const crm = "cloudresourcemanager";
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

// biome-ignore lint/suspicious/noExplicitAny: whatever a service answers; each test looks at its own part
type Answer = { readonly status: number; readonly body: any };

async function stage() {
  const b = await bench();
  const ok = async (method: string, path: string, body?: unknown) => {
    const answer: Answer = await b.google(method, path, body);
    expect([path, answer.status, answer.body.error?.message]).toEqual([path, 200, undefined]);
    return answer.body;
  };
  await ok("POST", iam, { accountId: "etl-sink" });
  /** Adds one binding to a policy; the path ends before its custom method. */
  const bind = async (path: string, role: string, member: string) => {
    const policy = await ok("POST", `${path}:getIamPolicy`, {});
    const bindings = [...(policy.bindings ?? []), { role, members: [member] }];
    return ok("POST", `${path}:setIamPolicy`, { policy: { ...policy, bindings } });
  };
  return { b, ok, bind };
}

async function call(b: Bench, token: string, path: string, body: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${b.url}/google/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

interface KeyFile {
  readonly client_email: string;
  readonly private_key: string;
  readonly private_key_id: string;
}

const fileOf = (answer: { privateKeyData: string }): KeyFile =>
  JSON.parse(Buffer.from(answer.privateKeyData, "base64").toString());

function assertionOf({ client_email: iss, private_key, private_key_id: kid }: KeyFile, more: object): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss, aud: "https://oauth2.googleapis.com/token", iat: now, exp: now + 3600, ...more };
  const input = `${part({ alg: "RS256", typ: "JWT", kid })}.${part(claims)}`;
  return `${input}.${createSign("RSA-SHA256").update(input).sign(private_key, "base64url")}`;
}

async function exchange(b: Bench, assertion: string): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: jwtBearer, assertion });
  const answer = await fetch(`${b.url}/google/oauth2/token`, { method: "POST", body });
  return { status: answer.status, body: await answer.json() };
}

const scope = "https://www.googleapis.com/auth/cloud-platform";

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

/** Somebody with an account in a project of their own, and a token for it: by a key, as anybody can have one. */
async function stranger(b: Bench): Promise<string> {
  const theirs = "iam/v1/projects/stranger-prod/serviceAccounts";
  await b.google("POST", theirs, { accountId: "stranger" });
  const made = await b.google("POST", `${theirs}/stranger@stranger-prod.iam.gserviceaccount.com/keys`, {});
  const answer = await exchange(b, assertionOf(fileOf(made.body as { privateKeyData: string }), { scope }));
  expect(answer.status).toBe(200);
  return answer.body.access_token;
}

const tokens = `iamcredentials/v1/projects/-/serviceAccounts/${email}`;
const accessOf = (b: Bench, token: string) => call(b, token, `${tokens}:generateAccessToken`, { scope: [scope] });

describe("keys of a service account", () => {
  test("a key that is created gives its private half once and lets its holder speak as the account", async () => {
    const { b, ok } = await stage();
    const made = await ok("POST", keys, {});
    expect(made).toMatchObject({
      keyAlgorithm: "KEY_ALG_RSA_2048",
      keyOrigin: "GOOGLE_PROVIDED",
      keyType: "USER_MANAGED",
      privateKeyType: "TYPE_GOOGLE_CREDENTIALS_FILE",
      validBeforeTime: "9999-12-31T23:59:59Z",
    });
    const file = fileOf(made);
    expect(made.name).toBe(`projects/acme-prod/serviceAccounts/${email}/keys/${file.private_key_id}`);
    const access = await exchange(b, assertionOf(file, { scope }));
    expect(access.body).toMatchObject({ token_type: "Bearer", expires_in: 3599 });
    const info = await fetch(`${b.url}/google/oauth2/tokeninfo?access_token=${access.body.access_token}`);
    expect(await info.json()).toMatchObject({ email });
    const id = await exchange(b, assertionOf(file, { target_audience: "aws-trust-1" }));
    expect(claimsOf(id.body.id_token)).toMatchObject({ aud: "aws-trust-1", azp: email, email });
    const shown = await ok("GET", `${keys}/${file.private_key_id}?publicKeyType=TYPE_RAW_PUBLIC_KEY`);
    expect(Object.keys(shown)).not.toContain("privateKeyData");
    expect(Buffer.from(shown.publicKeyData, "base64").toString()).toContain("BEGIN PUBLIC KEY");
    const issued = await (await fetch(`${b.url}/_sandbox/issued`)).json();
    expect(issued).toEqual(expect.arrayContaining([made.privateKeyData, file.private_key, access.body.access_token]));
    expect(JSON.stringify(b.sandbox.state.list(""))).not.toContain("PRIVATE KEY");
  });

  test("a list has the key that Google manages, and can be filtered by who manages a key", async () => {
    const { b, ok } = await stage();
    const { name } = await ok("POST", keys, {});
    const kinds = async (query: string) =>
      ((await ok("GET", `${keys}${query}`)).keys ?? []).map(({ keyType }: { keyType: string }) => keyType);
    expect(await kinds("")).toEqual(["USER_MANAGED", "SYSTEM_MANAGED"]);
    expect(await kinds("?keyTypes=USER_MANAGED")).toEqual(["USER_MANAGED"]);
    expect(await kinds("?keyTypes=SYSTEM_MANAGED")).toEqual(["SYSTEM_MANAGED"]);
    expect((await b.google("GET", `${keys}?keyTypes=OTHERS`)).status).toBe(400);
    expect(await ok("DELETE", `iam/v1/${name}`)).toEqual({});
    expect(await ok("GET", `${keys}?keyTypes=USER_MANAGED`)).toEqual({});
    expect((await b.google("DELETE", `iam/v1/${name}`)).status).toBe(404);
    const [system] = (await ok("GET", keys)).keys;
    expect((await b.google("DELETE", `iam/v1/${system.name}`)).status).toBe(400);
  });

  test("a key that is disabled or deleted, or whose account is, signs nothing", async () => {
    const { b, ok } = await stage();
    const made = await ok("POST", keys, {});
    const assertion = assertionOf(fileOf(made), { scope });
    const says = async () => (await exchange(b, assertion)).body.error_description;
    await ok("POST", `iam/v1/${made.name}:disable`, {});
    expect(await ok("GET", `iam/v1/${made.name}`)).toMatchObject({
      disabled: true,
      disableReason: "SERVICE_ACCOUNT_KEY_DISABLE_REASON_USER_INITIATED",
    });
    expect(await says()).toBe("Invalid JWT Signature.");
    await ok("POST", `iam/v1/${made.name}:enable`, {});
    expect(await says()).toBe(undefined);
    await ok("POST", `${iam}/${email}:disable`, {});
    expect(await says()).toBe("Invalid grant: account disabled");
    await ok("POST", `${iam}/${email}:enable`, {});
    await ok("DELETE", `iam/v1/${made.name}`);
    expect(await says()).toBe("Invalid JWT Signature.");
    await ok("DELETE", `${iam}/${email}`);
    expect(await says()).toBe("Invalid grant: account not found");
  });

  test("a public key that is uploaded is valid as long as its certificate", async () => {
    const { b, ok } = await stage();
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const validity = { validAfter: Date.UTC(2026, 0, 1), validBefore: Date.UTC(2040, 0, 1) };
    const account = await ok("GET", `${iam}/${email}`);
    const certificate = await certificateOf(privateKey, { ...account, policy: { etag: "", bindings: [] } }, validity);
    const upload = (text: string) =>
      b.google("POST", `${keys}:upload`, { publicKeyData: Buffer.from(text).toString("base64") });
    const { body } = await upload(certificate);
    expect(body).toMatchObject({
      keyOrigin: "USER_PROVIDED",
      keyType: "USER_MANAGED",
      validAfterTime: "2026-01-01T00:00:00Z",
      validBeforeTime: "2040-01-01T00:00:00Z",
    });
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const file = { client_email: email, private_key, private_key_id: String(body.name).split("/").at(-1) ?? "" };
    expect((await exchange(b, assertionOf(file, { scope }))).status).toBe(200);
    expect([(await upload(certificate)).status, (await upload("nonsense")).status]).toEqual([409, 400]);
  });

  test.each([
    ["iam.disableServiceAccountKeyCreation", "", {}, "Key creation is not allowed on this service account."],
    ["iam.disableServiceAccountKeyUpload", ":upload", { publicKeyData: "" }, /attempting to upload public key/],
  ])("the organization policy %s refuses a key", async (name, verb, body, says) => {
    const { b, ok } = await stage();
    const constraint = `constraints/${name}`;
    const policy = { constraint, booleanPolicy: { enforced: true } };
    await ok("POST", `${crm}/v1/projects/acme-prod:setOrgPolicy`, { policy });
    const answer: Answer = await b.google("POST", `${keys}${verb}`, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { message: expect.stringMatching(says) } } });
    expect(answer.body.error.details[0].violations[0]).toMatchObject({ type: constraint });
  });

  test("a deny policy refuses a key to everybody but those it excepts", async () => {
    const { b, ok } = await stage();
    const at = "iam/v2/policies/cloudresourcemanager.googleapis.com%2Fprojects%2Facme-prod/denypolicies";
    const rule = (exceptionPrincipals: readonly string[]) => ({
      displayName: "no keys",
      rules: [
        {
          denyRule: {
            deniedPrincipals: ["principalSet://goog/public:all"],
            exceptionPrincipals,
            deniedPermissions: ["iam.googleapis.com/serviceAccountKeys.create"],
          },
        },
      ],
    });
    await ok("POST", `${at}?policyId=no-keys`, rule(["principalSet://goog/group/break-glass@example.com"]));
    expect((await b.google("POST", keys, {})).status).toBe(403);
    await ok("GET", keys);
    await ok("PUT", `${at}/no-keys`, rule(["principal://goog/subject/operator@example.com"]));
    expect((await b.google("POST", keys, {})).status).toBe(200);
  });

  test("an eleventh key is refused", async () => {
    const { b, ok } = await stage();
    await ok("POST", keys, {});
    const [[key, stored] = ["", {}]] = b.sandbox.state.list<object>("google.key/");
    for (let at = 1; at < 10; at++) b.sandbox.state.put(`${key}${at}`, { ...stored, id: String(at) });
    const answer = await b.google("POST", keys, {});
    expect(answer).toMatchObject({ status: 400, body: { error: { status: "FAILED_PRECONDITION" } } });
  });

  test.each([
    [
      "an hour and more",
      { exp: Math.floor(Date.now() / 1000) + 7200 },
      "Invalid JWT: Token must be a short-lived token",
    ],
    ["run out", { iat: 1, exp: 2 }, "Invalid JWT: Token must be a short-lived token"],
    ["for another audience", { aud: "https://example.com" }, "Invalid JWT: Failed audience check."],
    ["of nobody", { iss: "nobody@acme-prod.iam.gserviceaccount.com" }, "Invalid grant: account not found"],
    ["without a scope", { scope: undefined }, "Invalid OAuth scope or ID token audience provided."],
    ["for a person", { sub: "boss@example.com" }, "Client is unauthorized"],
  ])("an assertion %s is refused", async (_, claims, says) => {
    const { b, ok } = await stage();
    const answer = await exchange(b, assertionOf(fileOf(await ok("POST", keys, {})), { scope, ...claims }));
    expect(answer).toMatchObject({ status: 400, body: { error_description: expect.stringContaining(says) } });
  });
});

describe("a stranger", () => {
  const them = "serviceAccount:stranger@stranger-prod.iam.gserviceaccount.com";

  test("gets no token of an account where nothing lets them in", async () => {
    const { b } = await stage();
    expect((await accessOf(b, await stranger(b))).status).toBe(403);
  });

  const account = `${iam}/${email}`;
  const project = `${crm}/v1/projects/acme-prod`;
  const above = `${crm}/v1/organizations/${organization}`;
  const creator = "roles/iam.serviceAccountTokenCreator";
  test.each([
    ["allUsers on the account", account, "allUsers"],
    ["allAuthenticatedUsers on the account", account, "allAuthenticatedUsers"],
    ["their account in the project", project, them],
    ["their account in the organization", above, them],
    [
      "all service accounts of the organization",
      account,
      `principalSet://cloudresourcemanager.googleapis.com/organizations/${organization}/type/ServiceAccount`,
    ],
  ])("gets a token by %s as token creator", async (_, path, member) => {
    const { b, bind } = await stage();
    const token = await stranger(b);
    await bind(path, creator, member);
    expect((await accessOf(b, token)).status).toBe(200);
    const id = await call(b, token, `${tokens}:generateIdToken`, { audience: "aws-trust-1" });
    expect(claimsOf(id.body.token).aud).toBe("aws-trust-1");
  });

  test("gets a token by a binding on a folder above the project", async () => {
    const { b, ok, bind } = await stage();
    const token = await stranger(b);
    const made = await ok("POST", `${crm}/v2/folders?parent=organizations/${organization}`, { displayName: "teams" });
    const folder = made.response.name;
    await bind(`${crm}/v2/${folder}`, creator, them);
    expect((await accessOf(b, token)).status).toBe(403);
    const { parent: _, ...shown } = await ok("GET", project);
    await ok("PUT", project, { ...shown, parent: { type: "folder", id: folder.split("/")[1] } });
    expect((await accessOf(b, token)).status).toBe(200);
    expect(
      (await ok("POST", `${project}:getAncestry`, {})).ancestor.map(({ resourceId }: Answer["body"]) => resourceId),
    ).toEqual([
      { type: "project", id: "acme-prod" },
      { type: "folder", id: folder.split("/")[1] },
      { type: "organization", id: organization },
    ]);
  });

  test.each([
    ["project", "iam/v1/projects/acme-prod"],
    ["organization", `iam/v1/organizations/${organization}`],
  ])("gets a token by a custom role of the %s that holds signJwt", async (_, at) => {
    const { b, ok, bind } = await stage();
    const token = await stranger(b);
    // The operator looks after folders alone until somebody makes him more; he may set the organization's policy.
    await bind(above, "roles/iam.organizationRoleAdmin", "user:operator@example.com");
    const role = { title: "innocent", stage: "GA", includedPermissions: ["iam.serviceAccounts.signJwt"] };
    const { name } = await ok("POST", `${at}/roles`, { roleId: "innocent", role });
    await bind(account, name, them);
    expect((await accessOf(b, token)).status).toBe(403);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: email, aud: "https://oauth2.googleapis.com/token", scope, iat: now, exp: now + 600 };
    const signed = await call(b, token, `${tokens}:signJwt`, { payload: JSON.stringify(claims) });
    expect(signed.status).toBe(200);
    expect((await exchange(b, signed.body.signedJwt)).body.token_type).toBe("Bearer");
    const late = { ...claims, exp: now + 13 * 3600 };
    expect((await call(b, token, `${tokens}:signJwt`, { payload: JSON.stringify(late) })).status).toBe(400);
    await ok("DELETE", `iam/v1/${name}`);
    expect((await call(b, token, `${tokens}:signJwt`, { payload: JSON.stringify(claims) })).status).toBe(403);
  });

  test("gets a token through a chain of accounts where each may delegate to the next", async () => {
    const { b, ok, bind } = await stage();
    const token = await stranger(b);
    await ok("POST", iam, { accountId: "between" });
    const between = "between@acme-prod.iam.gserviceaccount.com";
    const ask = () =>
      call(b, token, `${tokens}:generateAccessToken`, {
        scope: [scope],
        delegates: [`projects/-/serviceAccounts/${between}`],
      });
    await bind(`${iam}/${between}`, creator, them);
    expect((await ask()).status).toBe(403);
    await bind(account, creator, `serviceAccount:${between}`);
    expect((await ask()).status).toBe(200);
    expect((await accessOf(b, token)).status).toBe(403);
  });

  test("is let in by a group or a domain only where somebody stated the membership", async () => {
    const { b, bind } = await stage();
    const token = await stranger(b);
    await bind(account, creator, "group:partners@elsewhere.example");
    await bind(account, creator, "domain:stranger-prod.iam.gserviceaccount.com");
    expect((await accessOf(b, token)).status).toBe(403);
    b.sandbox.state.put("google.groups", { "partners@elsewhere.example": [them] });
    expect((await accessOf(b, token)).status).toBe(200);
  });

  test.each(["/*", "/attribute.team/red", "/group/ops", "/subject/somebody"])(
    "of a pool gets a token by the member of the pool that ends in %s, and not as an authenticated user",
    async (tail) => {
      const { b, ok, bind } = await stage();
      const at = "iam/v1/projects/stranger-prod/locations/global/workloadIdentityPools";
      await ok("POST", `${at}?workloadIdentityPoolId=theirs`, {});
      const issuer = "https://idp.example.com";
      const attributeMapping = {
        "google.subject": "assertion.sub",
        "google.groups": "assertion.groups",
        "attribute.team": "assertion.team",
      };
      const source = { oidc: { issuerUri: issuer, allowedAudiences: ["them"] }, attributeMapping };
      await ok("POST", `${at}/theirs/providers?workloadIdentityPoolProviderId=theirs`, source);
      const { projectNumber } = await ok("GET", `${crm}/v1/projects/stranger-prod`);
      const pool = `iam.googleapis.com/projects/${projectNumber}/locations/global/workloadIdentityPools/theirs`;
      const claims = { sub: "somebody", aud: "them", groups: ["ops"], team: "red" };
      const minted = await fetch(`${b.url}/_sandbox/mint`, {
        method: "POST",
        body: JSON.stringify({ issuer, claims }),
      });
      const { token } = (await minted.json()) as { token: string };
      const form = {
        grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
        audience: `//${pool}/providers/theirs`,
        scope,
        requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
        subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
        subjectToken: token,
      };
      const federated = await fetch(`${b.url}/v1/token`, { method: "POST", body: JSON.stringify(form) });
      const { access_token } = (await federated.json()) as { access_token: string };
      await bind(account, "roles/iam.workloadIdentityUser", "allAuthenticatedUsers");
      expect((await accessOf(b, access_token)).status).toBe(403);
      const kind = tail.startsWith("/subject") ? "principal" : "principalSet";
      await bind(account, "roles/iam.workloadIdentityUser", `${kind}://${pool}${tail}`);
      expect((await accessOf(b, access_token)).status).toBe(200);
    },
  );
});

describe("policies above a project", () => {
  test("an everyday project is bound by its owners, default accounts and service agents", async () => {
    const { ok, bind } = await stage();
    await ok("POST", "serviceusage/v1/projects/acme-prod/services/compute.googleapis.com:enable", {});
    const { projectNumber: number } = await ok("GET", `${crm}/v1/projects/acme-prod`);
    const agents = [
      `service-${number}@gcp-sa-pubsub.iam.gserviceaccount.com`,
      `service-${number}@compute-system.iam.gserviceaccount.com`,
      `${number}@cloudservices.gserviceaccount.com`,
      "acme-prod@appspot.gserviceaccount.com",
    ];
    for (const agent of agents)
      await bind(`${crm}/v1/projects/acme-prod`, "roles/iam.serviceAccountTokenCreator", `serviceAccount:${agent}`);
    for (const member of ["user:owner@example.com", "group:admins@example.com", "domain:example.com"])
      await bind(`${crm}/v1/projects/acme-prod`, "roles/editor", member);
    const { accounts } = await ok("GET", iam);
    expect(accounts.map((one: { email: string }) => one.email)).toContain(
      `${number}-compute@developer.gserviceaccount.com`,
    );
  });

  test.each([
    [
      "an agent of a project that is not known",
      "serviceAccount:service-999999999999@gcp-sa-pubsub.iam.gserviceaccount.com",
    ],
    ["an account that is no agent", "serviceAccount:service-1@nothing.iam.gserviceaccount.com"],
    ["everybody", "allUsers"],
    ["everybody who is signed in", "allAuthenticatedUsers"],
    ["a member without a type", "owner@example.com"],
  ])("a project refuses to bind %s", async (_, member) => {
    const { b } = await stage();
    const bindings = [{ role: "roles/viewer", members: [member] }];
    const path = `${crm}/v1/projects/acme-prod:setIamPolicy`;
    expect((await b.google("POST", path, { policy: { bindings } })).status).toBe(400);
  });

  test("a policy with an old etag is refused, on a folder and on the organization", async () => {
    const { b, ok, bind } = await stage();
    const made = await ok("POST", `${crm}/v3/folders`, {
      parent: `organizations/${organization}`,
      displayName: "teams",
    });
    for (const at of [`${crm}/v3/${made.response.name}`, `${crm}/v3/organizations/${organization}`]) {
      const before = await ok("POST", `${at}:getIamPolicy`, {});
      await bind(at, "roles/viewer", "group:readers@example.com");
      const again = await b.google("POST", `${at}:setIamPolicy`, { policy: before });
      expect(again).toMatchObject({ status: 409, body: { error: { status: "ABORTED" } } });
    }
  });

  test("whoever holds nothing there reads neither a folder nor the organization", async () => {
    const { b, ok } = await stage();
    const token = await stranger(b);
    const made = await ok("POST", `${crm}/v2/folders?parent=organizations/${organization}`, { displayName: "teams" });
    const paths = [made.response.name, `folders/1`].map((name) => `v2/${name}`);
    for (const path of [...paths, `v1/organizations/${organization}`, "v1/organizations/5"])
      expect([path, (await call(b, token, `${crm}/${path}:getIamPolicy`, {})).status]).toEqual([path, 403]);
  });

  test("a project is created below a folder, and a second one of the same name is refused", async () => {
    const { b, ok } = await stage();
    const made = await ok("POST", `${crm}/v2/folders?parent=organizations/${organization}`, { displayName: "teams" });
    const parent = { type: "folder", id: made.response.name.split("/")[1] };
    const create = (projectId: string) =>
      b.google("POST", `${crm}/v1/projects`, { projectId, name: "Everyday", parent });
    expect((await create("everyday-1")).status).toBe(200);
    expect(await ok("GET", `${crm}/v1/projects/everyday-1`)).toMatchObject({ name: "Everyday", parent });
    expect(await ok("GET", `${crm}/v3/projects/everyday-1`)).toMatchObject({ parent: `folders/${parent.id}` });
    expect((await create("everyday-1")).status).toBe(409);
    expect((await create("Everyday")).status).toBe(400);
    const nowhere = { projectId: "everyday-2", parent: { type: "folder", id: "5" } };
    expect((await b.google("POST", `${crm}/v1/projects`, nowhere)).status).toBe(403);
    const again = await b.google("POST", `${crm}/v2/folders?parent=organizations/${organization}`, {
      displayName: "teams",
    });
    const { message } = again.body.error as { message: string };
    expect(message).toContain("violates display name uniqueness");
  });
});

describe("roles", () => {
  test.each([
    ["roles/iam.serviceAccountTokenCreator", "iam.serviceAccounts.signJwt", "iam.serviceAccounts.setIamPolicy"],
    ["roles/iam.workloadIdentityUser", "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.signJwt"],
    ["roles/iam.serviceAccountKeyAdmin", "iam.serviceAccountKeys.create", "iam.serviceAccounts.setIamPolicy"],
    ["roles/iam.securityAdmin", "resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.getAccessToken"],
    ["roles/owner", "resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.getAccessToken"],
    ["roles/editor", "iam.serviceAccountKeys.create", "iam.serviceAccounts.setIamPolicy"],
    ["roles/viewer", "iam.serviceAccounts.get", "iam.serviceAccountKeys.create"],
    ["roles/resourcemanager.projectIamAdmin", "resourcemanager.projects.setIamPolicy", "iam.serviceAccounts.actAs"],
    ["roles/resourcemanager.folderAdmin", "resourcemanager.folders.setIamPolicy", "iam.serviceAccounts.actAs"],
    [
      "roles/resourcemanager.organizationAdmin",
      "resourcemanager.organizations.setIamPolicy",
      "resourcemanager.folders.create",
    ],
  ])("%s includes %s and not %s", async (name, holds, lacks) => {
    const { ok } = await stage();
    const { includedPermissions } = await ok("GET", `iam/v1/${name}`);
    expect([includedPermissions.includes(holds), includedPermissions.includes(lacks)]).toEqual([true, false]);
  });

  test("a role that is not known is not found, and a project's role holds nothing of folders", async () => {
    const { b, ok } = await stage();
    expect((await b.google("GET", "iam/v1/roles/nothing.here")).status).toBe(404);
    const role = { includedPermissions: ["resourcemanager.folders.get"] };
    expect((await b.google("POST", "iam/v1/projects/acme-prod/roles", { roleId: "wide", role })).status).toBe(400);
    expect((await ok("GET", "iam/v1/roles")).roles[0]).not.toHaveProperty("includedPermissions");
  });
});
