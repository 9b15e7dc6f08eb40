import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { players } from "../src/parties/players.ts";
import { attach } from "../src/sandbox/attach.ts";
import { deliverOf } from "../src/sandbox/deliver.ts";
import type { Sandbox } from "../src/sandbox/sandbox.ts";
import { Bench, folderWith } from "./support/bench.ts";
import { start } from "./support/cli.ts";
import { eventually } from "./support/guard.ts";
import { reach } from "./support/reach.ts";
import { echo, project, runStage } from "./support/run.ts";
import { type Zipped, zip } from "./support/zip.ts";

// What is deployed to the sandbox's Cloud Run really runs, behind Cloud Run's own check.

/** One service `hello`, and how somebody calls it. */
async function deployed(given?: Bench) {
  const stage = await runStage(given);
  await stage.enable();
  const [runner, caller] = [await stage.account("runner"), await stage.account("caller")];
  const { body } = await stage.deploy(echo("first"), { email: runner.email });
  const url: string = body.status.url;
  const host = url.replace("https://", "");
  const token = async (claims: Record<string, unknown> = {}) => {
    const own = { aud: url, sub: caller.uniqueId, email: caller.email, email_verified: true };
    const text = JSON.stringify({ issuer: "https://accounts.google.com", claims: { ...own, ...claims } });
    const answer = await fetch(`${stage.b.url}/_sandbox/mint`, { method: "POST", body: text });
    return ((await answer.json()) as { token: string }).token;
  };
  const call = async (path = "/", claims = {}, method = "POST") =>
    stage.call(method, `${host}${path}`, { n: 1 }, { authorization: `Bearer ${await token(claims)}` });
  await stage.grant(`serviceAccount:${caller.email}`);
  const pid = () => [...stage.b.sandbox.programs.pids.values()][0];
  const logs = async (filter: string) =>
    stage.call("POST", "logging.googleapis.com/v2/entries:list", { resourceNames: [`projects/${project}`], filter });
  return { ...stage, send: stage.call, runner, caller, url, host, token, call, pid, logs };
}

const alive = (pid: number | undefined): boolean => {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
};
const ends = (pid: number | undefined) => eventually(() => expect(alive(pid)).toBe(false));

describe("who is let in", () => {
  test("the granted account, by a token for either URL; its token goes on without its signature", async () => {
    const d = await deployed();
    const answer = await d.call("/path?a=1&a=2");
    expect([answer.status, answer.headers["x-says"]]).toEqual([200, "first"]);
    const { headers, env, method, query, body } = answer.body;
    expect([method, query, body]).toEqual(["POST", { a: ["1", "2"] }, '{"n":1}']);
    expect(d.b.calls.at(-1)).toMatchObject({
      ...{ service: "google.run.app", operation: "InvokeService", principal: d.caller.email, status: 200 },
    });
    expect(headers.host).toBe(d.host);
    const given = headers.authorization.split(".");
    expect(given[2]).toBe("SIGNATURE_REMOVED_BY_GOOGLE");
    expect(JSON.parse(Buffer.from(given[1], "base64url").toString()).email).toBe(d.caller.email);
    // Nothing of this process's own goes in, and K_SERVICE would make a function refuse the sandbox.
    expect(env).toEqual({
      ...{ GREETING: "hi", NODE_ENV: "production", GOOGLE_CLOUD_PROJECT: project, CROSSTRUST_SANDBOX: d.b.url },
    });
    const { number } = d.b.sandbox.state.get<{ number: string }>(`google.project/${project}`) ?? {};
    const other = `https://hello-${number}.us-central1.run.app`;
    expect((await d.call("/", { aud: other })).status).toBe(200);
  });

  test.each([
    ["a token for somebody else", { aud: "https://other.example" }, 401],
    ["one that has expired", { exp: 1 }, 401],
    ["one of an account that is not there", { sub: "1".repeat(21), email: "x@y.z" }, 401],
    ["one of another issuer", { iss: "https://issuer.example" }, 401],
  ])("%s is refused", async (_, claims, status) => {
    const d = await deployed();
    const answer = await d.call("/", claims);
    expect([answer.status, answer.headers["content-type"]]).toEqual([status, "text/html; charset=UTF-8"]);
    expect(d.pid()).toBeUndefined();
  });

  test("nobody without a token, nor an account without the grant; on the project it counts too", async () => {
    const d = await deployed();
    const none = await reach(d.b.sandbox.host(undefined).deliver, d.url);
    expect([none.status, none.body]).toEqual([403, expect.stringContaining("403 Forbidden")]);
    const stranger = await d.account("stranger");
    const as = { sub: stranger.uniqueId, email: stranger.email };
    expect((await d.call("/", as)).status).toBe(403);
    const { body } = await d.logs('severity>=WARNING resource.labels.service_name="hello" textPayload!=""');
    expect(body.entries.map(({ textPayload }: { textPayload: string }) => textPayload)).toEqual([
      expect.stringContaining("was not authenticated"),
      expect.stringContaining("lacks run.routes.invoke"),
    ]);
    const at = `cloudresourcemanager.googleapis.com/v1/projects/${project}`;
    const policy = await d.send("POST", `${at}:getIamPolicy`, {});
    policy.body.bindings.push({ role: "roles/run.invoker", members: [`serviceAccount:${stranger.email}`] });
    expect((await d.send("POST", `${at}:setIamPolicy`, { policy: policy.body })).status).toBe(200);
    expect((await d.call("/", as)).status).toBe(200);
  });

  test("with both headers X-Serverless-Authorization is looked at, and the other goes on whole", async () => {
    const d = await deployed();
    const mine = await d.token();
    const both = (first: string, second: string) =>
      d.send(
        "POST",
        d.host,
        {},
        { "x-serverless-authorization": `Bearer ${first}`, authorization: `Bearer ${second}` },
      );
    const through = await both(mine, "mine.own.token");
    expect(through.body.headers).toMatchObject({
      authorization: "Bearer mine.own.token",
      "x-serverless-authorization": expect.stringMatching(/SIGNATURE_REMOVED_BY_GOOGLE$/),
    });
    expect((await both("mine.own.token", mine)).status).toBe(401);
  });
});

