import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { pauseBefore } from "../src/parties/google/sandbox/scheduler-run.ts";
import { bench } from "./support/bench.ts";
import { guard } from "./support/guard.ts";
import { listener } from "./support/listener.ts";

const jobs = "cloudscheduler/v1/projects/acme-prod/locations/us-central1/jobs";
const email = "ticker@acme-prod.iam.gserviceaccount.com";

async function stage() {
  const b = await bench();
  await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "ticker", serviceAccount: {} });
  const make = (httpTarget: object, more: object = {}) =>
    b.google("POST", jobs, {
      name: `projects/acme-prod/locations/us-central1/jobs/tick`,
      schedule: "0 * * * *",
      httpTarget,
      ...more,
    });
  const run = async () => (await b.google("POST", `${jobs}/tick:run`, {})).body as { status: { code: number } };
  return { b, make, run };
}

const claimsOf = (header = "") => JSON.parse(Buffer.from(header.split(".")[1] ?? "", "base64url").toString());

describe("a run", () => {
  test("with an OIDC token: the audience is the URI unless one is named; a body without a type is octets", async () => {
    const { make, run } = await stage();
    const { url, heard } = await listener(() => ({ status: 204 }));
    await make({ uri: `${url}/x?a=1`, body: btoa("{}"), oidcToken: { serviceAccountEmail: email } });
    expect((await run()).status).toEqual({ code: 0 });
    const [first] = heard;
    expect(claimsOf(first?.headers.authorization)).toMatchObject({ aud: `${url}/x?a=1`, email });
    expect(first).toMatchObject({ method: "POST", path: "/x?a=1", body: "{}" });
    expect(first?.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "user-agent": "Google-Cloud-Scheduler",
      "x-cloudscheduler-jobname": "tick",
    });
  });

  test("with an OAuth token, at a Google API under its real name", async () => {
    const { b, make, run } = await stage();
    const uri = "https://cloudresourcemanager.googleapis.com/v1/projects/acme-prod";
    await make({ uri, httpMethod: "GET", oauthToken: { serviceAccountEmail: email } });
    // The account may nothing yet: the API itself says so.
    expect((await run()).status).toEqual({ code: 7 });
    const policy = {
      bindings: [
        { role: "roles/browser", members: [`serviceAccount:${email}`] },
        { role: "roles/owner", members: ["user:operator@example.com"] },
      ],
    };
    await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setIamPolicy", { policy });
    expect((await run()).status).toEqual({ code: 0 });
  });

  test("retries as the job says, and no more", async () => {
    const { b, make, run } = await stage();
    const answers = [503, 503, 200];
    const { url, heard } = await listener(() => ({ status: answers.shift() ?? 500 }));
    await make({ uri: url }, { retryConfig: { retryCount: 2 } });
    expect([(await run()).status, heard.length]).toEqual([{ code: 0 }, 3]);
    // From here on 500 each time: two retries, then it is told.
    expect([(await run()).status, heard.length]).toEqual([{ code: 2 }, 6]);
    await b.google("PATCH", `${jobs}/tick?updateMask=retryConfig.retryCount`, { retryConfig: { retryCount: 0 } });
    expect([(await run()).status, heard.length]).toEqual([{ code: 2 }, 7]);
  });

  test("pauses double, then grow by the last step, up to the longest (the API's own example)", () => {
    const config = {
      retryCount: 5,
      maxRetryDuration: "0s",
      minBackoffDuration: "10s",
      maxBackoffDuration: "300s",
      maxDoublings: 3,
    };
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((retries) => pauseBefore(retries, config))).toEqual([
      10, 20, 40, 80, 160, 240, 300, 300,
    ]);
  });

  test("a target that nobody listens at, one that is not played, and the sandbox's own control calls", async () => {
    const { b, make, run } = await stage();
    const closed = http.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const hosts = [
      `http://127.0.0.1:${port}`,
      "https://example.com/",
      "http://example.com/",
      `${b.url}/_sandbox/issued`,
    ];
    for (const [at, uri] of hosts.entries()) {
      if (at === 0) await make({ uri });
      else await b.google("PATCH", `${jobs}/tick?updateMask=httpTarget.uri`, { httpTarget: { uri } });
      expect([uri, (await run()).status]).toEqual([uri, { code: 14 }]);
    }
  });

  test("an account that is gone calls nobody", async () => {
    const { b, make, run } = await stage();
    const { url, heard } = await listener(() => ({ status: 200 }));
    await make({ uri: url, oidcToken: { serviceAccountEmail: email } });
    await b.google("DELETE", `iam/v1/projects/acme-prod/serviceAccounts/${email}`);
    expect([(await run()).status, heard]).toEqual([{ code: 16 }, []]);
  });
});

test.each([
  [200, 0],
  [302, 2],
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 5],
  [409, 10],
  [429, 8],
  [500, 2],
  [503, 14],
  [504, 4],
])("a target that answers %i: code %i", async (status, code) => {
  const { make, run } = await stage();
  const { url } = await listener(() => ({ status }));
  await make({ uri: url });
  expect((await run()).status).toEqual({ code });
});

