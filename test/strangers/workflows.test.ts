import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { bench, example, folderWith } from "../support/bench.ts";
import { environmentOf, run } from "../support/cli.ts";
import { listener } from "../support/listener.ts";
import { witnessed } from "../support/witness.ts";

// The unmodified gcloud deploys, runs and schedules workflows in the sandbox.

const account = "flow-runner@acme-prod.iam.gserviceaccount.com";
const place = ["--location=us-central1"];

async function stage() {
  const b = await bench();
  const folder = folderWith(example);
  const env = await environmentOf(b.url, folder);
  const gcloud = (...words: string[]) => run("gcloud", [...words, "--format=json", "--quiet"], { env, cwd: folder });
  const grant = async (...roles: string[]) => {
    for (const role of roles)
      await gcloud(
        "projects",
        "add-iam-policy-binding",
        "acme-prod",
        `--member=serviceAccount:${account}`,
        `--role=${role}`,
      );
  };
  await gcloud("services", "enable", "workflows.googleapis.com", "workflowexecutions.googleapis.com");
  await gcloud("iam", "service-accounts", "create", "flow-runner");
  const source = (text: string): string => {
    writeFileSync(join(folder, "flow.yaml"), text);
    return "--source=flow.yaml";
  };
  return { b, gcloud, grant, source };
}

const greeting = `main:
  params: [args]
  steps:
    - ask:
        call: http.post
        args:
          url: \${sys.get_env("TARGET")}
          auth: {type: OIDC}
          timeout: 900
          body: {name: "\${args.name}"}
        result: answer
    - note:
        call: sys.log
        args:
          severity: NOTICE
          json: {event: greeted}
    - out:
        return: \${answer.body.says}
`;

describe("gcloud", () => {
  witnessed("gcloud")("deploys, runs, describes, redeploys and deletes a workflow", async () => {
    const { gcloud, grant, source } = await stage();
    const { url, heard } = await listener(({ body }) => ({
      status: 200,
      body: { says: `hello ${JSON.parse(body).name}` },
    }));
    await grant("roles/logging.logWriter");
    const deploy = (...more: string[]) => gcloud("workflows", "deploy", "hello", ...place, ...more);
    const words = [`--service-account=${account}`, `--set-env-vars=TARGET=${url}`, "--call-log-level=log-errors-only"];
    const made = await deploy(source(greeting), ...words);
    expect([made.exit, made.err.includes("done")]).toEqual([0, true]);
    expect(JSON.parse(made.out)).toMatchObject({
      state: "ACTIVE",
      revisionId: expect.stringMatching(/^000001-[0-9a-f]{3}$/),
    });
    const ran = await gcloud("workflows", "run", "hello", ...place, '--data={"name": "you"}');
    expect(JSON.parse(ran.out)).toMatchObject({
      state: "SUCCEEDED",
      result: '"hello you"',
      argument: '{"name": "you"}',
    });
    expect(heard[0]?.headers.authorization).toMatch(/^Bearer ey/);
    const { name } = JSON.parse(ran.out);
    const described = await gcloud(
      "workflows",
      "executions",
      "describe",
      name.split("/").at(-1),
      "--workflow=hello",
      ...place,
    );
    expect(JSON.parse(described.out)).toMatchObject({ name, workflowRevisionId: expect.stringMatching(/^000001/) });
    const logs = await gcloud(
      "logging",
      "read",
      'resource.type="workflows.googleapis.com/Workflow" AND severity>=NOTICE',
    );
    expect(JSON.parse(logs.out)).toMatchObject([{ jsonPayload: { event: "greeted" }, severity: "NOTICE" }]);
    // Another description is no other revision, another source is.
    const revision = async () => JSON.parse((await gcloud("workflows", "describe", "hello", ...place)).out).revisionId;
    expect((await deploy("--description=says hello")).exit).toBe(0);
    expect(await revision()).toMatch(/^000001/);
    expect((await deploy(source(greeting.replace("NOTICE", "INFO")))).exit).toBe(0);
    expect(await revision()).toMatch(/^000002/);
    expect(JSON.parse((await gcloud("workflows", "list", ...place)).out)).toHaveLength(1);
    expect((await gcloud("workflows", "delete", "hello", ...place)).exit).toBe(0);
    expect((await gcloud("workflows", "describe", "hello", ...place)).err).toContain("NOT_FOUND");
  });

  witnessed("gcloud")("is told what is wrong with a source, and of a run that fails", async () => {
    const { gcloud, source } = await stage();
    const deploy = (text: string) =>
      gcloud("workflows", "deploy", "bad", ...place, source(text), `--service-account=${account}`);
    const refused = await deploy(
      "main:\n  steps:\n    - a:\n        call: googleapis.iam.v1.anything\n        next: b\n",
    );
    expect(refused.exit).toBe(1);
    expect(refused.err).toContain("the connector googleapis.iam.v1.anything is not played");
    expect(refused.err).toContain("there is no step b to go to");
    expect((await deploy("main:\n  steps:\n    - a:\n        raise: {code: 424, message: no}\n")).exit).toBe(0);
    const ran = await gcloud("workflows", "run", "bad", ...place);
    const execution = JSON.parse(ran.out);
    expect(execution).toMatchObject({
      state: "FAILED",
      error: { context: 'no\nin step "a", routine "main", line: 3' },
    });
    expect(JSON.parse(execution.error.payload)).toEqual({ code: 424, message: "no" });
  });

  witnessed("gcloud")(
    "schedules a workflow with an OAuth token, and changes, pauses, lists and deletes the job",
    async () => {
      const { gcloud, grant, source } = await stage();
      await gcloud(
        "workflows",
        "deploy",
        "tick",
        ...place,
        source("- a:\n    return: ${1 + 1}\n"),
        `--service-account=${account}`,
      );
      const uri =
        "https://workflowexecutions.googleapis.com/v1/projects/acme-prod/locations/us-central1/workflows/tick/executions";
      const job = (verb: string, ...more: string[]) =>
        gcloud("scheduler", "jobs", ...verb.split(" "), "every-hour", ...place, ...more);
      const words = [
        "--schedule=7 * * * *",
        `--uri=${uri}`,
        "--http-method=post",
        "--message-body={}",
        "--headers=Content-Type=application/json",
      ];
      expect((await job("create http", ...words, `--oauth-service-account-email=${account}`)).exit).toBe(0);
      const state = async () => JSON.parse((await job("describe")).out);
      // Not allowed yet, and then it is.
      expect((await job("run")).exit).toBe(0);
      expect((await state()).status).toEqual({ code: 7 });
      await grant("roles/workflows.invoker");
      expect((await job("run")).exit).toBe(0);
      expect((await state()).status).toEqual({ code: 0 });
      const listed = await gcloud("workflows", "executions", "list", "tick", ...place);
      expect(JSON.parse(listed.out)).toMatchObject([{ state: "SUCCEEDED" }]);
      expect((await job("update http", "--schedule=9 * * * *", "--max-retry-attempts=3")).exit).toBe(0);
      expect(await state()).toMatchObject({
        schedule: "9 * * * *",
        retryConfig: { retryCount: 3 },
        httpTarget: { uri, oauthToken: { serviceAccountEmail: account } },
      });
      expect((await job("pause")).exit).toBe(0);
      expect((await state()).state).toBe("PAUSED");
      expect((await job("resume")).exit).toBe(0);
      expect(JSON.parse((await gcloud("scheduler", "jobs", "list", ...place)).out)).toHaveLength(1);
      expect((await job("delete")).exit).toBe(0);
      expect((await job("describe")).err).toContain("NOT_FOUND");
    },
  );
});
