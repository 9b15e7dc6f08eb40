import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { bench, example, folderWith } from "./support/bench.ts";
import { cliPath, run } from "./support/cli.ts";
import { witnessed } from "./support/witness.ts";

const root = join(import.meta.dirname, "..");
const script = join(root, "action", "run.js");
const action = parse(readFileSync(join(root, "action.yml"), "utf8"));

interface Played {
  readonly event: string;
  readonly payload: object;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly api?: string;
  readonly sandbox?: string;
}

/** Runs the action's script as a runner does: inputs and the event in variables, outputs and the summary in files. */
async function play({ event, payload, inputs = {}, text = example, api = "http://127.0.0.1:1", sandbox }: Played) {
  const cwd = folderWith(text);
  const bin = join(cwd, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "crosstrust"), `#!/bin/sh\nexec "${process.execPath}" "${cliPath}" "$@"\n`);
  chmodSync(join(bin, "crosstrust"), 0o755);
  const files = { event: join(cwd, "event.json"), output: join(cwd, "output"), summary: join(cwd, "summary.md") };
  writeFileSync(files.event, JSON.stringify(payload));
  for (const file of [files.output, files.summary]) writeFileSync(file, "");
  const defaults: Record<string, string> = {};
  for (const [name, { default: value = "" }] of Object.entries<{ default?: string }>(action.inputs))
    defaults[`INPUT_${name.toUpperCase()}`] = value;
  const given = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
  );
  const ran = await run(process.execPath, [script], {
    cwd,
    env: {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      ...(sandbox ? { CROSSTRUST_SANDBOX: sandbox } : {}),
      GITHUB_EVENT_NAME: event,
      GITHUB_EVENT_PATH: files.event,
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_API_URL: api,
      GITHUB_REPOSITORY: "acme/app",
      ...defaults,
      INPUT_TOKEN: "a-token-for-comments",
      ...given,
    },
  });
  const outputs = [...readFileSync(files.output, "utf8").matchAll(/^(\w+)<<(\S+)\n([\s\S]*?)\n\2$/gm)];
  return {
    ...ran,
    cwd,
    outputs: Object.fromEntries(outputs.map(([, name, , value]) => [name, value])),
    summary: readFileSync(files.summary, "utf8"),
  };
}

const request = (from: string) => ({
  pull_request: { number: 7, head: { repo: { full_name: from } }, base: { repo: { full_name: "acme/app" } } },
});

