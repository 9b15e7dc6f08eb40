import { mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serveLocally } from "../functions/local.ts";
import type { Finding } from "../src/model.ts";
import { type Bench, bench, example, folderWith } from "./support/bench.ts";

// The functions as the framework serves them (contract, section 6; bad requests: fact sheet reliability-and-security, 3e).

const audience = "https://health.example";
const scheduler = "scheduler@acme-prod.iam.gserviceaccount.com";
const saved = { ...process.env };
let b: Bench;
let folder: string;

beforeEach(async () => {
  b = await bench();
  await b.apply(example);
  folder = folderWith(example);
  Object.assign(process.env, {
    NODE_ENV: "production",
    CROSSTRUST_SANDBOX: b.url,
    CROSSTRUST_FILE: join(folder, "federation.yaml"),
    CROSSTRUST_STORE: join(folder, "store"),
    CROSSTRUST_AUDIENCE: audience,
    CROSSTRUST_CALLERS: `${scheduler}, operator@example.com`,
  });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

const mint = async (claims: Record<string, unknown>): Promise<string> => {
  const body = JSON.stringify({
    issuer: "https://accounts.google.com",
    claims: { aud: audience, sub: "1", email: scheduler, email_verified: true, ...claims },
  });
  return ((await (await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body })).json()) as { token: string }).token;
};

async function serve(name: "health" | "provision"): Promise<string> {
  const { url, close } = await serveLocally(name, 0);
  onTestFinished(close);
  return url;
}

async function call(url: string, init: RequestInit = {}, claims: Record<string, unknown> = {}) {
  const headers = {
    authorization: `Bearer ${await mint(claims)}`,
    ...(init.body ? { "content-type": "application/json" } : {}),
    ...(init.headers as Record<string, string>),
  };
  const answer = await fetch(url, { method: "POST", ...init, headers });
  return { status: answer.status, verdict: answer.headers.get("crosstrust-verdict"), body: await answer.text() };
}

