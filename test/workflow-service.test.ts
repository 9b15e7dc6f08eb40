import { describe, expect, test } from "vitest";
import { bench } from "./support/bench.ts";
import { eventually } from "./support/guard.ts";
import { listener } from "./support/listener.ts";

// Workflows and Workflow Executions v1 as the sandbox plays them.

const email = "flow-runner@acme-prod.iam.gserviceaccount.com";
const place = "projects/acme-prod/locations/us-central1";
const flows = `workflows/v1/${place}/workflows`;
const runs = `workflowexecutions/v1/${place}/workflows/hello/executions`;
const echo = "main:\n  params: [args]\n  steps:\n    - a:\n        return: ${args}\n";

async function stage() {
  const b = await bench();
  await b.google("POST", "serviceusage/v1/projects/acme-prod/services:batchEnable", {
    serviceIds: ["workflows.googleapis.com", "workflowexecutions.googleapis.com"],
  });
  await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "flow-runner", serviceAccount: {} });
  const deploy = (sourceContents: string, more: object = {}) =>
    b.google("POST", `${flows}?workflowId=hello`, {
      sourceContents,
      serviceAccount: `projects/-/serviceAccounts/${email}`,
      ...more,
    });
  const roles = (...bindings: { role: string; members: string[] }[]) =>
    b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setIamPolicy", { policy: { bindings } });
  const ended = async (body: object = {}) => {
    const begun = await b.google("POST", runs, body);
    expect(begun.body.state).toBe("ACTIVE");
    return eventually(async () => {
      const { body: execution } = await b.google("GET", `workflowexecutions/v1/${begun.body.name}`);
      expect(execution.state).not.toBe("ACTIVE");
      return execution;
    });
  };
  return { b, deploy, ended, roles };
}

const operator = { members: ["user:operator@example.com"] };
const runner = { members: [`serviceAccount:${email}`] };

test("both APIs are off in a project until they are enabled", async () => {
  const b = await bench();
  for (const path of [flows, runs]) {
    const { status, body } = await b.google("GET", path);
    expect([status, JSON.stringify(body)]).toEqual([403, expect.stringContaining("SERVICE_DISABLED")]);
  }
});

