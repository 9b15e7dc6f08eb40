import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import type { Finding, World } from "../src/model.ts";
import { identityOf } from "../src/parties/entra/claims.ts";
import { entra } from "../src/parties/entra/index.ts";
import { parties, shapes } from "../src/parties/index.ts";
import { type Minting, mintBy } from "../src/run/minting.ts";
import { CloudError } from "../src/run/retry.ts";
import { type Bench, bench, folderWith } from "./support/bench.ts";
import {
  App,
  appId,
  ask,
  clientId,
  cloudLike,
  fileWith,
  identity,
  linkWith,
  onGoogle,
  subject,
  tenant,
  v1,
  v2,
} from "./support/entra.ts";

// Entra ID as an issuer, and as the sandbox plays it (fact sheet entra.md; the sections are named at each test).

const check = (members: string): readonly Finding[] => {
  const { federation, findings } = readFederation("f.yaml", Buffer.from(fileWith(members)), shapes);
  return federation ? lintFile({ federation, parties, allowPrivileged: [], maxLinks: 1000 }) : findings;
};
/** Columns count from `tenant:` in the line of `from`. */
const told = (members: string): readonly string[] =>
  check(members).map(({ code, severity, at }) => {
    const line = fileWith(members).split("\n")[(at.place?.line ?? 1) - 1] ?? "";
    return `${severity} ${code} ${line.slice((at.place?.column ?? 1) - 1).split(/[ ,]/)[0]}`;
  });

const other = "11111111-0000-4000-8000-000000000009";
const mint = (inner: string): string => `${v1}, mint: { ${inner} }`;
const client = (inner: string): string => mint(`clientCredentials: { clientId: ${clientId}, ${inner} }`);

describe("the shape, and the rules that need no cloud", () => {
  test.each([
    ["v1 with an App ID URI", v1],
    ["v1 with a GUID", `application: ${appId}, subject: ${subject}`],
    ["v1 with an https URI", `application: https://contoso.example/api, subject: ${subject}`],
    ["v2", v2],
    [
      "an eid1 subject",
      "application: api://my-app, subject: /eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/x",
    ],
    ["a token file", mint("tokenFile: /var/run/token")],
    ["a command", mint("command: [ az, account, get-access-token ]")],
    ["google vouches", client("assertion: google")],
  ])("%s is fine", (_, members) => {
    expect(told(members)).toEqual([]);
  });

  test.each<readonly [string, string, readonly string[]]>([
    ["a tenant by name", v1.replace("application", "tenantName: x, application"), ["error UNKNOWN-KEY tenantName:"]],
    ["an upper-case subject", v1.replace(subject, subject.toUpperCase()), [`error BAD-VALUE ${subject.toUpperCase()}`]],
    ["a slash at the end", v1.replace("api://my-app", "api://my-app/"), ["error BAD-VALUE api://my-app/"]],
    ["a wildcard", v1.replace("api://my-app", "'api://my-*'"), ["error BAD-VALUE 'api://my-*'"]],
    ["no URI and no GUID", v1.replace("api://my-app", "my-app"), ["error BAD-VALUE my-app"]],
    ["version 3", `${v1}, tokenVersion: 3`, ["error BAD-VALUE 3"]],
    ["v2 without a GUID", v2.replace(appId, "api://my-app"), ["error ENTRA-V2-NEEDS-GUID api://my-app"]],
    ["v2 without a client", v2.replace(`, clientId: ${clientId}`, ""), ["error ENTRA-V2-NEEDS-CLIENT-ID {"]],
    [
      "microsoft's exchange by name",
      v1.replace("api://my-app", "api://AzureADTokenExchange"),
      ["security ENTRA-SHARED-AUDIENCE api://AzureADTokenExchange"],
    ],
    [
      "microsoft's exchange by id",
      v2.replace(appId, "fb60f99c-7a34-4190-8149-302f77469936"),
      ["security ENTRA-SHARED-AUDIENCE fb60f99c-7a34-4190-8149-302f77469936"],
    ],
    ["the client as subject", v2.replace(subject, clientId), [`error ENTRA-SUBJECT-IS-CLIENT ${clientId}`]],
    ["the application as subject", v2.replace(subject, appId), [`error ENTRA-SUBJECT-IS-CLIENT ${appId}`]],
    ["the application's URI as subject", v1.replace("my-app", subject), [`error ENTRA-SUBJECT-IS-CLIENT ${subject}`]],
    [
      "azure's management",
      v1.replace("api://my-app", "https://management.azure.com"),
      ["error ENTRA-MICROSOFT-API https://management.azure.com"],
    ],
    [
      "graph by id",
      v2.replace(appId, "00000003-0000-0000-c000-000000000000"),
      ["error ENTRA-MICROSOFT-API 00000003-0000-0000-c000-000000000000"],
    ],
    ["a stored secret", client("secretFrom: 'env:X'"), ["warning MINT-STORED-SECRET 'env:X'"]],
    [
      "secret manager",
      client("secretFrom: 'secretmanager:x'"),
      ["warning MINT-STORED-SECRET 'secretmanager:x'", "error MINT-NOT-BUILT 'secretmanager:x'"],
    ],
    ["both ways of a client", client("assertion: google, secretFrom: 'env:X'"), ["error BAD-VALUE {"]],
    ["neither", mint(`clientCredentials: { clientId: ${clientId} }`), ["error BAD-VALUE {"]],
    ["two ways to mint", mint("tokenFile: a, command: [ b ]"), ["error BAD-VALUE {"]],
    ["a way nobody knows", mint("tokenFile: a, shell: x"), ["error UNKNOWN-KEY shell:"]],
    ["an empty command", mint("command: []"), ["error BAD-VALUE []"]],
  ])("%s", (_, members, wanted) => {
    expect(told(members)).toEqual(wanted);
  });

  test("the title is short, and the next steps name the subject", () => {
    expect(entra.title(linkWith(v1), "from")).toBe("9f3c1e2a@72f988bf");
    expect(entra.nextSteps(linkWith(v1)).join("\n")).toContain(subject);
  });
});