test("a scheduler's job reaches it under its own name, with the token of the job's account", async () => {
  const d = await deployed();
  const run = async (audience: string) => {
    const jobs = `cloudscheduler.googleapis.com/v1/projects/${project}/locations/us-central1/jobs`;
    const name = `projects/${project}/locations/us-central1/jobs/tick`;
    const oidcToken = { serviceAccountEmail: d.caller.email, audience };
    await d.send("DELETE", `${jobs}/tick`);
    await d.send("POST", jobs, { name, schedule: "* * * * *", httpTarget: { uri: `${d.url}/tick`, oidcToken } });
    return (await d.send("POST", `${jobs}/tick:run`, {})).body.status.code;
  };
  expect(await run("https://other.example")).toBe(16);
  expect(d.pid()).toBeUndefined();
  expect(await run(d.url)).toBe(0);
  await eventually(async () => {
    const { body } = await d.logs('jsonPayload.path="/tick"');
    expect(body.entries).toHaveLength(1);
  });
});

describe("what runs", () => {
  test("one process for all requests; another revision replaces it, and a deletion ends it", async () => {
    const d = await deployed();
    const answers = await Promise.all([d.call(), d.call(), d.call()]);
    expect(new Set(answers.map(({ body }) => body.pid)).size).toBe(1);
    const first = d.pid();
    expect(answers[0]?.body.pid).toBe(first);
    const again = await d.deploy(echo("second"), { email: d.runner.email });
    expect(again.body.status.latestReadyRevisionName).toMatch(/^hello-00002-/);
    expect(again.body.metadata.generation).toBe(2);
    expect((await d.call()).body.says).toBe("second");
    await ends(first);
    const second = d.pid();
    expect(alive(second)).toBe(true);
    expect((await d.remove()).status).toBe(200);
    await ends(second);
    expect((await d.call()).status).toBe(404);
  });

  test("its lines are log entries, found by what is asked and not by half of it", async () => {
    const d = await deployed();
    await d.call("/a");
    const found = async (filter: string) => {
      const { status, body } = await d.logs(filter);
      return status === 200 ? (body.entries ?? []) : status;
    };
    const revision = 'resource.type="cloud_run_revision" AND resource.labels.service_name="hello"';
    await eventually(async () => expect(await found(revision)).toHaveLength(2));
    expect(await found(`${revision} AND severity>=WARNING AND jsonPayload.event="hello"`)).toEqual([
      expect.objectContaining({
        severity: "WARNING",
        jsonPayload: { event: "hello", message: "called", path: "/a" },
        logName: `projects/${project}/logs/run.googleapis.com%2Fstdout`,
      }),
    ]);
    expect(await found(`${revision} NOT jsonPayload.event="hello" textPayload="plain"`)).toHaveLength(1);
    expect(await found('textPayload="plain"')).toHaveLength(1);
    expect(await found("severity>=ERROR")).toEqual([]);
    for (const filter of ['a="b" OR c="d"', "(severity>=ERROR)", "hello", 'severity>="LOUD"', 'textPayload=~"p.*"'])
      expect([filter, await found(filter)]).toEqual([filter, 400]);
  });

  test("one that ends is a 503 and an entry, and the next request starts it anew", async () => {
    const d = await deployed();
    expect((await d.call()).status).toBe(200);
    const first = d.pid();
    expect((await d.call("/end")).status).toBe(503);
    await ends(first);
    const { body } = await d.logs("severity=ERROR");
    expect(body.entries[0].textPayload).toContain("connection to the instance had an error");
    expect((await d.call()).status).toBe(200);
    expect(d.pid()).not.toBe(first);
  });

  test("one that never starts is a 503, one that takes too long a 504", async () => {
    const d = await deployed();
    await d.deploy([{ name: "index.js", text: "throw new Error('no')" }], { email: d.runner.email });
    expect((await d.call()).status).toBe(503);
    await d.deploy(echo("slow"), { email: d.runner.email, timeoutSeconds: 2 });
    expect((await d.call("/wait")).status).toBe(504);
  });

  test("a reset ends it, and so does closing the sandbox; nothing is left on the disk", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crosstrust-run-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const attached = await attach({ players, folder });
    const d = await deployed(new Bench(attached.url, attached.sandbox as Sandbox));
    expect((await d.call()).status).toBe(200);
    const first = d.pid();
    expect(readdirSync(join(folder, "programs"))).toHaveLength(1);
    await fetch(`${attached.url}/_sandbox/reset`, { method: "POST" });
    await ends(first);
    expect((await d.call()).status).toBe(404);
    expect(existsSync(join(folder, "blobs"))).toBe(false);
    const again = await deployed(new Bench(attached.url, attached.sandbox as Sandbox));
    expect((await again.call()).status).toBe(200);
    const second = again.pid();
    await attached.close();
    expect(alive(second)).toBe(false);
    expect(readdirSync(join(folder, "programs"))).toEqual([]);
  });

  test("it does not outlive a sandbox that is killed, though nobody could end it", async () => {
    const cwd = folderWith("");
    const folder = join(cwd, ".crosstrust", "sandbox");
    const first = await attach({ players, folder });
    const d = await deployed(new Bench(first.url, first.sandbox as Sandbox));
    const authorization = `Bearer ${await d.token()}`;
    await first.close();
    // Another process serves what was deployed to this one.
    const { child, match } = await start(["sandbox"], { cwd, until: /http:\/\/127\.0\.0\.1:\d+/ });
    const { anchors } = (await (await fetch(`${match[0]}/_sandbox/authority`)).json()) as { anchors: string[] };
    const answer = await reach(
      deliverOf(match[0], async () => anchors),
      d.url,
      { headers: { authorization } },
    );
    const { pid } = JSON.parse(answer.body);
    expect([answer.status, alive(pid)]).toEqual([200, true]);
    child.kill("SIGKILL");
    await ends(pid);
    expect(readdirSync(join(folder, "programs"))).toEqual([]);
  });
});

