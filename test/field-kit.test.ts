import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agrees, type Expected } from "../scripts/field-kit/probe.ts";
import { probes } from "../scripts/field-kit/probes.ts";
import type { Outcome } from "../scripts/field-kit/run.ts";
import { type Bench, bench } from "./support/bench.ts";

// The field kit, rehearsed whole: whoever has real accounts runs it once, so it has to work the first time.

const script = join(import.meta.dirname, "..", "scripts", "field-kit.ts");
const folder = mkdtempSync(join(tmpdir(), "crosstrust-field-kit-"));

interface Ran {
  readonly exit: number | null;
  readonly said: string;
  readonly report: { probes: readonly Outcome[]; left: readonly string[]; exit: number };
  readonly text: string;
}

/** Runs the script against a sandbox; `until` says, of what it has said so far, when it gets a signal. */
function run(b: Bench, words: readonly string[], stop?: { signal: NodeJS.Signals; after: RegExp }): Promise<Ran> {
  const output = join(folder, `${Math.random().toString(36).slice(2)}.json`);
  const given = ["--project", "field-kit-project", "--account", "111122223333", "--output", output, ...words];
  const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
  const child = spawn(process.execPath, [script, ...given], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  let stopped = false;
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (!stopped && stop?.after.test(said)) stopped = child.kill(stop.signal);
  });
  return new Promise((resolve) => {
    child.on("close", (exit) => {
      // It may have ended before there was anything to write.
      const text = existsSync(output) ? readFileSync(output, "utf8") : "{}";
      resolve({ exit, said, text, report: JSON.parse(text) });
    });
  });
}

/** What of the kit stands in the sandbox; a deleted pool keeps its id, as in life. */
const standing = ({ sandbox }: Bench): readonly string[] =>
  sandbox.state
    .list<{ readonly deletedAt?: number }>("")
    .filter(
      ([key]) => /^(aws\.(role|policy|managed|oidc)|google\.(account|pool)\/)/i.test(key) && key.includes("field-kit-"),
    )
    .filter(([, { deletedAt }]) => deletedAt === undefined)
    .map(([key]) => key);

/** Where the sandbox is known to answer something else than what is expected of the clouds. */
const known: readonly string[] = [
  "google/subject-claim-absent",
  "google/subject-that-is-no-text",
  "aws/role-arn-that-is-none",
  "aws/session-policy-that-is-none",
  "aws/shared-issuer-without-subject",
];

describe("the field kit in the sandbox", () => {
  test("asks every probe, gets an answer to each, and leaves nothing behind", async () => {
    const b = await bench();
    const { exit, report, said, text } = await run(b, ["--yes"]);
    expect(exit, said).toBe(0);
    expect(report.probes.map(({ id }) => id)).toEqual(probes.map(({ id }) => id));
    expect(report.probes.filter(({ agrees }) => agrees === "not asked")).toEqual([]);
    const differing = report.probes.filter(({ agrees }) => agrees === false).map(({ id }) => id);
    expect(differing.filter((id) => !known.includes(id))).toEqual([]);
    expect(report.left).toEqual([]);
    expect(standing(b)).toEqual([]);
    // Nothing that was issued, and nobody's project or account, is in the file that is sent in.
    for (const secret of await issued(b)) expect(text).not.toContain(secret);
    expect(text).not.toMatch(/eyJ|field-kit-project|111122223333/);
    // Each write was told before it was made.
    const writes = said.match(/^ {2}(create|let|disable|try) /gm) ?? [];
    expect(writes.length).toBeGreaterThan(20);
  });

  test.each([
    ["the pool", /agrees +google\/issuer/],
    ["an account and a role", /aws\/role-that-is-not-there +403/],
    ["the OIDC provider", /create the OIDC provider/],
  ])("a run that is killed after it made %s is cleaned up after by the next one", async (_, after) => {
    const b = await bench();
    const killed = await run(b, ["--yes"], { signal: "SIGKILL", after });
    expect(killed.exit).toBe(null);
    expect(standing(b)).not.toEqual([]);
    const again = await run(b, ["--yes", "--only", "google/workload-identity-user-holds"]);
    expect(again.exit, again.said).toBe(0);
    expect(again.said).toContain("an earlier run left these");
    expect(standing(b)).toEqual([]);
  });

  test("an interrupt ends the questions and removes what was made", async () => {
    const b = await bench();
    const { exit, report, said } = await run(b, ["--yes"], {
      signal: "SIGINT",
      after: /agrees +google\/custom-claim/,
    });
    expect(exit, said).toBe(130);
    expect(standing(b)).toEqual([]);
    expect(report.left).toEqual([]);
    expect(report.probes.at(-1)).toMatchObject({ agrees: "not asked" });
  });

  test("makes nothing where nobody is there to agree", async () => {
    const b = await bench();
    const { exit, said } = await run(b, []);
    expect(exit).toBe(64);
    expect(said).toContain("google/custom-claim-absent");
    expect(standing(b)).toEqual([]);
  });

  test("asks the probes that --only begins to name, and refuses a name that there is not", async () => {
    const b = await bench();
    const { report } = await run(b, ["--yes", "--only", "google/cel-"]);
    expect(report.probes.map(({ id }) => id)).toEqual([
      "google/cel-lower-ascii",
      "google/cel-replace",
      "google/cel-substring",
    ]);
    expect((await run(b, ["--yes", "--only", "google/nothing"])).exit).toBe(64);
  });
});

async function issued(b: Bench): Promise<readonly string[]> {
  const answer = await fetch(`${b.url}/_sandbox/issued`);
  const secrets = (await answer.json()) as readonly string[];
  expect(secrets.length).toBeGreaterThan(10);
  return secrets;
}

describe("probes", () => {
  test("there are 25 to 40, each with a name of its own", () => {
    expect(probes.length).toBeGreaterThanOrEqual(25);
    expect(probes.length).toBeLessThanOrEqual(40);
    expect(new Set(probes.map(({ id }) => id)).size).toBe(probes.length);
  });

  test.each<[string, Expected, boolean]>([
    ["another status", { status: 200 }, false],
    ["another code", { status: 400, code: "b" }, false],
    ["another text", { status: 400, code: "a", message: "other" }, false],
    ["a part of the text", { status: 400, code: "a", message: "part" }, true],
    ["another thing seen", { status: 400, saw: { x: 2 } }, false],
    ["the thing seen", { status: 400, saw: { x: 1 } }, true],
  ])("an answer is held against %s", (_, expected, wanted) => {
    expect(agrees(expected, { status: 400, code: "a", message: "a part of it", saw: { x: 1 } })).toBe(wanted);
  });
});