describe("what will be proved (2.5, 5.1)", () => {
  test("v1: the slash stays, no azp", () => {
    const iss = `https://sts.windows.net/${tenant}/`;
    expect(identityOf(linkWith(v1))).toEqual({
      identity: {
        proof: "oidc",
        issuer: iss,
        served: `oidc:issuer/https/sts.windows.net/${tenant}/`,
        claims: { sub: subject, aud: "api://my-app" },
      },
      resources: [
        {
          address: `oidc:issuer/https/sts.windows.net/${tenant}/`,
          links: ["entra-app"],
          hold: "use",
          spec: { url: iss, privateCa: false },
        },
      ],
    });
  });

  test("a clientId makes no azp of a v1 token", () => {
    const { identity: found } = identityOf(linkWith(`${v1}, clientId: ${clientId}`));
    expect(found).toMatchObject({ claims: { sub: subject, aud: "api://my-app" } });
    expect(found).not.toHaveProperty("claims.azp");
  });

  test("v2: azp is the client", () => {
    const { identity: found } = identityOf(linkWith(v2));
    expect(found).toMatchObject({
      issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
      claims: { sub: subject, aud: appId, azp: clientId },
    });
  });

  test.each([
    ["v1", v1, { appid: expect.any(String), ver: "1.0", idp: `https://sts.windows.net/${tenant}/` }],
    ["v2", v2, { azp: clientId, ver: "2.0" }],
  ])("minted in the sandbox it says so, and the served keys verify it: %s", async (_, members, more) => {
    const b = await bench();
    const link = linkWith(members);
    const { identity: wanted } = identityOf(link);
    if (wanted.proof !== "oidc") throw new Error("no token");
    const asking = { link, audience: link.audience, lookup: () => undefined };
    const { claims, text } = await entra.issuer!.mint(asking, b.world());
    expect(claims).toMatchObject({ ...wanted.claims, iss: wanted.issuer, oid: subject, tid: tenant, ...more });
    expect([claims.nbf, Number(claims.exp) - Number(claims.iat)]).toEqual([claims.iat, 3900]);
    expect(claims).not.toHaveProperty(members === v1 ? "azp" : "appid");
    expect((await jwtVerify(text, await keysOf(b, String(claims.iss)))).payload.sub).toBe(subject);
    const wrong = await entra.issuer!.mint({ ...asking, audience: "somebody-else" }, b.world());
    expect(wrong.claims).toMatchObject({ aud: "somebody-else", sub: subject });
  });
});

/** As a cloud finds the keys: discovery below the issuer, doubled slash and all, then `jwks_uri`. */
async function keysOf(b: Bench, issuer: string) {
  const local = (url: string): string => `${b.url}/entra${new URL(url).pathname}`;
  const { body } = await ask(local(`${issuer}/.well-known/openid-configuration`));
  expect(body.issuer).toBe(issuer);
  const set = await ask(local(String(body.jwks_uri)));
  return createLocalJWKSet(set.body as unknown as JSONWebKeySet);
}

describe("discovery and keys (3.1, 3.2)", () => {
  let b: Bench;
  beforeEach(async () => {
    b = await bench();
  });
  const get = (path: string) => ask(`${b.url}/entra/${path}`);

  test("v1 and v2 are two issuers with one set of keys", async () => {
    const [one, two] = [
      await get(`${tenant}/.well-known/openid-configuration`),
      await get(`${tenant}/v2.0/.well-known/openid-configuration`),
    ];
    expect(one.body).toMatchObject({
      issuer: `https://sts.windows.net/${tenant}/`,
      jwks_uri: "https://login.microsoftonline.com/common/discovery/keys",
      subject_types_supported: ["pairwise"],
      scopes_supported: ["openid"],
    });
    expect(two.body).toMatchObject({
      issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
      jwks_uri: `https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`,
    });
    for (const { body } of [one, two])
      expect(body).toMatchObject({
        response_types_supported: expect.any(Array),
        id_token_signing_alg_values_supported: ["RS256"],
      });
    const kids = async (path: string) => ((await get(path)).body.keys as { kid: string }[]).map(({ kid }) => kid);
    expect(await kids("common/discovery/keys")).toEqual(await kids(`${tenant}/discovery/v2.0/keys`));
  });

  test("two keys, without alg; the issuer's name in v2 alone", async () => {
    const keys = (await get("common/discovery/keys")).body.keys as Record<string, unknown>[];
    expect(keys).toHaveLength(2);
    expect(new Set(keys.map(({ n }) => n)).size).toBe(2);
    for (const key of keys) expect(Object.keys(key)).toEqual(["kty", "use", "kid", "x5t", "n", "e"]);
    const v2keys = (await get(`${tenant}/discovery/v2.0/keys`)).body.keys as Record<string, unknown>[];
    expect(v2keys[0]?.issuer).toBe(`https://login.microsoftonline.com/${tenant}/v2.0`);
  });

  test("common has a template for an issuer; a tenant that is no GUID is not found", async () => {
    expect((await get("common/.well-known/openid-configuration")).body.issuer).toBe(
      "https://sts.windows.net/{tenantid}/",
    );
    const { status, body } = await get("contoso.example/.well-known/openid-configuration");
    expect([status, body.error, body.error_codes]).toEqual([400, "invalid_tenant", [90002]]);
    expect(body.error_description).toMatch(/^AADSTS90002: Tenant 'contoso.example' not found\. Check to make sure/);
  });
});

