import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { serveLocally } from "../functions/local.ts";
import { type Bench, bench, example, folderWith, manyLinks } from "./support/bench.ts";
import { type Asked, healthFunction, textOf } from "./support/flow.ts";
import { eventually } from "./support/guard.ts";
import { listener } from "./support/listener.ts";
import { Somebody } from "./support/somebody.ts";

// The whole way: a job of the scheduler starts a workflow with an OAuth token, the workflow calls the function with an ID token
// of its own account, and the function believes it.

const place = "projects/acme-prod/locations/us-central1";
const flow = "flow-runner@acme-prod.iam.gserviceaccount.com";
const ticker = "ticker@acme-prod.iam.gserviceaccount.com";
const saved = { ...process.env };
let b: Bench;

beforeEach(async () => {
  b = await bench();
  const folder = folderWith(example);
  await b.google("POST", "serviceusage/v1/projects/acme-prod/services:batchEnable", {
    serviceIds: ["workflows.googleapis.com", "workflowexecutions.googleapis.com"],
  });
  for (const accountId of ["flow-runner", "ticker"])
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId, serviceAccount: {} });
  const { body: policy } = await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:getIamPolicy", {});
  const more = [
    { role: "roles/logging.logWriter", members: [`serviceAccount:${flow}`] },
    { role: "roles/workflows.invoker", members: [`serviceAccount:${ticker}`] },
  ];
  const bindings = [...(policy.bindings as object[]), ...more];
  await b.google("POST", "cloudresourcemanager/v1/projects/acme-prod:setIamPolicy", {
    policy: { ...policy, bindings },
  });
  Object.assign(process.env, {
    NODE_ENV: "production",
    CROSSTRUST_SANDBOX: b.url,
    CROSSTRUST_FILE: join(folder, "federation.yaml"),
    CROSSTRUST_STORE: join(folder, "store"),
    CROSSTRUST_CALLERS: flow,
  });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

/** The real function, whose audience is the URL that it is called at: one call at a time. */
async function served(name: "health" | "provision"): Promise<string> {
  const { url, close } = await serveLocally(name, 0);
  onTestFinished(close);
  const front: { url: string } = await listener(async ({ method, path, headers, body }) => {
    process.env.CROSSTRUST_AUDIENCE = front.url;
    const { authorization = "", "content-type": type = "application/json" } = headers;
    const text = method === "GET" ? {} : { body };
    const answer = await fetch(url + path, { method, headers: { authorization, "content-type": type }, ...text });
    return { status: answer.status, body: (await answer.json()) as object };
  });
  return front.url;
}

async function deploy(name: "health" | "onboard", userEnvVars: object) {
  const body = { sourceContents: textOf(name), serviceAccount: flow, userEnvVars };
  expect((await b.google("POST", `workflows/v1/${place}/workflows?workflowId=${name}`, body)).status).toBe(200);
}

/** By a job, as in life; gives the execution when it has ended. */
async function scheduled(name: string, argument: object = {}) {
  const uri = `https://workflowexecutions.googleapis.com/v1/${place}/workflows/${name}/executions`;
  const body = Buffer.from(JSON.stringify({ argument: JSON.stringify(argument) })).toString("base64");
  const httpTarget = {
    uri,
    body,
    headers: { "Content-Type": "application/json" },
    oauthToken: { serviceAccountEmail: ticker },
  };
  await b.google("POST", `cloudscheduler/v1/${place}/jobs`, {
    name: `${place}/jobs/tick`,
    schedule: "17 * * * *",
    httpTarget,
  });
  expect((await b.google("POST", `cloudscheduler/v1/${place}/jobs/tick:run`, {})).body.status).toEqual({ code: 0 });
  return eventually(async () => {
    const { executions } = (
      await b.google("GET", `workflowexecutions/v1/${place}/workflows/${name}/executions?view=FULL`)
    ).body;
    const [execution] = executions as { state: string; result?: string; error?: object; name: string }[];
    expect(execution?.state).not.toBe("ACTIVE");
    return execution;
  });
}

const logged = async (workflow: string) => {
  const filter = `resource.type="workflows.googleapis.com/Workflow" AND resource.labels.workflow_id="${workflow}"`;
  const { body } = await b.google("POST", "logging/v2/entries:list", { resourceNames: ["projects/acme-prod"], filter });
  return (body.entries ?? []) as { severity: string; jsonPayload: Record<string, unknown> }[];
};

