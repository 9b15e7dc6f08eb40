import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { players } from "../src/parties/players.ts";
import { attach } from "../src/sandbox/attach.ts";
import { readOwner } from "../src/sandbox/owner.ts";
import { State } from "../src/sandbox/state.ts";
import { account, type Bench, bench, example, folderWith, manyLinks, reports } from "./support/bench.ts";
import { crosstrust, start } from "./support/cli.ts";

const control = async (
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) =>
  fetch(`${url}/_sandbox/${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

/** A request as node:http sends it: with the Host and the request line we say. */
const raw = (url: string, options: http.RequestOptions): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const request = http.request({ host: "127.0.0.1", port, ...options }, (answer) => resolve(answer.statusCode ?? 0));
    request.on("error", reject);
    request.end();
  });

describe("the control endpoints", () => {
  test("calls: oldest first, with service, operation, principal, status and whether it writes", async () => {
    const b = await bench();
    await b.apply(example);
    const calls = (await (await control(b.url, "GET", "calls")).json()) as Record<string, unknown>[];
    expect(calls.find(({ operation }) => operation === "CreateRole")).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      service: "aws.iam",
      operation: "CreateRole",
      principal: `arn:aws:iam::${account}:user/operator`,
      status: 200,
      write: true,
    });
    expect(calls.filter(({ write }) => write).map(({ service, operation }) => `${service} ${operation}`)).toEqual([
      "google.iam CreateServiceAccount",
      "aws.iam CreateRole",
      "aws.iam AttachRolePolicy",
      "aws.iam TagRole",
    ]);
  });

  test("issued: every secret it made", async () => {
    const b = await bench();
    await b.apply(example);
    const issued = (await (await control(b.url, "GET", "issued")).json()) as string[];
    expect(issued.some((secret) => secret.startsWith("eyJ"))).toBe(true);
    expect(issued.some((secret) => secret.startsWith("ya29."))).toBe(true);
    expect(issued.every((secret) => typeof secret === "string" && secret.length >= 20)).toBe(true);
  });

  test("the clock: ours follows it, and sessions expire by it", async () => {
    const b = await bench();
    const world = b.world();
    expect((await control(b.url, "PUT", "clock", { offsetSeconds: 7200 })).status).toBe(200);
    await world.locate("aws.iam", "");
    await b.plan(example);
    await b.apply(example);
    const health = await b.health(example);
    expect(health.verdict).toBe("works");
    expect(Date.parse(health.at) - Date.now()).toBeGreaterThan(7_000_000);
  });

  test.each([
    ["an Origin header", { path: "/_sandbox/issued", headers: { host: "127.0.0.1", origin: "https://evil.example" } }],
    ["another Host", { path: "/_sandbox/issued", headers: { host: "evil.example" } }],
    ["through the proxy", { path: "http://127.0.0.1/_sandbox/issued", headers: { host: "127.0.0.1" } }],
    [
      "a rebound name through the proxy",
      { path: "http://evil.example/_sandbox/issued", headers: { host: "evil.example" } },
    ],
  ])("refuse %s", async (_, options) => {
    const b = await bench();
    expect(await raw(b.url, options)).toBe(403);
  });

  test.each([
    ["clock", { offsetSeconds: "1" }],
    ["faults", [{ fault: "explode" }]],
    ["propagation", { seconds: -1 }],
    ["metadata", { serviceAccount: "x" }],
  ])("refuse a wrong %s", async (path, body) => {
    const b = await bench();
    expect((await control(b.url, "PUT", path, body)).status).toBe(400);
  });

  test("reset empties it", async () => {
    const b = await bench();
    await b.apply(example);
    await control(b.url, "POST", "reset");
    expect(await (await control(b.url, "GET", "state")).json()).toEqual({});
    expect((await (await control(b.url, "GET", "calls")).json()) as unknown[]).toEqual([]);
  });
});

describe("the listener", () => {
  test("hosts it does not play get 502, and nothing is forwarded", async () => {
    const b = await bench();
    expect(await raw(b.url, { path: "http://example.com/", headers: { host: "example.com" } })).toBe(502);
  });

  test("a real host name through the plain proxy reaches its service", async () => {
    const b = await bench();
    await b.apply(example);
    const path = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/email";
    expect(await raw(b.url, { path, headers: { host: "metadata.google.internal", "metadata-flavor": "Google" } })).toBe(
      200,
    );
    expect(await raw(b.url, { path, headers: { host: "metadata.google.internal" } })).toBe(403);
  });

  test("the metadata server: recorded answers, and the account it is told to be", async () => {
    const b = await bench();
    await b.apply(manyLinks(2));
    const get = async (path: string) => {
      const answer = await fetch(`${b.url}/computeMetadata/v1/${path}`, { headers: { "metadata-flavor": "Google" } });
      return [answer.status, await answer.text(), answer.headers.get("metadata-flavor")];
    };
    expect(await get("instance/service-accounts/default/email")).toEqual([
      200,
      "worker-0@acme-prod.iam.gserviceaccount.com",
      "Google",
    ]);
    await control(b.url, "PUT", "metadata", { serviceAccount: "worker-1@acme-prod.iam.gserviceaccount.com" });
    expect((await get("instance/service-accounts/default/email"))[1]).toBe(
      "worker-1@acme-prod.iam.gserviceaccount.com",
    );
    expect(await get("instance/service-accounts/default/identity")).toEqual([
      400,
      "non-empty audience parameter required",
      "Google",
    ]);
    expect((await get("nowhere"))[0]).toBe(404);
    const claims = async (format: string) => {
      const [, token] = await get(`instance/service-accounts/default/identity?audience=x&format=${format}`);
      return JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString());
    };
    const [standard, full] = [await claims("standard"), await claims("full")];
    expect([standard.azp === standard.sub, standard.email, standard.google]).toEqual([true, undefined, undefined]);
    expect([full.azp === full.sub, full.email]).toEqual([true, "worker-1@acme-prod.iam.gserviceaccount.com"]);
    expect(full.google.compute_engine.project_id).toBe("acme-prod");
  });

  test("the token endpoint refreshes the operator's grant, and nothing else", async () => {
    const b = await bench();
    const { secrets } = await b.world().credentials({ party: "google", scope: "acme-prod" });
    const token = (body: Record<string, string>) =>
      fetch(`${b.url}/google/oauth2/token`, { method: "POST", body: new URLSearchParams(body) });
    const good = await token({ grant_type: "refresh_token", refresh_token: secrets.refreshToken ?? "" });
    expect([good.status, await good.json()]).toEqual([
      200,
      expect.objectContaining({ token_type: "Bearer", access_token: expect.stringMatching(/^ya29\./) }),
    ]);
    expect((await token({ grant_type: "refresh_token", refresh_token: "x" })).status).toBe(400);
    expect((await token({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "x" })).status).toBe(
      400,
    );
  });

  test("AWS's published Signature Version 4 example verifies, and one changed byte does not", async () => {
    const { signatureOf } = await import("../src/parties/aws/sandbox/sigv4.ts");
    // AWS General Reference, "Examples of the complete Signature Version 4 signing process": IAM ListUsers.
    const request = {
      method: "GET",
      host: "iam.amazonaws.com",
      sentPath: "/",
      path: "/",
      query: new URLSearchParams("Action=ListUsers&Version=2010-05-08"),
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        host: "iam.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
      },
      body: Buffer.alloc(0),
    };
    const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const now = Date.UTC(2015, 7, 30, 12, 36);
    expect(() => signatureOf(request, now)?.verify(secret)).not.toThrow();
    expect(() => signatureOf({ ...request, body: Buffer.from("x") }, now)?.verify(secret)).toThrow("does not match");
    expect(() => signatureOf({ ...request, headers: { ...request.headers, host: "x" } }, now)?.verify(secret)).toThrow(
      "does not match",
    );
    expect(() => signatureOf(request, now)?.verify(`${secret}x`)).toThrow("does not match");
    expect(() => signatureOf(request, now + 16 * 60_000)).toThrow("Signature expired");
  });

  // Catches a proof whose keys are good for more than the proof (threat T16).
  test("the session of a proof can do nothing but say who it is", async () => {
    const b = await bench();
    const admin = example.replace("AmazonS3ReadOnlyAccess", "IAMReadOnlyAccess");
    await b.apply(admin);
    const { federationOf } = await import("./support/bench.ts");
    const { exchange } = await import("../src/parties/aws/exchange.ts");
    const { mint } = await import("../src/parties/google/mint.ts");
    const { IAMClient, ListRolesCommand } = await import("@aws-sdk/client-iam");
    const [link] = federationOf(admin).links;
    if (!link) throw new Error("no link");
    const world = b.world();
    const token = await mint({ link, audience: link.audience, lookup: () => undefined }, world);
    const listRoles = async (purpose: "prove" | "use") => {
      const { secrets } = await exchange({ link, purpose }, token, world);
      const credentials = {
        accessKeyId: secrets.accessKeyId ?? "",
        secretAccessKey: secrets.secretAccessKey ?? "",
        sessionToken: secrets.sessionToken ?? "",
      };
      const client = new IAMClient({ region: "us-east-1", endpoint: `${b.url}/aws/iam`, credentials });
      return client.send(new ListRolesCommand({})).then(
        () => "listed",
        (error: Error) => error.name,
      );
    };
    expect(await listRoles("use")).toBe("listed");
    expect(await listRoles("prove")).toBe("AccessDenied");
  });
});

describe("its state", () => {
  test("a half written last line is left out, everything before it holds", () => {
    const folder = folderWith(example);
    const file = join(folder, "state.jsonl");
    const state = new State(file);
    state.put("a/1", { x: 1 });
    state.put("a/2", { x: 2 });
    state.delete("a/1");
    appendFileSync(file, '["a/3",{"x"');
    const again = new State(file);
    expect(again.list("a/")).toEqual([["a/2", { x: 2 }]]);
    expect(readFileSync(file, "utf8")).toBe('["a/2",{"x":2}]\n');
  });

  test("a folder has one owner; a second process attaches; a dead owner is replaced", async () => {
    const folder = folderWith(example);
    const first = await attach({ folder: join(folder, "s"), players });
    const second = await attach({ folder: join(folder, "s"), players });
    expect([second.url, second.sandbox]).toEqual([first.url, undefined]);
    await first.close();
    expect(readOwner(join(folder, "s"))).toBeUndefined();
    writeFileSync(join(folder, "s", "owner.json"), JSON.stringify({ pid: 2 ** 22 - 3, port: 1 }));
    const third = await attach({ folder: join(folder, "s"), players });
    expect(third.sandbox).toBeDefined();
    await third.close();
  });

  test("two in one process find a dead owner at once: one takes over, both reach it", async () => {
    const folder = join(folderWith(example), ".crosstrust", "sandbox");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "owner.json"), JSON.stringify({ pid: 999_999, port: 1 }));
    const both = await Promise.all([attach({ folder, players }), attach({ folder, players })]);
    onTestFinished(async () => {
      for (const one of both) await one.close();
    });
    expect(new Set(both.map(({ url }) => url)).size).toBe(1);
    expect(both.filter(({ sandbox }) => sandbox).length).toBe(1);
  });

  test("a view looks back as far as it promises, also behind an older write", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_000_000_000 });
    onTestFinished(() => void vi.useRealTimers());
    const state = new State();
    state.put("a", 1);
    vi.setSystemTime(1_000_000_000 + 560_000);
    state.put("a", 2);
    vi.setSystemTime(1_000_000_000 + 660_000);
    state.put("a", 3);
    expect(state.at(Date.now() - 120_000).get("a")).toBe(1);
    expect(state.at(Date.now() - 50_000).get("a")).toBe(2);
    expect(state.get("a")).toBe(3);
  });

  test("what earlier processes issued is known, and cannot be read in any file", async () => {
    const folder = join(folderWith(example), ".crosstrust", "sandbox");
    const first = await attach({ folder, players });
    const token = first.sandbox?.keys.mint("https://accounts.google.com", { claims: { sub: "1" }, header: {} }) ?? "";
    await first.close();
    const second = await attach({ folder, players });
    onTestFinished(() => second.close());
    expect(second.sandbox?.keys.issued).toContain(token);
    for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file), "utf8")).not.toContain(token);
  });

  test("what one process made another finds, and the folder ignores itself in git", async () => {
    const cwd = folderWith(example);
    expect((await crosstrust("apply --sandbox", { cwd })).exit).toBe(0);
    expect((await crosstrust("plan --sandbox", { cwd })).exit).toBe(0);
    expect(readFileSync(join(cwd, ".crosstrust", "sandbox", ".gitignore"), "utf8")).toBe("*\n");
    expect((await crosstrust("sandbox reset", { cwd })).exit).toBe(0);
    expect((await crosstrust("plan --sandbox", { cwd })).exit).toBe(2);
  });

  test("status says what is kept and who serves it, as text and as the document of the contract", async () => {
    const cwd = folderWith(example);
    await crosstrust("apply --sandbox", { cwd });
    const text = await crosstrust("sandbox status", { cwd });
    expect([text.exit, text.out]).toEqual([
      0,
      expect.stringMatching(/not running.*\n {2}1 service accounts {3}1 roles/),
    ]);
    const {
      crosstrust: format,
      world,
      command,
      exit,
      url,
      state,
    } = JSON.parse((await crosstrust("sandbox status --json", { cwd })).out);
    expect([format, world, command, exit, url]).toEqual([1, "sandbox", "sandbox status", 0, null]);
    expect(Object.keys(state).filter((key) => key.startsWith("aws.role/"))).toHaveLength(1);
  });

  // Catches two owners that overwrite each other, and a command that dies with the owner it was attached to.
  test("eight applies at once: all succeed, everything is made once", async () => {
    const cwd = folderWith(manyLinks(3));
    const runs = await Promise.all(Array.from({ length: 8 }, () => crosstrust("apply --sandbox --quiet", { cwd })));
    expect(runs.map(({ exit, err }) => [exit, err])).toEqual(Array.from({ length: 8 }, () => [0, ""]));
    const attached = await attach({ folder: join(cwd, ".crosstrust", "sandbox"), players });
    onTestFinished(() => attached.close());
    const state = attached.sandbox?.state;
    expect([state?.list("aws.role/").length, state?.list("google.account/").length]).toEqual([3, 3]);
    expect((await crosstrust("plan --sandbox", { cwd })).exit).toBe(0);
  });
});

describe("as a server", () => {
  test("crosstrust sandbox serves, a command joins it, SIGTERM ends it", async () => {
    const cwd = folderWith(example);
    const { child, match } = await start(["sandbox", "--port", "0"], {
      cwd,
      until: /sandbox {3}(http:\/\/127\.0\.0\.1:\d+)/,
    });
    const url = match[1] ?? "";
    const env = { ...process.env, CROSSTRUST_SANDBOX: url };
    expect((await crosstrust("apply", { cwd, env })).exit).toBe(0);
    expect((await crosstrust("health --sandbox", { cwd })).exit).toBe(0);
    const state = (await (await control(url, "GET", "state")).json()) as Record<string, unknown>;
    expect(Object.keys(state)).toContain("aws.role/111122223333/reports-reader");
    expect((await crosstrust("sandbox --port 0", { cwd })).exit).toBe(73);
    const ended = new Promise((resolve) => child.on("exit", resolve));
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect((await crosstrust("plan --sandbox", { cwd })).exit).toBe(0);
  });

  test("exec runs a program with everything led there, and gives its exit code back", async () => {
    const cwd = folderWith(example);
    const { exit, out } = await crosstrust(
      ["sandbox", "exec", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL_IAM $CLOUDSDK_CORE_PROJECT $AWS_PROFILE; exit 7"],
      { cwd, env: { ...process.env, AWS_PROFILE: "prod" } },
    );
    expect([exit, out]).toEqual([7, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/aws\/iam acme-prod\s*$/)]);
    expect((await crosstrust(["sandbox", "exec", "--", "no-such-program"], { cwd })).exit).toBe(127);
  });

  test("a deployed function refuses it, and so does a URL that is not loopback", async () => {
    const cwd = folderWith(example);
    expect((await crosstrust("plan --sandbox", { cwd, env: { ...process.env, K_SERVICE: "x" } })).exit).toBe(64);
    expect(
      (await crosstrust("plan", { cwd, env: { ...process.env, CROSSTRUST_SANDBOX: "http://10.0.0.1:8080" } })).exit,
    ).toBe(64);
    expect(
      (await crosstrust("plan", { cwd, env: { ...process.env, CROSSTRUST_SANDBOX: "https://127.0.0.1" } })).exit,
    ).toBe(64);
  });
});

describe("policies", () => {
  const policyOf = async (b: Bench, body?: unknown) =>
    b.google(
      "POST",
      `iam/v1/projects/acme-prod/serviceAccounts/${reports}:${body ? "setIamPolicy" : "getIamPolicy"}`,
      body && { policy: body },
    );

  test("a deleted member is shown by its id, may stay, may not be added, and comes back with undelete", async () => {
    const b = await bench();
    await b.apply(example);
    const worker = "worker@acme-prod.iam.gserviceaccount.com";
    const made = await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", {
      accountId: "worker",
      serviceAccount: {},
    });
    const role = "roles/iam.serviceAccountTokenCreator";
    await policyOf(b, { bindings: [{ role, members: [`serviceAccount:${worker}`] }] });
    await b.google("DELETE", `iam/v1/projects/acme-prod/serviceAccounts/${worker}`);
    const deleted = `deleted:serviceAccount:${worker}?uid=${made.body.uniqueId}`;
    const there = (await policyOf(b)).body;
    expect(there.bindings).toEqual([{ role, members: [deleted] }]);
    expect((await policyOf(b, there)).status).toBe(200);
    expect((await policyOf(b, { bindings: [] })).status).toBe(200);
    expect(await policyOf(b, there)).toMatchObject({ status: 409 });
    const { etag: _, ...blind } = there;
    expect(await policyOf(b, blind)).toMatchObject({ status: 400 });
  });

  test("a binding with a condition gives nothing here, and a namesake inherits nothing", async () => {
    const b = await bench();
    await b.apply(example);
    const condition = { title: "never", expression: "request.time < timestamp('2020-01-01T00:00:00Z')" };
    const role = "roles/iam.serviceAccountOpenIdTokenCreator";
    const project = b.sandbox.state.get<{ policy: object }>("google.project/acme-prod");
    const bindings = [
      { role: "roles/owner", members: ["user:operator@example.com"] },
      { role, members: ["user:operator@example.com"], condition },
    ];
    b.sandbox.state.put("google.project/acme-prod", { ...project, policy: { ...project?.policy, bindings } });
    const permissions = ["iam.serviceAccounts.getOpenIdToken"];
    const path = `iam/v1/projects/acme-prod/serviceAccounts/${reports}:testIamPermissions`;
    expect((await b.google("POST", path, { permissions })).body).toEqual({});
  });
});

test("a missing account asked for with the wildcard makes no project", async () => {
  const b = await bench();
  expect((await b.google("GET", "iam/v1/projects/-/serviceAccounts/nobody@x.iam.gserviceaccount.com")).status).toBe(
    403,
  );
  expect(b.sandbox.state.list("google.project/").map(([key]) => key)).not.toContain("google.project/missing");
});

test("an organization policy refuses with Google's own words, and the preflight says so before", async () => {
  const b = await bench();
  const policy = { constraint: "constraints/iam.disableServiceAccountCreation", booleanPolicy: { enforced: true } };
  await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setOrgPolicy", { policy });
  const { applied } = await b.apply(example);
  expect(applied.findings.map(({ code, says }) => [code, says])).toEqual([
    ["REFUSED", expect.stringContaining("Service account creation is not allowed on this project.")],
    ["LEFT-ALONE", expect.stringContaining("111122223333/reports-reader")],
  ]);
  expect(applied.findings[0]?.fix[0]).toContain("constraints/iam.disableServiceAccountCreation");
  const { preflight } = await import("../src/crosstrust.ts");
  const lines = await preflight(b.ask(example).federation, b.world());
  expect(lines.filter(({ ok }) => ok !== true).map(({ topic }) => topic)).toEqual(["google org policies"]);
  expect(reports).toContain("@");
});