describe("token endpoints (4.1, 4.2)", () => {
  let b: Bench;
  let app: App;
  let resource: App;
  beforeEach(async () => {
    b = await bench();
    resource = await App.make(b, { identifierUris: ["api://my-app"] });
    app = await App.make(b);
  });
  const scope = "api://my-app/.default";

  test("a secret gets a v1 token for a v1 resource, at either endpoint", async () => {
    const client_secret = await app.secret();
    const good = await app.token({ scope, client_secret });
    expect([good.status, good.body.expires_in, good.headers.get("cache-control")]).toEqual([200, 3599, "no-store"]);
    const claims = decodeJwt(String(good.body.access_token));
    expect(claims).toMatchObject({
      aud: "api://my-app",
      iss: `https://sts.windows.net/${tenant}/`,
      sub: app.principal,
      oid: app.principal,
      appid: app.appId,
      appidacr: "1",
      ver: "1.0",
    });
    expect([claims.exp! - claims.iat!, claims.nbf]).toEqual([3900, claims.iat]);
    expect(claims).not.toHaveProperty("azp");
    const header = decodeProtectedHeader(String(good.body.access_token));
    expect(header.x5t).toBe(header.kid);
    const old = await app.token({ resource: "api://my-app", client_secret }, `${tenant}/oauth2/token`);
    expect([old.status, old.body.expires_in, old.body.resource]).toEqual([200, "3599", "api://my-app"]);
    const basic = `Basic ${Buffer.from(`${app.appId}:${client_secret}`).toString("base64")}`;
    const body = new URLSearchParams({ scope, grant_type: "client_credentials" });
    const url = `${b.url}/entra/${tenant}/oauth2/v2.0/token?client-request-id=1`;
    expect((await ask(url, { method: "POST", headers: { authorization: basic }, body })).status).toBe(200);
  });

  test("the resource decides the version: aud is its GUID then, and azp the caller", async () => {
    await resource.graph("PATCH", "", { api: { requestedAccessTokenVersion: 2 } });
    const { body } = await app.token({ scope, client_secret: await app.secret() });
    const claims = decodeJwt(String(body.access_token));
    expect(claims).toMatchObject({
      aud: resource.appId,
      iss: `https://login.microsoftonline.com/${tenant}/v2.0`,
      azp: app.appId,
      ver: "2.0",
    });
    expect(decodeProtectedHeader(String(body.access_token))).not.toHaveProperty("x5t");
    const shared = await app.token({ scope: "api://AzureADTokenExchange/.default", client_secret: await app.secret() });
    expect(decodeJwt(String(shared.body.access_token))).toMatchObject({
      aud: "fb60f99c-7a34-4190-8149-302f77469936",
      ver: "2.0",
    });
  });

  const refusals: readonly (readonly [string, Record<string, string | undefined>, number, string, number])[] = [
    ["a wrong secret", { client_secret: "no" }, 401, "invalid_client", 7000215],
    ["no credential", { client_secret: undefined }, 401, "invalid_client", 7000218],
    ["another client", { client_id: other }, 400, "unauthorized_client", 700016],
    ["no client", { client_id: undefined }, 400, "invalid_request", 900144],
    ["another grant", { grant_type: "password" }, 400, "unsupported_grant_type", 70003],
    ["no scope", { scope: undefined }, 400, "invalid_request", 900144],
    ["a scope without .default", { scope: "api://my-app" }, 400, "invalid_scope", 1002012],
    ["two scopes", { scope: "api://my-app/.default api://b/.default" }, 400, "invalid_scope", 700022],
    ["an unknown resource", { scope: "api://nobody/.default" }, 400, "invalid_resource", 500011],
    ["a resource at the v2 endpoint", { resource: "api://my-app" }, 400, "invalid_request", 901002],
    [
      "an assertion of the app's own",
      { client_assertion: "eyJhIjoxfQ.eyJpc3MiOiJ4In0.x" },
      401,
      "invalid_client",
      70025,
    ],
  ];
  test.each(refusals)("%s", async (_, changes, status, error, code) => {
    const client_secret = await app.secret();
    const answer = await app.token({ scope, client_secret, ...changes });
    expect([answer.status, answer.body.error, answer.body.error_codes]).toEqual([status, error, [code]]);
    expect(answer.body.error_description).toMatch(
      new RegExp(
        `^AADSTS${code}: .* Trace ID: [0-9a-f-]{36} Correlation ID: .* Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`,
      ),
    );
    expect(JSON.stringify(answer.body)).not.toContain(client_secret);
  });

  test("an expired secret, a disabled client, a missing service principal, no tenant", async () => {
    const codes = async (answer: ReturnType<App["token"]>) => (await answer).body.error_codes;
    const client_secret = await app.secret("2020-01-01T00:00:00Z");
    expect(await codes(app.token({ scope, client_secret }))).toEqual([7000222]);
    await App.graph(b, "PATCH", `servicePrincipals/${app.principal}`, { accountEnabled: false });
    expect(await codes(app.token({ scope, client_secret }))).toEqual([7000112]);
    const alone = await App.graph(b, "POST", "applications", { displayName: "x" });
    expect(await codes(app.token({ scope, client_secret, client_id: String(alone.body.appId) }))).toEqual([7000229]);
    const lost = await app.token({ scope, client_secret }, "contoso.example/oauth2/v2.0/token");
    expect([lost.status, lost.body.error, lost.body.error_codes]).toEqual([400, "invalid_request", [90002]]);
  });

  test("where an assignment is required, only those who have one get a token, with the role in it", async () => {
    const client_secret = await app.secret();
    await App.graph(b, "PATCH", `servicePrincipals/${resource.principal}`, { appRoleAssignmentRequired: true });
    const refused = await app.token({ scope, client_secret });
    expect([refused.status, refused.body.error, refused.body.error_codes]).toEqual([400, "invalid_grant", [501051]]);
    const assignment = { principalId: app.principal, resourceId: resource.principal, appRoleId: "role-1" };
    await App.graph(b, "POST", `servicePrincipals/${app.principal}/appRoleAssignments`, assignment);
    const { body } = await app.token({ scope, client_secret });
    expect(decodeJwt(String(body.access_token)).roles).toEqual(["role-1"]);
  });
});