describe("callers", () => {
  test("109, 110 no token, a wrong audience, a stranger, an unverified e-mail", async () => {
    const url = await serve("health");
    expect((await fetch(url, { method: "POST" })).status).toBe(401);
    expect((await fetch(url, { method: "POST", headers: { authorization: "Basic eDp5" } })).status).toBe(401);
    expect((await call(url, {}, { aud: "https://other.example" })).status).toBe(401);
    expect((await call(url, {}, { email: "stranger@example.com" })).status).toBe(403);
    expect((await call(url, {}, { email_verified: false })).status).toBe(403);
    expect((await call(url, {}, { exp: Math.floor(Date.now() / 1000) - 100 })).status).toBe(401);
    expect((await call(url)).status).toBe(200);
  });

  test("109 two Authorization headers", async () => {
    const url = await serve("health");
    const token = await mint({});
    const status = await new Promise<number>((resolve) => {
      const request = http.request(url, { method: "POST" }, (answer) => resolve(answer.statusCode ?? 0));
      request.setHeader("authorization", [`Bearer ${token}`, `Bearer ${token}`]);
      request.end();
    });
    expect(status).toBe(401);
  });

  test("111 a token in the URL is not read, and never said back", async () => {
    const url = await serve("health");
    const token = await mint({});
    const answer = await fetch(`${url}/?access_token=${token}`, { method: "POST" });
    expect([answer.status, await answer.text()]).toEqual([401, '{"error":"not authenticated"}\n']);
  });

  // Catches a function that fetches Google's keys for whoever knocks (case 70).
  test("keys are fetched for tokens that could be good, and kept", async () => {
    const url = await serve("health");
    const fetches = async (work: () => Promise<unknown>) =>
      (await b.callsOf(work)).filter(({ operation }) => operation === "GetCerts").length;
    const bad = () => Promise.all(Array.from({ length: 5 }, () => call(url, {}, { aud: "https://other.example" })));
    expect(await fetches(bad)).toBe(0);
    const good = () => call(url, { method: "GET" });
    expect(await fetches(good)).toBe(1);
    expect(await fetches(good)).toBe(0);
    const strange = () =>
      Promise.all(
        Array.from({ length: 5 }, async () => {
          const body = JSON.stringify({
            issuer: "https://accounts.google.com",
            claims: { aud: audience, sub: "1", email: scheduler, email_verified: true },
            header: { kid: "strange" },
          });
          const { token } = (await (await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body })).json()) as {
            token: string;
          };
          return fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` } });
        }),
      );
    expect(await fetches(strange)).toBe(0);
  });

  test("a deployed function lets nobody in while it is not told whom", async () => {
    process.env.CROSSTRUST_CALLERS = "";
    expect((await call(await serve("health"))).status).toBe(403);
  });
});

describe("requests", () => {
  test.each([
    ["112 another method", "PUT", "/", undefined, {}, 405],
    ["113 another path", "POST", "/admin", undefined, {}, 404],
    ["114 a compressed body", "POST", "/", "{}", { "content-encoding": "identity" }, 415],
    ["114 a body over 256 KiB", "POST", "/", `{"links":["${"x".repeat(300_000)}"]}`, {}, 413],
    ["115 a body that is no object", "POST", "/", "[1]", {}, 400],
    ["115 another content type", "POST", "/", "links=a", { "content-type": "text/plain" }, 400],
    ["116 __proto__", "POST", "/", '{"__proto__":{"x":1}}', {}, 400],
    ["116 an unknown key", "POST", "/", '{"policy":{}}', {}, 400],
    ["120 a link that the deployment does not have", "POST", "/", '{"links":["others"]}', {}, 403],
  ])("%s", async (_, method, path, body, headers, status) => {
    const url = await serve("health");
    const answer = await call(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    expect([answer.status, Object.keys(JSON.parse(answer.body))]).toEqual([status, ["error"]]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("115 broken JSON gets no stack", async () => {
    const url = await serve("health");
    const answer = await call(url, { body: '{"a":' });
    expect(answer.status).toBe(400);
    expect(answer.body).not.toContain(" at ");
  });
});

describe("health", () => {
  test("POST checks, GET gives the last report, both with the verdict in a header", async () => {
    const url = await serve("health");
    expect((await call(url, { method: "GET" })).status).toBe(404);
    const checked = await call(url, { body: "{}" });
    expect([checked.status, checked.verdict]).toEqual([200, "works"]);
    const document = JSON.parse(checked.body);
    expect(document).toMatchObject({
      crosstrust: 1,
      world: "sandbox",
      command: "health",
      exit: 0,
      deployment: "acme",
      verdict: "works",
    });
    expect(document.links[0].hops.map(({ step }: { step: string }) => step)).toEqual([
      "mint",
      "exchange",
      "whoami",
      "refuse",
    ]);
    expect((await call(url, { method: "GET" })).body).toBe(checked.body);
  });

  test("what it remembers can lie in a bucket, and another place is refused", async () => {
    const url = await serve("health");
    process.env.CROSSTRUST_STORE = "gs://acme-crosstrust/state";
    const checked = await call(url, { body: "{}" });
    expect(JSON.parse(checked.body)).toMatchObject({ verdict: "works", stateSaved: true });
    expect((await call(url, { method: "GET" })).body).toBe(checked.body);
    const names = b.sandbox.state.list("google.object/").map(([key]) => key.split("/").slice(1).join("/"));
    expect(names.sort()).toEqual(
      ["health-last", "health-lease", "health-memory"].map((name) => `acme-crosstrust/state/${name}.json`),
    );
    process.env.CROSSTRUST_STORE = "ftp://elsewhere/state";
    expect((await call(url)).status).toBe(500);
  });

  // Catches the variable that one process of many keeps for itself.
  test("202 while another instance holds the lease, 200 once its time is over", async () => {
    const url = await serve("health");
    const hold = (until: number) => {
      mkdirSync(join(folder, "store"), { recursive: true });
      writeFileSync(join(folder, "store", "health-lease.json"), JSON.stringify({ holder: "another", until }));
    };
    hold(Date.now() + 60_000);
    expect((await call(url)).status).toBe(202);
    hold(Date.now() - 1);
    expect((await call(url)).status).toBe(200);
  });

  test("an open link is 200 with its verdict, and 503 where strict is asked", async () => {
    const url = await serve("health");
    const role = b.sandbox.state.get<{ trust: string }>("aws.role/111122223333/reports-reader");
    const Statement = [
      { Effect: "Allow", Principal: { Federated: "accounts.google.com" }, Action: "sts:AssumeRoleWithWebIdentity" },
    ];
    b.sandbox.state.put("aws.role/111122223333/reports-reader", {
      ...role,
      trust: JSON.stringify({ Version: "2012-10-17", Statement }),
    });
    expect(await call(url)).toMatchObject({ status: 200, verdict: "open" });
    expect(await call(`${url}/?strict`)).toMatchObject({ status: 503, verdict: "open" });
  });

  test("two at once: the second is told that one is running", async () => {
    const url = await serve("health");
    b.sandbox.faults.set([{ service: "aws.sts", operation: "GetCallerIdentity", fault: "slow", seconds: 600 }]);
    const both = [call(url), call(url)];
    expect((await Promise.race(both)).status).toBe(202);
    b.sandbox.faults.set([]);
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 202]);
  });

  test("a file with errors is the tool's failure, and nothing of it is said", async () => {
    const url = await serve("health");
    writeFileSync(join(folder, "federation.yaml"), "secret: value");
    expect(await call(url)).toMatchObject({ status: 500, body: '{"error":"the tool failed"}\n' });
  });
});

describe("provision", () => {
  test("plans, applies exactly that plan once, and refuses a stale one", async () => {
    const url = await serve("provision");
    await b.apply(example, { destroy: true });
    const planned = await call(url, { body: "{}" });
    const { fingerprint, exit } = JSON.parse(planned.body);
    expect([planned.status, exit, fingerprint]).toEqual([200, 2, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    const stale = await call(url, { body: JSON.stringify({ plan: "0".repeat(64) }) });
    expect(stale.status).toBe(409);
    const applied = await call(url, { body: JSON.stringify({ plan: fingerprint }) });
    expect([
      applied.status,
      JSON.parse(applied.body).traces[0].hops.every(({ result }: { result: string }) => result === "ok"),
    ]).toEqual([200, true]);
    const calls = await b.callsOf(async () => {
      expect((await call(url, { body: JSON.stringify({ plan: fingerprint }) })).body).toBe(applied.body);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
  });

  test.each([
    ["a short fingerprint", '{"plan":"0123456789abcdef"}'],
    ["a policy document", '{"plan":"x","policy":{}}'],
    ["a role name", '{"role":"admin"}'],
  ])("takes no %s", async (_, body) => {
    expect((await call(await serve("provision"), { body })).status).toBe(400);
  });

  test("gives no consent: what is not ours stays untouched", async () => {
    const url = await serve("provision");
    const role = b.sandbox.state.get<object>("aws.role/111122223333/reports-reader");
    b.sandbox.state.put("aws.role/111122223333/reports-reader", { ...role, tags: {} });
    const { fingerprint } = JSON.parse((await call(url, { body: "{}" })).body);
    const calls = await b.callsOf(async () => {
      expect((await call(url, { body: JSON.stringify({ plan: fingerprint }) })).status).toBe(409);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
  });

  test("a plan of some links is applied by its fingerprint alone", async () => {
    const url = await serve("provision");
    await b.apply(example, { destroy: true });
    const { fingerprint } = JSON.parse((await call(url, { body: '{"links":["reports-to-s3"]}' })).body);
    expect((await call(url, { body: JSON.stringify({ plan: fingerprint }) })).status).toBe(200);
    expect((await b.health(example)).verdict).toBe("works");
  });

  // Catches an answer kept by fingerprint alone: it would say "applied" and leave nothing there.
  test("taken away again by somebody, the same plan is applied again", async () => {
    const url = await serve("provision");
    await b.apply(example, { destroy: true });
    b.sandbox.reset();
    const first = JSON.parse((await call(url, { body: "{}" })).body).fingerprint;
    expect((await call(url, { body: JSON.stringify({ plan: first }) })).status).toBe(200);
    b.sandbox.reset();
    const second = JSON.parse((await call(url, { body: "{}" })).body).fingerprint;
    expect(second).toBe(first);
    expect((await call(url, { body: JSON.stringify({ plan: second }) })).status).toBe(200);
    expect((await b.health(example)).verdict).toBe("works");
  });

  test("what amounts to administrator is granted by a person, by name", async () => {
    const url = await serve("provision");
    writeFileSync(join(folder, "federation.yaml"), example.replace("AmazonS3ReadOnlyAccess", "AdministratorAccess"));
    const { fingerprint } = JSON.parse((await call(url, { body: "{}" })).body);
    const calls = await b.callsOf(async () => {
      const refused = await call(url, { body: JSON.stringify({ plan: fingerprint }) });
      expect([refused.status, refused.body]).toEqual([409, expect.stringContaining("AWS-PRIVILEGED")]);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
  });

  // What a person agrees to with a flag. Catches a function that stands in for one.
  test.each([
    [
      "a trust that admits another workload",
      "TRUST-WIDENED",
      `  more:
    from: { google: { project: acme-prod, serviceAccount: more-reports } }
    to:   { aws: { account: 111122223333, role: reports-reader, audience: aws-trust-1 } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`,
    ],
    [
      "a pattern of subjects",
      "BROAD-SUBJECT",
      `  broad:
    from: { oidc: { issuer: "https://idp.example.com", clientId: aws-access-client, subjectLike: "team-*" } }
    to:   { aws: { account: 111122223333, role: broad } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
    prove: judge
`,
    ],
  ])("%s is refused: %s", async (_, code, link) => {
    const url = await serve("provision");
    await b.apply(example);
    writeFileSync(join(folder, "federation.yaml"), example + link);
    const planned = JSON.parse((await call(url, { body: "{}" })).body);
    expect(planned.findings.map((one: Finding) => one.code)).toContain(code);
    const calls = await b.callsOf(async () => {
      const refused = await call(url, { body: JSON.stringify({ plan: planned.fingerprint }) });
      expect([refused.status, refused.body]).toEqual([409, expect.stringContaining(code)]);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
  });

  test("a role that makes an administrator is refused, and granted where the file accepts it", async () => {
    const url = await serve("provision");
    const of = "roles/owner on //cloudresourcemanager.googleapis.com/projects/acme-prod";
    const text = `crosstrust: 1
name: acme
links:
  owner:
    from: { aws: { account: 123456789000, role: worker } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, serviceAccount: etl-sink } }
    may:  [ { role: roles/owner, resources: [ //cloudresourcemanager.googleapis.com/projects/acme-prod ] } ]
`;
    writeFileSync(join(folder, "federation.yaml"), text);
    const planned = JSON.parse((await call(url, { body: "{}" })).body);
    expect([planned.exit, planned.findings.map(({ code, of: value }: Finding) => [code, value])]).toEqual([
      64,
      [["GOOGLE-PRIVILEGED", of]],
    ]);
    const calls = await b.callsOf(async () => {
      expect((await call(url, { body: JSON.stringify({ plan: planned.fingerprint }) })).status).toBe(409);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
    const accepting = `    accept: [ { finding: GOOGLE-PRIVILEGED, of: "${of}", reason: the sandbox project of the team } ]\n`;
    writeFileSync(join(folder, "federation.yaml"), text + accepting);
    const agreed = JSON.parse((await call(url, { body: "{}" })).body);
    expect(agreed.exit).not.toBe(64);
    expect(agreed.findings[0]).toMatchObject({ code: "GOOGLE-PRIVILEGED", accepted: { reason: expect.anything() } });
  });

  test("a link that ends broken is in the exit of the answer", async () => {
    const url = await serve("provision");
    await b.apply(example, { destroy: true });
    const { fingerprint } = JSON.parse((await call(url, { body: "{}" })).body);
    b.sandbox.faults.set([{ service: "aws.iam", operation: "CreateRole", fault: "error500" }]);
    const applied = JSON.parse((await call(url, { body: JSON.stringify({ plan: fingerprint }) })).body);
    expect(applied).toMatchObject({ command: "apply" });
    expect([3, 75]).toContain(applied.exit);
  });
});