test("onboard.yaml over the real functions: what the file says is made, and works", async () => {
  await deploy("onboard", {
    CROSSTRUST_HEALTH_URL: await served("health"),
    CROSSTRUST_PROVISION_URL: await served("provision"),
  });
  const execution = await scheduled("onboard");
  expect(execution).toMatchObject({ state: "SUCCEEDED" });
  expect(JSON.parse(execution?.result ?? "")).toEqual({
    plan: expect.stringMatching(/^[0-9a-f]{64}$/),
    changed: 2,
    verdict: "works",
    tries: 1,
  });
  expect((await b.health(example)).verdict).toBe("works");
});

test("onboard.yaml over the real functions: a role that somebody else made is refused by its finding", async () => {
  await b.apply(example.replace("name: acme", "name: other"));
  await deploy("onboard", {
    CROSSTRUST_HEALTH_URL: await served("health"),
    CROSSTRUST_PROVISION_URL: await served("provision"),
  });
  const execution = await scheduled("onboard");
  const { payload } = (execution?.error ?? {}) as { payload: string };
  expect(JSON.parse(payload)).toMatchObject({
    code: 73,
    tags: ["CrosstrustError", "PlanRefusedError"],
    finding: expect.stringMatching(/^[A-Z]+-/),
  });
});

test("health.yaml over the real function, links that are named: a verdict, and one line in the log", async () => {
  await b.apply(example);
  await deploy("health", { CROSSTRUST_HEALTH_URL: await served("health") });
  const execution = await scheduled("health", { links: ["reports-to-s3"] });
  const run = execution?.name.split("/").at(-1);
  expect(JSON.parse(execution?.result ?? "{}")).toEqual({
    verdict: "works",
    run,
    at: expect.any(String),
    links: 1,
    counts: { works: 1 },
    exit: 0,
  });
  expect(await logged("health")).toMatchObject([
    { severity: "INFO", jsonPayload: { event: "crosstrust.workflow", verdict: "works", run } },
  ]);
});

test("health.yaml over the real function, in parts: the same verdict and counts as one direct answer, remembered as one run", async () => {
  const text = manyLinks(12);
  await b.apply(text);
  // One link is broken behind our back.
  await b.google("DELETE", "iam/v1/projects/acme-prod/serviceAccounts/worker-7@acme-prod.iam.gserviceaccount.com");
  writeFileSync(process.env.CROSSTRUST_FILE ?? "", text);
  const direct = await b.health(text);
  const url = await served("health");
  await deploy("health", { CROSSTRUST_HEALTH_URL: url, CROSSTRUST_BATCH: "3" });
  const execution = await scheduled("health");
  const counts: Record<string, number> = {};
  for (const { verdict } of direct.links) counts[verdict] = (counts[verdict] ?? 0) + 1;
  expect(execution?.error).toBeUndefined();
  expect(JSON.parse(execution?.result ?? "{}")).toMatchObject({ verdict: direct.verdict, links: 12, counts });
});

// Five of them are broken: a divided run has to find exactly these, as one that is not divided does.
test("health.yaml over many links of the real function: the verdict of one direct run", async () => {
  const text = manyLinks(100);
  writeFileSync(process.env.CROSSTRUST_FILE ?? "", text);
  await b.apply(text, { patience: 0 });
  for (const at of [7, 33, 50, 77, 99])
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } }, `role-${at}`);
  const direct = await b.health(text);
  await deploy("health", { CROSSTRUST_HEALTH_URL: await served("health"), CROSSTRUST_BATCH: "10" });
  const execution = await scheduled("health");
  const counts: Record<string, number> = {};
  for (const { verdict } of direct.links) counts[verdict] = (counts[verdict] ?? 0) + 1;
  expect(counts).toEqual({ works: 95, [direct.verdict]: 5 });
  const result = JSON.parse(execution?.result ?? "{}");
  expect(result).toMatchObject({ verdict: direct.verdict, links: 100, counts });
});

test("health.yaml over many links: the run of its parts is the execution's id", async () => {
  const { answer } = healthFunction(230, (link) => (link === "link-9" ? "open" : "works"));
  const { url, heard } = await listener(({ method, path, body }) =>
    answer({
      method,
      query: new URL(path, "http://x").searchParams,
      body: body ? JSON.parse(body) : undefined,
    } satisfies Asked),
  );
  await deploy("health", { CROSSTRUST_HEALTH_URL: url, CROSSTRUST_BATCH: "100" });
  const execution = await scheduled("health");
  const run = execution?.name.split("/").at(-1);
  expect(JSON.parse(execution?.result ?? "{}")).toMatchObject({
    verdict: "open",
    run,
    links: 230,
    counts: { works: 229, open: 1 },
  });
  expect(heard.slice(1).map(({ body }) => JSON.parse(body).run)).toEqual([run, run, run, run]);
  expect(await logged("health")).toMatchObject([{ severity: "WARNING", jsonPayload: { verdict: "open" } }]);
});