describe("a google token in the place of a secret (7.1, 7.2, 7.4)", () => {
  const google = "https://accounts.google.com";
  const uniqueId = "112633961854638529490";
  const audience = "api://AzureADTokenExchange";
  let b: Bench;
  let app: App;
  beforeEach(async () => {
    b = await bench();
    await App.make(b, { identifierUris: ["api://my-app"] });
    app = await App.make(b);
  });

  async function present(changes: Record<string, unknown> = {}, how: Record<string, unknown> = {}) {
    const claims = { sub: uniqueId, aud: audience, ...changes };
    const { body } = await ask(`${b.url}/_sandbox/mint`, {
      method: "POST",
      body: JSON.stringify({ issuer: google, claims, ...how }),
    });
    const client_assertion_type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    return app.token({ scope: "api://my-app/.default", client_assertion_type, client_assertion: String(body.token) });
  }
  const code = async (answer: ReturnType<App["token"]>) => {
    const { status, body } = await answer;
    return [status, ...((body.error_codes ?? []) as number[])];
  };

  test("issuer, subject and audience alike: accepted", async () => {
    expect(await code(present())).toEqual([401, 70025]);
    expect((await app.trusts(google, uniqueId)).status).toBe(201);
    const { status, body } = await present();
    expect([status, decodeJwt(String(body.access_token)).sub]).toEqual([200, app.principal]);
  });

  test("each wrong part has its number, and a wrong one is only found at the exchange", async () => {
    expect((await app.trusts(`${google}/`, uniqueId)).status).toBe(201);
    expect(await code(present())).toEqual([401, 700211]);
    await app.trusts(google, "another-one");
    expect(await code(present())).toEqual([401, 700213]);
    expect(await code(present({ sub: "Another-One" }))).toEqual([401, 7002138]);
    expect(await code(present({ sub: "/eid1/c/pub/t/x" }))).toEqual([401, 7002137]);
    await app.trusts(google, uniqueId, "api://azureadtokenexchange");
    expect(await code(present())).toEqual([401, 700212]);
  });

  test("signature, life, time, unreachable issuer", async () => {
    await app.trusts(google, uniqueId);
    const now = Math.floor(Date.now() / 1000);
    expect(await code(present({}, { sign: "wrong-key" }))).toEqual([401, 700027]);
    expect(await code(present({}, { sign: "none" }))).toEqual([401, 700027]);
    expect(await code(present({ iat: undefined, exp: now + 90_060 }))).toEqual([400, 70023]);
    expect(await code(present({ iat: now - 7200, exp: now - 3600 }))).toEqual([401, 700024]);
    expect(await code(present({ iat: now, exp: now + 90_000 }))).toEqual([200]);
    await app.trusts("https://nobody.example", uniqueId);
    expect(await code(present({ iss: "https://nobody.example" }))).toEqual([400, 90061]);
    expect(await code(present({ iss: app.appId }))).toEqual([401, 700027]);
  });

  test("of entra's own tokens only a user-assigned identity's", async () => {
    const issuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
    await app.trusts(issuer, subject);
    const own = (claims: Record<string, unknown>) =>
      present({ iss: issuer, sub: subject, aud: "fb60f99c-7a34-4190-8149-302f77469936", ...claims }, { issuer });
    expect(await code(own({ oid: other }))).toEqual([401, 700222]);
    identity(b);
    expect(await code(own({ oid: subject }))).toEqual([200]);
    expect(await code(own({ oid: subject, scp: "x" }))).toEqual([401, 700229]);
  });

  test("the rules of a federated credential", async () => {
    const path = "/federatedIdentityCredentials";
    const body = { name: "gcp", issuer: google, subject: uniqueId, audiences: [audience] };
    const status = async (method: string, rest: string, content?: unknown, prefer?: string) =>
      (await app.graph(method, path + rest, content, prefer)).status;
    expect(await status("POST", "", { ...body, audiences: [audience, "b"] })).toBe(400);
    expect(await status("POST", "", { ...body, name: "-x" })).toBe(400);
    expect(await status("POST", "", { ...body, subject: "x".repeat(601) })).toBe(400);
    expect(await status("PATCH", "(name='gcp')", body)).toBe(404);
    expect(await status("PATCH", "(name='gcp')", body, "create-if-missing")).toBe(201);
    expect(await status("PATCH", "(name='gcp')", body, "create-if-missing")).toBe(204);
    expect(await status("POST", "", body)).toBe(409);
    expect(await status("POST", "", { ...body, name: "same-pair" })).toBe(400);
    expect((await app.graph("GET", `${path}/gcp`)).body).toMatchObject(body);
    const many = Array.from({ length: 19 }, (_, at) => ({ ...body, name: `many-${at}`, subject: `s-${at}` }));
    for (const one of many) expect(await status("POST", "", one)).toBe(201);
    expect(await status("POST", "", { ...body, name: "many-20", subject: "s-20" })).toBe(400);
    expect(await status("DELETE", "/gcp")).toBe(204);
    expect(((await app.graph("GET", path)).body.value as unknown[]).length).toBe(19);
    expect((await ask(`${b.url}/entra/graph/v1.0/applications/${app.id}`)).status).toBe(401);
  });
});

