import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bench, example, folderWith, manyLinks, reports } from "./support/bench.ts";
import { cliPath, crosstrust, stage } from "./support/cli.ts";
import { granted, killedGrant, wholeGrant, withoutMint } from "./support/grants.ts";
import { eventually } from "./support/guard.ts";
import { some } from "./support/points.ts";

// The command line where things go wrong: what it prints can be typed, what it says is so, and it can be killed.

describe("what is printed can be typed", () => {
  test("the apply that plan names, with its links and consents, is that plan", async () => {
    const { ct, b, cwd } = await stage();
    await b.apply(example);
    await b.google("DELETE", `iam/v1/projects/acme-prod/serviceAccounts/${reports}`);
    await b.google("POST", "iam/v1/projects/acme-prod/serviceAccounts", { accountId: "reports", serviceAccount: {} });
    const { out } = await ct("plan reports-to-s3 --adopt reports-to-s3");
    const typed = /apply exactly this: +crosstrust (.*)/.exec(out)?.[1] ?? "";
    expect(typed).toMatch(/^apply [0-9a-f]{16} reports-to-s3 --adopt reports-to-s3 --sandbox --file /);
    expect(typed.endsWith(` ${join(cwd, "federation.yaml")}`)).toBe(true);
    expect((await ct(typed)).exit).toBe(0);
    expect((await ct("plan")).exit).toBe(0);
  });

  test("with another file and the sandbox, the next command names both", async () => {
    const cwd = folderWith(example);
    writeFileSync(join(cwd, "it's mine.yaml"), example);
    const { out } = await crosstrust(["plan", "--sandbox", "--file", "it's mine.yaml"], { cwd });
    expect(out).toContain(` --sandbox --file '${cwd}/it'\\''s mine.yaml'`);
  });
});

describe("what did not happen is not said", () => {
  test("every write fails: nothing was done, and it does not say that nothing was to do", async () => {
    const { ct, b } = await stage();
    b.sandbox.faults.set([{ service: "google.iam", operation: "CreateServiceAccount", fault: "throttle" }]);
    b.sandbox.faults.set([
      { service: "google.iam", operation: "CreateServiceAccount", fault: "error500" },
      { service: "aws.iam", operation: "CreateRole", fault: "error500" },
    ]);
    const { exit, out } = await ct("apply --quiet");
    expect(exit).not.toBe(0);
    expect(out).toContain("nothing was done");
    expect(out).not.toContain("as the file says");
  });

  test("explain of a link whose refusals could not be told ends with 75", async () => {
    const { ct, b } = await stage();
    await b.apply(example);
    const faults = Array.from({ length: 12 }, (_, at) => ({
      ...{ service: "aws.sts", operation: "AssumeRoleWithWebIdentity", fault: "error500" as const, nth: at + 2 },
    }));
    b.sandbox.faults.set(faults);
    const { exit, out } = await ct("explain reports-to-s3");
    expect([exit, out]).toEqual([75, expect.stringContaining("could not be told")]);
    expect(out).not.toContain("turns others away");
  });

  test("whoever only looks is not asked for a consent: plan and health of a wider file end with 2", async () => {
    const { ct, b, cwd } = await stage();
    await b.apply(example);
    const more = example
      .split("\n")
      .slice(3, 7)
      .join("\n")
      .replace("reports-to-s3", "more")
      .replace("reports }", "more-reports }");
    writeFileSync(join(cwd, "federation.yaml"), example + more);
    const plan = await ct("plan");
    expect([plan.exit, plan.out]).toEqual([2, expect.stringContaining("TRUST-WIDENED")]);
    expect((await ct("health reports-to-s3")).exit).toBe(2);
    expect((await ct("apply")).exit).toBe(64);
  });
});

describe("interrupted", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s: what has begun is finished, then 130, and the next run goes on",
    async (signal) => {
      const b = await bench();
      const cwd = folderWith(manyLinks(5));
      b.sandbox.faults.set([{ service: "google.iam", operation: "CreateServiceAccount", fault: "slow", seconds: 600 }]);
      const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
      const stdio = ["ignore", "ignore", "pipe"] as const;
      const child = spawn(process.execPath, [cliPath, "apply", "--quiet"], { cwd, env, stdio: [...stdio] });
      const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
      const heard = new Promise((resolve) => child.stderr?.once("data", resolve));
      await eventually(() => expect(b.sandbox.faults.holding).toBeGreaterThan(0));
      child.kill(signal);
      await heard;
      b.sandbox.faults.set([]);
      expect(await ended).toBe(130);
      const { plan } = await b.plan(manyLinks(5));
      expect(plan.changes.filter(({ cause }) => cause === "drifted" || cause === "both")).toEqual([]);
      await b.apply(manyLinks(5));
      expect((await b.plan(manyLinks(5))).plan.changes.every(({ verb }) => verb === "keep")).toBe(true);
    },
  );
});

describe("--grant-me, killed", () => {
  // All calls are tried by `npm run figures`.
  test("what a killed run granted is taken back by the next one", async () => {
    const b = await bench();
    const cwd = folderWith(example);
    await b.apply(example);
    withoutMint(b);
    const { exit, points, grant } = await wholeGrant(b, cwd);
    expect([exit, await granted(b)]).toEqual([0, undefined]);
    expect(grant && (await killedGrant(b, { cwd, kill: grant }))).toEqual({ between: true, left: undefined });
    for (const kill of some(points, 3))
      expect([kill.at, (await killedGrant(b, { cwd, kill })).left]).toEqual([kill.at, undefined]);
  });
});

describe("one line for the aws CLI", () => {
  test.each([
    ["a bad file", example.replace("links:", "linkz:\n  x: y\nlinks:"), 65, /federation\.yaml:3:1 unknown key linkz/],
    ["no file", "", 65, /is empty|cannot be read/],
  ])("credentials with %s", async (_, text, code, says) => {
    const { exit, out, err } = await crosstrust("credentials reports-to-s3 --sandbox", { cwd: folderWith(text) });
    expect([exit, out]).toEqual([code, ""]);
    expect(err).toMatch(says);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});