describe("a job", () => {
  test("PATCH changes what the mask names, whatever else the body carries", async () => {
    const { b, make } = await stage();
    await make(
      { uri: "https://x.example/", oidcToken: { serviceAccountEmail: email, audience: "a" } },
      { description: "d" },
    );
    const body = { schedule: "*/30 * * * *", httpTarget: { httpMethod: "GET" }, timeZone: "UTC" };
    const { body: after } = await b.google("PATCH", `${jobs}/tick?updateMask=schedule`, body);
    expect(after).toMatchObject({
      schedule: "*/30 * * * *",
      timeZone: "Etc/UTC",
      description: "d",
      httpTarget: { uri: "https://x.example/", httpMethod: "POST", oidcToken: { audience: "a" } },
    });
    const deeper = { httpTarget: { oidcToken: { audience: "b" } } };
    const { body: moved } = await b.google(
      "PATCH",
      `${jobs}/tick?updateMask=httpTarget.oidc_token.audience,description`,
      deeper,
    );
    expect(moved).toMatchObject({
      httpTarget: { uri: "https://x.example/", oidcToken: { serviceAccountEmail: email, audience: "b" } },
    });
    expect(moved.description).toBeUndefined();
    expect((await b.google("PATCH", `${jobs}/tick?updateMask=state`, { state: "PAUSED" })).status).toBe(400);
  });

  test("pauses, goes on, is listed, is deleted", async () => {
    const { b, make } = await stage();
    await make({ uri: "https://x.example/" });
    expect((await b.google("POST", `${jobs}/tick:pause`, {})).body.state).toBe("PAUSED");
    expect((await b.google("GET", `${jobs}/tick`)).body.state).toBe("PAUSED");
    expect((await b.google("POST", `${jobs}/tick:resume`, {})).body.state).toBe("ENABLED");
    expect((await b.google("GET", jobs)).body).toMatchObject({ jobs: [{ schedule: "0 * * * *" }] });
    expect((await make({ uri: "https://x.example/" })).status).toBe(409);
    expect((await b.google("DELETE", `${jobs}/tick`)).status).toBe(200);
    expect((await b.google("GET", jobs)).body).toEqual({});
    expect((await b.google("POST", `${jobs}/tick:run`, {})).status).toBe(404);
  });

  test.each<readonly [string, object, object]>([
    [
      "an account that is not there",
      { oauthToken: { serviceAccountEmail: "nobody@acme-prod.iam.gserviceaccount.com" } },
      {},
    ],
    ["two tokens", { oauthToken: { serviceAccountEmail: email }, oidcToken: { serviceAccountEmail: email } }, {}],
    ["a body with GET", { httpMethod: "GET", body: "e30=" }, {}],
    ["six retries", {}, { retryConfig: { retryCount: 6 } }],
    ["a deadline of an hour", {}, { attemptDeadline: "3600s" }],
    ["no schedule", {}, { schedule: "often" }],
    ["another scheme", { uri: "ftp://x.example/" }, {}],
  ])("%s is refused", async (_, target, more) => {
    const { make } = await stage();
    expect((await make({ uri: "https://x.example/", ...target }, more)).status).toBeGreaterThanOrEqual(400);
  });

  test("a deadline from 15 s to half an hour is taken", async () => {
    for (const attemptDeadline of ["15s", "1800s"]) {
      const { make } = await stage();
      expect((await make({ uri: "https://x.example/" }, { attemptDeadline })).status).toBe(200);
    }
  });

  test("whoever may not act as the account makes no job of it", async () => {
    const { b, make } = await stage();
    const policy = { bindings: [{ role: "roles/cloudscheduler.admin", members: ["user:operator@example.com"] }] };
    await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setIamPolicy", { policy });
    const { status, body } = await make({ uri: "https://x.example/", oidcToken: { serviceAccountEmail: email } });
    expect([status, JSON.stringify(body)]).toEqual([403, expect.stringContaining("iam.serviceAccounts.actAs")]);
    expect((await make({ uri: "https://x.example/" })).status).toBe(200);
  });
});

test("an answer that is too large, one that is late, and one that is cut off", async () => {
  const b = await bench();
  const deliver = b.sandbox.host(undefined).deliver;
  const { url } = await listener(({ path }) =>
    path === "/large" ? { status: 200, body: "x".repeat(2 * 1024 * 1024 + 1) } : path === "/late" ? "never" : "reset",
  );
  const of = async (path: string) =>
    deliver({ method: "GET", url: url + path, headers: {}, timeout: path === "/late" ? 300 : guard });
  expect(await of("/large")).toMatchObject({ failure: "too-large" });
  expect(await of("/late")).toMatchObject({ failure: "timeout" });
  expect(await of("/reset")).toMatchObject({ failure: "reset" });
});