describe("the metadata service of an azure machine (4.3)", () => {
  let b: Bench;
  let resource: App;
  beforeEach(async () => {
    b = await bench();
    resource = await App.make(b, { identifierUris: ["api://my-app"] });
  });
  const query = "api-version=2018-02-01&resource=api%3A%2F%2Fmy-app";
  const get = (
    rest = query,
    headers: Record<string, string> = { Metadata: "True" },
    path = "/azure/imds/metadata/identity/oauth2/token",
  ) => ask(`${b.url}${path}?${rest}`, { headers });

  test("without the header, the version, an identity, a resource that exists", async () => {
    const said = async (answer: ReturnType<typeof get>) => {
      const { status, body } = await answer;
      return [status, body.error, body.error_description];
    };
    expect(await said(get(query, {}))).toEqual([400, "bad_request_102", "Required metadata header not specified"]);
    expect((await said(get("resource=x"))).slice(0, 2)).toEqual([
      400,
      "Bad request. api-version is invalid or was not specified in the request.",
    ]);
    expect(await said(get())).toEqual([400, "invalid_request", "Identity not found"]);
    identity(b);
    expect((await said(get(query.replace("my-app", "nobody")))).slice(0, 2)).toEqual([400, "invalid_resource"]);
    expect((await said(get(query, { Metadata: "true" }, "/azure/imds/metadata/identity/info"))).slice(0, 2)).toEqual([
      401,
      "unknown_source",
    ]);
  });

  test("numbers are strings, 86,700 s from issue to end, with a trailing slash as well and at the root", async () => {
    identity(b);
    const { status, body } = await get();
    expect([status, body.client_id, body.resource, body.token_type]).toEqual([200, clientId, "api://my-app", "Bearer"]);
    for (const name of ["expires_in", "expires_on", "ext_expires_in", "not_before"])
      expect(body[name]).toMatch(/^\d+$/);
    const claims = decodeJwt(String(body.access_token));
    expect(claims).toMatchObject({ sub: subject, oid: subject, appid: clientId, appidacr: "2" });
    expect(claims.exp! - claims.iat!).toBe(86_700);
    expect((await get(query, { Metadata: "true" }, "/metadata/identity/oauth2/token/")).status).toBe(200);
  });

  test("one token a day for each resource, whatever changes; then a new one", async () => {
    identity(b);
    const first = await get();
    await resource.graph("PATCH", "", { api: { requestedAccessTokenVersion: 2 } });
    expect((await get()).body.access_token).toBe(first.body.access_token);
    b.sandbox.set({ offsetSeconds: 3600 });
    const later = await get();
    expect(later.body.access_token).toBe(first.body.access_token);
    expect(Number(first.body.expires_in) - Number(later.body.expires_in)).toBeGreaterThanOrEqual(3599);
    b.sandbox.set({ offsetSeconds: 86_200 });
    expect(decodeJwt(String((await get()).body.access_token)).ver).toBe("2.0");
  });

  test("which identity: the system's, the only one, or the one that is named", async () => {
    const who = async (rest = "") => (await get(query + rest)).body.client_id;
    identity(b);
    const second = identity(b, { id: other, appId: other });
    expect(await who()).toBeUndefined();
    expect(await who(`&client_id=${clientId}`)).toBe(clientId);
    expect(await who(`&object_id=${other}`)).toBe(other);
    expect(await who(`&mi_res_id=${encodeURIComponent(second.managed!.resourceId.toUpperCase())}`)).toBe(clientId);
    identity(b, { ...second, managed: { ...second.managed!, kind: "system" } });
    expect(await who()).toBe(other);
  });

  test("real hosts: one address, two clouds", async () => {
    identity(b);
    const viaProxy = async (url: string, headers: Record<string, string>) => {
      const { request } = await import("node:http");
      const { port } = new URL(b.url);
      return new Promise<{ status: number; text: string }>((resolve, reject) => {
        const asked = request(
          { host: "127.0.0.1", port, path: url, headers: { ...headers, host: new URL(url).host } },
          (answer) => {
            let text = "";
            answer.on("data", (chunk) => (text += chunk));
            answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
          },
        );
        asked.on("error", reject).end();
      });
    };
    const azure = await viaProxy(`http://169.254.169.254/metadata/identity/oauth2/token?${query}`, {
      metadata: "true",
    });
    expect(azure.status).toBe(200);
    const google = await viaProxy("http://169.254.169.254/computeMetadata/v1/instance/id", {
      "metadata-flavor": "Google",
    });
    expect([google.status, google.text]).toEqual([200, "4570452845155348778"]);
    const discovery = await viaProxy(`http://sts.windows.net/${tenant}//.well-known/openid-configuration`, {});
    expect(JSON.parse(discovery.text).issuer).toBe(`https://sts.windows.net/${tenant}/`);
  });
});