describe("a workflow", () => {
  test("is deployed through an operation that is asked for again", async () => {
    const { b, deploy } = await stage();
    const { body: begun } = await deploy(echo, { labels: { team: "a" } });
    expect(begun.done).toBeUndefined();
    const { body: done } = await b.google("GET", `workflows/v1/${begun.name}`);
    expect(done).toMatchObject({
      done: true,
      metadata: { verb: "create" },
      response: { name: `${place}/workflows/hello` },
    });
    expect((await deploy(echo)).status).toBe(409);
    expect((await b.google("GET", `${flows}/hello`)).body).toMatchObject({
      ...{ state: "ACTIVE", sourceContents: echo, labels: { team: "a" } },
      serviceAccount: `projects/acme-prod/serviceAccounts/${email}`,
    });
    expect((await b.google("GET", flows)).body).toMatchObject({ workflows: [{ name: `${place}/workflows/hello` }] });
    expect((await b.google("GET", `${flows}/other`)).status).toBe(404);
  });

  test("has a new revision after another source or account, and after nothing else", async () => {
    const { b, deploy } = await stage();
    await deploy(echo);
    const patch = async (mask: string, body: object) => {
      expect((await b.google("PATCH", `${flows}/hello?updateMask=${mask}`, body)).status).toBe(200);
      return (await b.google("GET", `${flows}/hello`)).body;
    };
    const first = String((await b.google("GET", `${flows}/hello`)).body.revisionId);
    expect(first).toMatch(/^000001-[0-9a-f]{3}$/);
    expect((await patch("labels,callLogLevel", { labels: { a: "b" }, callLogLevel: "LOG_NONE" })).revisionId).toBe(
      first,
    );
    expect((await patch("userEnvVars", { userEnvVars: { A: "1" } })).revisionId).toBe(first);
    expect((await patch("sourceContents", { sourceContents: echo, labels: {} })).revisionId).toBe(first);
    const moved = await patch("sourceContents", {
      sourceContents: `${echo}# changed\n`,
      description: "not in the mask",
    });
    expect(moved).toMatchObject({ revisionId: expect.stringMatching(/^000002/), labels: { a: "b" } });
    expect(moved.description).toBeUndefined();
    expect((await b.google("PATCH", `${flows}/hello?updateMask=revisionId`, { revisionId: "x" })).status).toBe(400);
  });

  test.each<readonly [string, object]>([
    ["a source with a problem", { sourceContents: "main:\n  steps:\n    - a:\n        next: b\n" }],
    ["no source", { sourceContents: "" }],
    ["no account", { serviceAccount: "" }],
    ["an account that is not there", { serviceAccount: "nobody@acme-prod.iam.gserviceaccount.com" }],
    ["a variable of Google's own", { userEnvVars: { GOOGLE_X: "1" } }],
    ["21 variables", { userEnvVars: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`V${at}`, "1"])) }],
    ["a variable of 5 KiB", { userEnvVars: { A: "x".repeat(5000) } }],
    ["a label in capitals", { labels: { Team: "a" } }],
    ["a level that is none", { callLogLevel: "LOUD" }],
    ["a field that is not played", { cryptoKeyName: "projects/p/locations/l/keyRings/r/cryptoKeys/k" }],
  ])("with %s is refused", async (_, more) => {
    const { b, deploy } = await stage();
    const { status } = await deploy(echo, more);
    expect([400, 403]).toContain(status);
    expect((await b.google("GET", `${flows}/hello`)).status).toBe(404);
  });

  test("every problem of a source is told in one go", async () => {
    const { deploy } = await stage();
    const { status, body } = await deploy(
      "main:\n  steps:\n    - a:\n        call: nobody\n    - b:\n        next: c\n",
    );
    expect([status, (body.error as { message: string }).message]).toEqual([
      400,
      "main.yaml:3: parse error: in workflow 'main', step 'a': nobody is no function and no subworkflow\n" +
        "main.yaml:5: parse error: in workflow 'main', step 'b': there is no step c to go to",
    ]);
  });

  test("takes permissions: to deploy, to act as its account, to run it", async () => {
    const { b, deploy, roles } = await stage();
    await roles({ role: "roles/resourcemanager.projectIamAdmin", ...operator });
    expect((await deploy(echo)).status).toBe(403);
    const editor = { role: "roles/workflows.editor", ...operator };
    await roles({ role: "roles/resourcemanager.projectIamAdmin", ...operator }, editor);
    expect(JSON.stringify((await deploy(echo)).body)).toContain("iam.serviceAccounts.actAs");
    const user = { role: "roles/iam.serviceAccountUser", ...operator };
    await roles({ role: "roles/resourcemanager.projectIamAdmin", ...operator }, editor, user);
    expect((await deploy(echo)).status).toBe(200);
    await roles({ role: "roles/workflows.viewer", ...operator });
    expect((await b.google("GET", `${flows}/hello`)).status).toBe(200);
    expect((await b.google("POST", runs, {})).status).toBe(403);
  });
});