/** An API that takes comments, and what it was sent. */
async function comments(there: readonly object[]) {
  const sent: { method?: string; url?: string; body: string; authorization?: string }[] = [];
  const server = createServer(async (asked, answer) => {
    let body = "";
    for await (const chunk of asked) body += chunk;
    const { method, url, headers } = asked;
    sent.push({ method: method ?? "", url: url ?? "", body, authorization: headers.authorization ?? "" });
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify(method === "GET" ? there : {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  onTestFinished(() => void server.close());
  return { sent, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe("the action", () => {
  test.each(["pull_request_target", "workflow_run", "issue_comment"])(
    "refuses %s before it runs anything",
    async (event) => {
      const ran = await play({ event, payload: request("stranger/app") });
      expect([ran.exit, ran.out, ran.outputs]).toEqual([1, expect.stringContaining("::error::"), {}]);
    },
  );

  test("a pull request: lint and plan, in the summary and among the outputs, and no health", async () => {
    const { exit, outputs, summary, out } = await play({
      event: "pull_request",
      payload: request("acme/app"),
      inputs: { health: "true" },
    });
    expect([exit, outputs]).toEqual([
      0,
      { lint: "0", plan: "2", fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    expect(summary).toContain("### crosstrust plan: 2 to create");
    expect(out).toContain("::notice::health is not run for a pull request");
  });

  test("a pull request from a fork is planned in the sandbox, whatever the input says", async () => {
    const { exit, summary } = await play({
      event: "pull_request",
      payload: request("stranger/app"),
      inputs: { plan: "cloud" },
    });
    expect([exit, summary]).toEqual([0, expect.stringContaining("in the sandbox")]);
  });

  test("the comment is written once and then changed, with the token, which crosstrust never sees", async () => {
    const first = await comments([{ id: 1, body: "looks good", user: { type: "User" } }]);
    const pull = { event: "pull_request", payload: request("acme/app"), inputs: { comment: "true" } };
    expect((await play({ ...pull, api: first.url })).exit).toBe(0);
    expect(first.sent.map(({ method }) => method)).toEqual(["GET", "POST"]);
    expect(first.sent[1]?.authorization).toBe("Bearer a-token-for-comments");
    expect(JSON.parse(first.sent[1]?.body ?? "").body).toMatch(/^<!-- crosstrust -->\n### crosstrust plan/);
    // Somebody who copies our mark into a comment does not get it changed.
    const there = [
      { id: 2, body: "<!-- crosstrust -->\nold", user: { type: "User" } },
      { id: 3, body: "<!-- crosstrust -->\nold", user: { type: "Bot" } },
    ];
    const next = await comments(there);
    await play({ ...pull, api: next.url });
    expect(next.sent.map(({ method, url }) => [method, url])).toEqual([
      ["GET", "/repos/acme/app/issues/7/comments?per_page=100"],
      ["PATCH", "/repos/acme/app/issues/comments/3"],
    ]);
  });

  test("a comment that cannot be written is a warning, and loses nothing", async () => {
    const { exit, out, summary } = await play({
      event: "pull_request",
      payload: request("acme/app"),
      inputs: { comment: "true" },
    });
    expect([exit, out, summary]).toEqual([
      0,
      expect.stringContaining("::warning::"),
      expect.stringContaining("### crosstrust plan"),
    ]);
  });

  test("a file with errors fails, is in the summary and in SARIF, and nothing is planned", async () => {
    const { exit, outputs, summary, cwd } = await play({
      event: "pull_request",
      payload: request("acme/app"),
      text: example.replace("account: 111122223333", "account: 1111"),
      inputs: { sarif: "lint.sarif" },
    });
    expect([exit, outputs]).toEqual([1, { lint: "65" }]);
    expect(summary).toContain("federation.yaml:");
    const log = z.object({ runs: z.array(z.object({ results: z.array(z.unknown()).min(1) })) });
    log.parse(JSON.parse(readFileSync(join(cwd, "lint.sarif"), "utf8")));
  });

  test("a scheduled run proves every link; drift fails it, or is told", async () => {
    const { url } = await bench();
    const scheduled = { event: "schedule", payload: {}, sandbox: url, inputs: { health: "true", plan: "cloud" } };
    const absent = await play(scheduled);
    expect([absent.exit, absent.outputs.health]).toEqual([1, "2"]);
    const told = await play({ ...scheduled, inputs: { ...scheduled.inputs, drift: "tell" } });
    expect([told.exit, told.outputs.health]).toEqual([0, "2"]);
    expect(told.summary).toContain("### crosstrust health");
  });

  test("an input that is misspelt is refused, and does not leave a check out", async () => {
    const ran = await play({ event: "schedule", payload: {}, inputs: { health: "yes" } });
    expect([ran.exit, ran.out]).toEqual([1, expect.stringContaining("the input health takes true or false")]);
  });

  test("action.yml hands each input to the script by a variable, and no expression stands in a command", () => {
    const steps: readonly { run?: string; env?: Record<string, string> }[] = action.runs.steps;
    for (const { run: command = "" } of steps) expect(command).not.toContain("${{");
    const handed = steps.flatMap(({ env = {} }) => Object.values(env));
    for (const name of Object.keys(action.inputs)) expect(handed).toContain(`\${{ inputs.${name} }}`);
    for (const { description } of Object.values<{ description?: string }>({ ...action.inputs, ...action.outputs }))
      expect(description).toMatch(/\.$/);
  });
});

describe("recipes", () => {
  const recipe = /```sh\n(set -e\n[\s\S]*?)```/.exec(readFileSync(join(root, "docs", "ci.md"), "utf8"))?.[1] ?? "";

  witnessed("aws")("the one for any shell reports health under bash -e with drift present", async () => {
    const { url } = await bench();
    const cwd = folderWith(example);
    const env = { ...process.env, CROSSTRUST_SANDBOX: url };
    const shell = (text: string) =>
      run("bash", ["-e", "-c", `crosstrust() { "${process.execPath}" "${cliPath}" "$@"; }\n${text}`], { cwd, env });
    expect((await shell("crosstrust apply --quiet")).exit).toBe(0);
    const drift = `crosstrust sandbox exec -- sh -c 'aws iam detach-role-policy --role-name reports-reader --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'`;
    expect((await shell(drift)).exit).toBe(0);
    const ran = await shell(recipe);
    expect([ran.exit, ran.out]).toEqual([0, expect.stringContaining("1 drifted")]);
  });

  test("the jobs for GitLab name commands and options that exist", async () => {
    const jobs = parse(readFileSync(join(root, "examples", "ci", "gitlab.yml"), "utf8"));
    const lines: readonly string[] = Object.values<{ script?: string[] }>(jobs).flatMap(({ script: own = [] }) => own);
    const cwd = folderWith(example);
    for (const line of lines.filter((one) => one.startsWith("crosstrust "))) {
      const words = line.replace(" || true", "").split(" ").slice(1);
      const { exit, err } = await run(process.execPath, [cliPath, ...words, "--sandbox"], { cwd });
      expect([line, [0, 2].includes(exit ?? -1), /error:/.test(err)]).toEqual([line, true, false]);
    }
  });
});