describe("minting in the cloud (contract, section 7)", () => {
  let b: Bench;
  beforeEach(async () => {
    b = await bench();
    await App.make(b, { identifierUris: ["api://my-app"] });
  });
  const minting = (members: string, world: World, audience?: string) => {
    const link = linkWith(members);
    const asking = { link, audience: audience ?? link.audience, lookup: () => undefined };
    return entra.issuer!.mint(asking, world).then(
      (token) => ({ token, finding: undefined, error: undefined }),
      (error: unknown) => ({
        token: undefined,
        error: error as CloudError,
        finding: entra.issuer!.explainMint(asking, error),
      }),
    );
  };
  const file = (token: string): string => {
    const path = join(folderWith(""), "token");
    writeFileSync(path, token);
    return path;
  };
  const tokenOf = async (claims: Record<string, unknown>, issuer = `https://sts.windows.net/${tenant}/`) =>
    String(
      (await ask(`${b.url}/_sandbox/mint`, { method: "POST", body: JSON.stringify({ issuer, claims }) })).body.token,
    );

  test("on azure the machine's own token, as the identity that the file names", async () => {
    identity(b);
    identity(b, { id: other, appId: other });
    const { token } = await minting(v1, cloudLike(b));
    expect([token?.mintedBy, token?.claims.sub]).toEqual(["imds", subject]);
    expect(b.calls.filter(({ service }) => service === "azure.imds").map(({ status }) => status)).toEqual([400, 200]);
  });

  test("elsewhere, and without a mint: could not tell, with the line to add", async () => {
    for (const moved of [onGoogle(b), { "azure.imds": "http://127.0.0.1:9" }]) {
      const { finding } = await minting(v1, cloudLike(b, moved));
      expect(finding).toMatchObject({ code: "CANNOT-MINT", asks: "untold", at: { place: { line: 5, column: 20 } } });
      expect(finding?.fix.join("\n")).toContain("prove: judge");
    }
  });

  test("another cloud's trouble is not taken for azure, and a machine is asked once what it is", async () => {
    b.sandbox.faults.set([{ service: "google.metadata", operation: "*", fault: "error500" }]);
    const world = cloudLike(b, onGoogle(b));
    const calls = await b.callsOf(async () => {
      for (let times = 0; times < 3; times++) expect((await minting(v1, world)).finding?.code).toBe("CANNOT-MINT");
    });
    expect(calls.map(({ status }) => status)).toEqual([503]);
  });

  test("nobody is asked for another audience than the link's own", async () => {
    identity(b);
    const calls = await b.callsOf(async () => {
      expect((await minting(v1, cloudLike(b), "somebody-else")).error).toMatchObject({
        class: "invalid",
        code: "OtherAudience",
      });
    });
    expect(calls).toEqual([]);
  });

  test.each<readonly [string, Record<string, unknown>, string, string]>([
    ["another subject", { sub: other }, "untold", `the token is of ${other}`],
    ["the other version", { iss: `https://login.microsoftonline.com/${tenant}/v2.0`, sub: subject }, "broken", "/v2.0"],
    ["another tenant", { iss: "https://sts.windows.net/x/", sub: subject }, "broken", "sts.windows.net/x/"],
    ["a user's token", { sub: subject, scp: "read" }, "untold", "scp"],
  ])("%s is refused before anybody sees it", async (_, claims, asks, words) => {
    const text = await tokenOf(claims);
    const { finding, error } = await minting(mint(`tokenFile: '${file(text)}'`), cloudLike(b, onGoogle(b)));
    expect(finding).toMatchObject({ code: "ENTRA-WRONG-TOKEN", asks, says: expect.stringContaining(words) });
    expect(JSON.stringify([error, error?.message, finding])).not.toContain(text.split(".")[2]);
  });

  test("a machine that runs as somebody else leaves it to the file", async () => {
    identity(b, { id: other, appId: other });
    const members = mint(`tokenFile: '${file(await tokenOf({ sub: subject }))}'`);
    expect((await minting(members, cloudLike(b))).token?.mintedBy).toBe("tokenFile");
    expect((await minting(v1, cloudLike(b))).finding).toMatchObject({ code: "ENTRA-WRONG-TOKEN" });
  });

  test("client credentials: google vouches, or a secret from the environment", async () => {
    const { body: account } = await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", {
      accountId: "reports",
    });
    const app = await App.make(b);
    await app.trusts("https://accounts.google.com", String(account.uniqueId));
    const members = (way: string) =>
      `application: api://my-app, subject: ${app.principal}, mint: { clientCredentials: { clientId: ${app.appId}, ${way} } }`;
    const vouched = await minting(members("assertion: google"), cloudLike(b, onGoogle(b)));
    expect([vouched.token?.mintedBy, vouched.token?.claims.appid]).toEqual(["clientCredentials", app.appId]);
    vi.stubEnv("ENTRA_SECRET", await app.secret());
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(
      (await minting(members("secretFrom: 'env:ENTRA_SECRET'"), cloudLike(b, onGoogle(b)))).token?.claims.sub,
    ).toBe(app.principal);
    vi.stubEnv("ENTRA_SECRET", "wrong-secret-value");
    const refused = await minting(members("secretFrom: 'env:ENTRA_SECRET'"), cloudLike(b, onGoogle(b)));
    expect(refused.finding).toMatchObject({
      code: "ENTRA-REFUSED",
      asks: "denied",
      says: "the client secret is wrong (AADSTS7000215)",
    });
    expect(JSON.stringify([refused.error, refused.finding])).not.toContain("wrong-secret-value");
    const unset = await minting(members("secretFrom: 'env:ENTRA_UNSET'"), cloudLike(b, onGoogle(b)));
    expect(unset.error).toMatchObject({ class: "credentials", message: "the variable ENTRA_UNSET is not set" });
  });

  test.each<readonly [number, string, string, string, string]>([
    [400, "unauthorized_client", "700016", "ENTRA-REFUSED", "denied"],
    [400, "invalid_resource", "500011", "ENTRA-REFUSED", "broken"],
    [400, "invalid_request", "90002", "ENTRA-REFUSED", "broken"],
    [400, "invalid_grant", "501051", "ENTRA-REFUSED", "denied"],
    [401, "invalid_client", "7000222", "ENTRA-REFUSED", "denied"],
    [401, "invalid_client", "700024", "ENTRA-REFUSED", "denied"],
    [401, "invalid_client", "700211", "ENTRA-REFUSED", "denied"],
    [401, "invalid_client", "700212", "ENTRA-REFUSED", "denied"],
    [401, "invalid_client", "700213", "ENTRA-REFUSED", "denied"],
    [400, "interaction_required", "65001", "ENTRA-REFUSED", "denied"],
    [400, "invalid_grant", "4242424", "ENTRA-REFUSED", "denied"],
  ])("%i %s %s is told as %s, whatever its text says", async (status, error, number, code, asks) => {
    vi.stubEnv("ENTRA_SECRET", "some-secret-value");
    onTestFinished(() => void vi.unstubAllEnvs());
    const body = Buffer.from(
      JSON.stringify({ error, error_codes: [Number(number)], error_description: "AADSTS1: some-secret-value" }),
    );
    const world = cloudLike(b, onGoogle(b));
    const http: World["http"] = async (request) =>
      request.url.includes("/oauth2/v2.0/token") ? { status, headers: {}, body } : world.http(request);
    const { finding, error: thrown } = await minting(client("secretFrom: 'env:ENTRA_SECRET'"), { ...world, http });
    expect(finding).toMatchObject({ code, asks, says: expect.stringContaining(`AADSTS${number}`) });
    expect(finding?.fix.length).toBeGreaterThan(0);
    expect(JSON.stringify([thrown, thrown?.message, finding])).not.toContain("some-secret-value");
  });

  test.each([
    [429, { error: "x" }, "throttled"],
    [400, { error: "x", error_codes: [50196] }, "throttled"],
    [400, { error: "temporarily_unavailable", error_codes: [90033] }, "transient"],
    [503, {}, "transient"],
    [200, {}, "malformed"],
  ])("%i %j is %s: no finding of ours, tried again", async (status, body, kind) => {
    vi.stubEnv("ENTRA_SECRET", "some-secret-value");
    onTestFinished(() => void vi.unstubAllEnvs());
    const world = cloudLike(b, onGoogle(b));
    let asked = 0;
    const http: World["http"] = async (request) => {
      if (!request.url.includes("/oauth2/v2.0/token")) return world.http(request);
      asked++;
      return { status, headers: {}, body: Buffer.from(JSON.stringify(body)) };
    };
    const clock = { now: Date.now, sleep: async () => {} };
    const result = await minting(client("secretFrom: 'env:ENTRA_SECRET'"), { ...world, http, clock });
    expect([result.error?.class, result.finding]).toEqual([kind, undefined]);
    expect(asked).toBeGreaterThan(1);
  });

  test("faults of the metadata service are waited out; an identity that is not there is told", async () => {
    identity(b);
    b.sandbox.faults.set([{ service: "azure.imds", operation: "GetToken", nth: 2, fault: "throttle" }]);
    const world = { ...cloudLike(b), clock: { now: Date.now, sleep: async () => {} } };
    expect((await minting(v1, world)).token?.mintedBy).toBe("imds");
    const { finding } = await minting(v1.replace("api://my-app", "api://nobody"), world);
    expect(finding).toMatchObject({ code: "ENTRA-REFUSED", asks: "broken" });
  });
});