describe("an execution", () => {
  test("gets its argument from a JSON string, and gives its result as one", async () => {
    const { b, deploy, ended } = await stage();
    await deploy(echo);
    const execution = await ended({ argument: '{"a": [1, 2.5, null]}' });
    expect(execution).toMatchObject({
      state: "SUCCEEDED",
      result: '{"a":[1,2.5,null]}',
      workflowRevisionId: expect.stringMatching(/^000001/),
    });
    expect(String(execution.name).split("/").at(-1)).toMatch(/^[A-Za-z0-9-]{1,64}$/);
    expect((await ended()).result).toBe("null");
    for (const argument of [{ a: 1 }, "{", `"${"x".repeat(33_000)}"`])
      expect((await b.google("POST", runs, { argument })).status).toBe(400);
    const { executions } = (await b.google("GET", runs)).body as { executions: Record<string, unknown>[] };
    expect(executions.map(({ state, result }) => [state, result])).toEqual([
      ["SUCCEEDED", undefined],
      ["SUCCEEDED", undefined],
    ]);
    const full = (await b.google("GET", `${runs}?view=FULL`)).body as { executions: Record<string, unknown>[] };
    expect(full.executions.map(({ result }) => result)).toEqual(["null", '{"a":[1,2.5,null]}']);
  });

  test("that fails tells what was raised, where, and in words", async () => {
    const { deploy, ended } = await stage();
    await deploy('main:\n  steps:\n    - a:\n        return: ${"x" + 1}\n');
    expect(await ended()).toMatchObject({
      state: "FAILED",
      error: {
        payload: JSON.stringify({
          message: "unsupported operand types for +: string and integer",
          tags: ["TypeError"],
        }),
        stackTrace: { elements: [{ routine: "main", step: "a", position: { line: "3" } }] },
      },
      status: { currentSteps: [{ routine: "main", step: "a" }] },
    });
  });

  test("knows its surroundings, and waits a fiftieth of the time", async () => {
    const { b, deploy, ended } = await stage();
    const names = ["PROJECT_ID", "LOCATION", "WORKFLOW_ID", "WORKFLOW_REVISION_ID", "WORKFLOW_EXECUTION_ID"];
    const list = names.map((name) => `"\${sys.get_env(\\"GOOGLE_CLOUD_${name}\\")}"`).join(", ");
    await deploy(
      `main:\n  steps:\n    - wait:\n        call: sys.sleep\n        args: {seconds: 20}\n    - a:\n        return: [${list}, '\${sys.get_env("OWN")}']\n`,
      { userEnvVars: { OWN: "mine" } },
    );
    const execution = await ended();
    const { revisionId } = (await b.google("GET", `${flows}/hello`)).body;
    const id = String(execution.name).split("/").at(-1);
    expect(JSON.parse(String(execution.result))).toEqual(["acme-prod", "us-central1", "hello", revisionId, id, "mine"]);
    expect(Number.parseFloat(String(execution.duration))).toBeGreaterThanOrEqual(20);
  });

  test("is cancelled in the middle of a call, and goes no further", async () => {
    const { b, deploy } = await stage();
    const { url, heard } = await listener(() => "never");
    await deploy(
      `main:\n  steps:\n    - a:\n        call: http.get\n        args: {url: "${url}", timeout: 900}\n    - b:\n        return: 1\n`,
    );
    const { body } = await b.google("POST", runs, {});
    await eventually(() => expect(heard).toHaveLength(1));
    const cancelled = await b.google("POST", `workflowexecutions/v1/${body.name}:cancel`, {});
    expect(cancelled.body).toMatchObject({ state: "CANCELLED", endTime: expect.any(String) });
    expect((await b.google("POST", `workflowexecutions/v1/${body.name}:cancel`, {})).status).toBe(400);
  });

  test("that was under way when the sandbox ended does not stay so for ever", async () => {
    const { b, deploy } = await stage();
    await deploy(echo);
    const name = `${place}/workflows/hello/executions/cut-off`;
    const times = { createTime: "2026-11-01T10:00:00.000Z", startTime: "2026-11-01T10:00:00.000Z" };
    b.sandbox.state.put(`google.execution/${name}`, { name, state: "ACTIVE", ...times });
    const { body } = await b.google("GET", `workflowexecutions/v1/${name}`);
    expect(body).toMatchObject({ state: "FAILED", error: { payload: expect.stringContaining("was stopped") } });
    expect((await b.google("POST", `workflowexecutions/v1/${name}:cancel`, {})).status).toBe(400);
  });

  test("that outlives a reset leaves nothing behind", async () => {
    const { b, deploy } = await stage();
    const { url, heard } = await listener(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { status: 200 };
    });
    await deploy(`main:\n  steps:\n    - a:\n        call: http.get\n        args: {url: "${url}", timeout: 900}\n`);
    await b.google("POST", runs, {});
    await eventually(() => expect(heard).toHaveLength(1));
    await fetch(`${b.url}/_sandbox/reset`, { method: "POST" });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(b.sandbox.state.list("google.execution/")).toEqual([]);
  });

  test("calls with a token of its account: OIDC elsewhere, OAuth at Google's APIs under their real names", async () => {
    const { deploy, ended, roles } = await stage();
    await roles({ role: "roles/owner", ...operator }, { role: "roles/browser", ...runner });
    const { url, heard } = await listener(() => ({ status: 200, body: { fine: true } }));
    await deploy(`main:
  steps:
    - there:
        call: http.get
        args: {url: "${url}/x", auth: {type: OIDC, audience: "https://aud.example"}, timeout: 900}
        result: a
    - google:
        call: http.get
        args: {url: https://cloudresourcemanager.googleapis.com/v1/projects/acme-prod, auth: {type: OAuth2}, timeout: 900}
        result: b
    - out:
        return: ["\${a.body.fine}", "\${b.body.projectId}"]
`);
    expect((await ended()).result).toBe('[true,"acme-prod"]');
    const claims = JSON.parse(
      Buffer.from(heard[0]?.headers.authorization?.split(".")[1] ?? "", "base64url").toString(),
    );
    expect(claims).toMatchObject({ aud: "https://aud.example", email, email_verified: true });
    expect(heard[0]?.headers["user-agent"]).toContain("GoogleWorkflows");
  });

  test("reaches nothing that is not played, and without its account nothing at all", async () => {
    const { b, deploy, ended } = await stage();
    await deploy(
      'main:\n  params: [args]\n  steps:\n    - a:\n        call: http.get\n        args: {url: "${args.url}", auth: {type: OIDC}, timeout: 900}\n',
    );
    const failure = async (url: string) =>
      JSON.parse((((await ended({ argument: JSON.stringify({ url }) })).error ?? {}) as { payload: string }).payload)
        .tags;
    for (const url of ["https://example.com/", "http://example.com/", `${b.url}/_sandbox/issued`])
      expect([url, await failure(url)]).toEqual([url, ["ConnectionFailedError"]]);
    await b.google("POST", `iam/v1/projects/acme-prod/serviceAccounts/${email}:disable`, {});
    expect(await failure(b.url)).toEqual(["AuthError"]);
  });

  test("logs as its account, if that may; entries are found by workflow and severity", async () => {
    const { b, deploy, ended, roles } = await stage();
    const log =
      "main:\n  steps:\n    - a:\n        call: sys.log\n        args: {severity: WARNING, json: {event: e, n: 1}}\n    - b:\n        call: sys.log\n        args: {text: plain}\n";
    await deploy(log);
    expect((await ended()).error).toMatchObject({ payload: expect.stringContaining("logging.logEntries.create") });
    await roles({ role: "roles/owner", ...operator }, { role: "roles/logging.logWriter", ...runner });
    const { name } = await ended();
    const find = async (filter: string) =>
      ((await b.google("POST", "logging/v2/entries:list", { resourceNames: ["projects/acme-prod"], filter })).body
        .entries ?? []) as Record<string, unknown>[];
    const of = 'resource.type="workflows.googleapis.com/Workflow" AND resource.labels.workflow_id="hello"';
    expect(await find(of)).toMatchObject([
      { severity: "WARNING", jsonPayload: { event: "e", n: 1 } },
      { severity: "DEFAULT", textPayload: "plain" },
    ]);
    expect(await find(`${of} AND severity>=WARNING AND jsonPayload.event="e"`)).toHaveLength(1);
    const labels = { "workflows.googleapis.com/execution_id": String(name).split("/").at(-1) };
    expect((await find(of))[0]).toMatchObject({ labels, logName: "projects/acme-prod/logs/Workflows" });
    expect(await find(of.replace("hello", "other"))).toEqual([]);
    expect(await find(`${of} AND severity>ALERT`)).toEqual([]);
    const refused = await b.google("POST", "logging/v2/entries:list", {
      resourceNames: ["projects/acme-prod"],
      filter: "(((",
    });
    expect(refused.status).toBe(400);
  });
});
