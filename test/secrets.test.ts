import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import type { FaultRule } from "../src/sandbox/faults.ts";
import { bench, example, folderWith } from "./support/bench.ts";
import { crosstrust, type Ran } from "./support/cli.ts";

// Every secret the sandbox issued, searched for in everything a user, a log or a file could show, in five encodings
// (fact sheet reliability-and-security, figure F8). Catches one printed error object, one verbose flag, one cache.

const encodings = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString("base64"),
    bytes.toString("base64url"),
    encodeURIComponent(secret),
    secret.slice(0, 20),
  ];
};

/** The signature part alone makes a token: its beginning may be public. */
const needles = (issued: readonly string[]): readonly string[] =>
  [...new Set(issued)].flatMap((secret) =>
    encodings(secret.startsWith("eyJ") ? (secret.split(".")[2] ?? secret) : secret).filter((text) => text.length >= 16),
  );

const leaks = (issued: readonly string[], text: string): readonly string[] =>
  needles(issued).filter((needle) => text.includes(needle));

test("the search finds a leak", () => {
  const secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
  expect(leaks([secret], `error: ${Buffer.from(secret).toString("base64")}`).length).toBeGreaterThan(0);
});

test("no command shows a secret, whatever goes wrong", async () => {
  const b = await bench();
  const cwd = folderWith(example);
  const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
  const ran: Ran[] = [];
  const ct = async (words: string) => void ran.push(await crosstrust(words, { cwd, env }));
  for (const words of [
    "plan",
    "apply",
    "apply --json",
    "health --json",
    "explain reports-to-s3",
    "token reports-to-s3",
    "token reports-to-s3 --json",
  ])
    await ct(words);
  const kinds: readonly FaultRule["fault"][] = ["error500", "truncate", "empty", "html", "reset"];
  for (const fault of kinds) {
    for (const service of ["google.iamcredentials", "aws.sts", "aws.iam", "google.iam"]) {
      b.sandbox.faults.set([{ service, operation: "*", fault }]);
      await ct(service === "aws.sts" ? "health" : "explain reports-to-s3");
    }
    b.sandbox.faults.set([{ service: "aws.sts", operation: "AssumeRoleWithWebIdentity", fault }]);
    await ct("credentials reports-to-s3");
  }
  b.sandbox.faults.set([]);
  await ct("destroy");
  const { issued } = b.sandbox.keys;
  expect(issued.length).toBeGreaterThan(50);
  const text = ran.map(({ out, err }) => out + err).join("\n");
  expect(text.length).toBeGreaterThan(5000);
  expect(leaks(issued, text)).toEqual([]);
});

test("credentials and token --raw show exactly what they are for, on stdout alone", async () => {
  const b = await bench();
  await b.apply(example);
  const cwd = folderWith(example);
  const env = { ...process.env, CROSSTRUST_SANDBOX: b.url };
  const { out, err, exit } = await crosstrust("credentials reports-to-s3", { cwd, env });
  expect([exit, err, Object.keys(JSON.parse(out))]).toEqual([
    0,
    "",
    ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"],
  ]);
  expect(JSON.parse(out)).toMatchObject({
    Version: 1,
    Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  const raw = await crosstrust("token reports-to-s3 --raw", { cwd, env });
  expect([raw.exit, raw.err, raw.out.trim().split(".").length]).toEqual([0, "", 3]);
  b.sandbox.state.delete("aws.role/111122223333/reports-reader");
  const failed = await crosstrust("credentials reports-to-s3", { cwd, env });
  expect([failed.exit, failed.out, failed.err.trim().split("\n").length]).toEqual([3, "", 1]);
});

test("an error that leaves a call holds no secret, however deep one looks", async () => {
  const b = await bench();
  await b.apply(example);
  b.sandbox.faults.set([{ service: "aws.sts", operation: "*", fault: "truncate" }]);
  const { callerIdentity } = await import("../src/parties/aws/exchange.ts");
  const world = b.world();
  const session = await world.credentials({ party: "aws", scope: "111122223333" });
  const error = await callerIdentity(world, { account: "111122223333" }, session).catch((thrown: unknown) => thrown);
  const seen = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error) + String((error as Error).stack);
  expect(leaks(b.sandbox.keys.issued, seen)).toEqual([]);
  expect((error as Error).cause).toBeUndefined();
});

test("files: the sandbox keeps its keys 0600, and nothing else holds a secret", async () => {
  const cwd = folderWith(example);
  await crosstrust("apply --sandbox", { cwd });
  await crosstrust("health --sandbox", { cwd });
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const open = files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => (statSync(file).mode & 0o077) !== 0);
  expect(open.every((file) => /federation\.yaml$|\.gitignore$/.test(file))).toBe(true);
  const text = files
    .filter(({ name }) => name !== "keys.json")
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"))
    .join("\n");
  expect(text).not.toMatch(/ya29\.|eyJ[\w-]{10,}\.|PRIVATE KEY|IQoJsandbox/);
});