describe("mint of the file", () => {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const jwt = `${part({ alg: "RS256" })}.${part({ sub: "s" })}.c2ln`;
  const asking: Minting = { service: "entra", clientCredentials: async () => jwt };
  const world = { signal: new AbortController().signal } as World;
  const outcome = (spec: Parameters<typeof mintBy>[0], ask: Minting = asking) =>
    mintBy(spec, ask, world).then(
      ({ text, mintedBy }) => `${mintedBy} ${text === jwt}`,
      (error: CloudError) => `${error.class}: ${error.message}`,
    );
  const written = (text: string | Buffer): string => {
    const path = join(folderWith(""), "token");
    writeFileSync(path, text);
    return path;
  };

  test.each<readonly [string, string, string | RegExp]>([
    ["as it is", jwt, "tokenFile true"],
    ["with a byte order mark and a newline", `\ufeff${jwt}\r\n`, "tokenFile true"],
    ["too large", `${jwt}${"a".repeat(16 * 1024)}`, /^malformed: .*larger than 16384 bytes/],
    ["google's access token", "ya29.a0AfH6SMB", /^malformed: .*is an access token of google/],
    ["no JWT", "hello", /^malformed: .*not a JSON web token: it /],
    ["two parts", jwt.split(".").slice(0, 2).join("."), /not a JSON web token: it /],
    ["no signature", `${jwt.split(".").slice(0, 2).join(".")}.`, /not a JSON web token: it /],
    ["a list for claims", `${part({})}.${part([1])}.c2ln`, /not a JSON web token: it /],
    ["nothing", "", /not a JSON web token: it /],
  ])("a file: %s", async (_, text, wanted) => {
    expect(await outcome({ tokenFile: written(text) })).toMatch(wanted);
  });

  test("a file that is none, or a folder", async () => {
    expect(await outcome({ tokenFile: "/nowhere/token" })).toBe(
      "credentials: the token file /nowhere/token cannot be read: there is no such file",
    );
    expect(await outcome({ tokenFile: "/dev/zero" })).toBe(
      "credentials: the token file /dev/zero cannot be read: it is not a regular file",
    );
    expect(await outcome({ tokenFile: folderWith("") })).toMatch(/^credentials: the token file .* cannot be read/);
  });

  const script = (text: string): string => {
    const path = join(folderWith(""), "mint.sh");
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o700);
    return path;
  };

  test("a command: its stdout, no shell, and nothing of what it says when it fails", async () => {
    expect(await outcome({ command: [script(`echo noise >&2; echo ${jwt}`)] })).toBe("command true");
    expect(await outcome({ command: ["printf", "%s", `${jwt}; exit 1`] })).toMatch(/not a JSON web token: it /);
    const failing = script("echo my-secret-value; echo my-secret-value >&2; exit 3");
    expect(await outcome({ command: [failing] })).toBe(`credentials: the command ${failing} failed (3)`);
    expect(await outcome({ command: ["no-such-program-here"] })).toBe(
      "credentials: the command no-such-program-here failed (ENOENT)",
    );
    expect(await outcome({ command: [script("head -c 70000 /dev/zero")] })).toMatch(
      /failed \(ERR_CHILD_PROCESS_STDIO_MAXBUFFER\)$/,
    );
    expect(await outcome({ command: [script(`cat > /dev/null; echo ${jwt}`)] })).toBe("command true");
  });

  test("an interruption ends a command, and says so", async () => {
    const stop = new AbortController();
    const minted = mintBy({ command: ["sleep", "20"] }, asking, { signal: stop.signal } as World);
    setTimeout(() => stop.abort(), 50);
    await expect(minted).rejects.toMatchObject({ class: "interrupted" });
  });

  test("client credentials are the party's; nothing at all is no way", async () => {
    expect(await outcome({ clientCredentials: { clientId, assertion: "google" } })).toBe("clientCredentials true");
    expect(await outcome({})).toBe("credentials: mint names no way to get a token");
    await expect(mintBy({}, asking, world)).rejects.toBeInstanceOf(CloudError);
  });
});