describe("a source", () => {
  const fine: Zipped = { name: "index.js", text: "1" };
  test.each<[string, readonly Zipped[] | Buffer, RegExp]>([
    ["that leads out of its folder", [fine, { name: "../x.js", text: "1" }], /leads out/],
    ["with an absolute path", [fine, { name: "/x.js", text: "1" }], /leads out/],
    ["with a backslash", [fine, { name: "a\\..\\..\\x.js", text: "1" }], /leads out/],
    ["with a link", [fine, { name: "l", text: "/etc/passwd", claims: { mode: 0o120777 } }], /is a link/],
    ["that is encrypted", [{ ...fine, claims: { flags: 1 } }], /is encrypted/],
    ["that lies about its size", [{ ...fine, text: "1".repeat(9999), claims: { size: 5 } }], /is damaged/],
    ["that lies about its sum", [{ ...fine, claims: { crc: 5 } }], /is damaged/],
    ["that claims too much", [{ ...fine, claims: { size: 0xfffffff0 } }], /holds too much/],
    ["that is no zip", Buffer.from("hello"), /has no directory/],
  ])("%s is refused", async (_, files, says) => {
    const stage = await runStage();
    await stage.enable();
    const { status, body } = await stage.build(Buffer.isBuffer(files) ? files : zip(files as Zipped[]));
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(says)]);
  });

  test("without what the framework loads, or in TypeScript, is a build that fails", async () => {
    const stage = await runStage();
    await stage.enable();
    const outcome = async (files: readonly Zipped[], base?: string) => {
      const { buildOperation } = (await stage.build(zip(files), base)).body;
      return [buildOperation.metadata.build.status, buildOperation.error?.message ?? ""];
    };
    expect(await outcome([{ name: "a.js", text: "1" }])).toEqual([
      "FAILURE",
      expect.stringContaining("does not exist"),
    ]);
    const typed = [
      { name: "package.json", text: '{"main":"a.ts"}' },
      { name: "a.ts", text: "1" },
    ];
    expect(await outcome(typed)).toEqual(["FAILURE", expect.stringContaining(".ts")]);
    expect(await outcome([fine], "nodejs20")).toEqual(["FAILURE", expect.stringContaining("nodejs20")]);
    expect(await outcome([{ ...fine, method: 0 }])).toEqual(["SUCCESS", ""]);
    expect(await outcome([fine], "us-central1-docker.pkg.dev/serverless-runtimes/google-24/runtimes/nodejs24")).toEqual(
      ["SUCCESS", ""],
    );
  });
});
