import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import Module from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundled, deployed } from "./support/deployed.ts";
import { eventually } from "./support/guard.ts";

// What is sent to the cloud: one folder for each function, as `npm run build` writes it.

let folder: string;
let remove: () => void;
beforeAll(async () => {
  ({ folder, remove } = await bundled());
});
afterAll(() => remove());

const read = (file: string): string => readFileSync(join(folder, file), "utf8");
const chunks = (name: string): readonly string[] => globSync("*.js", { cwd: join(folder, name) });

describe.each(["health", "provision"])("%s", (name) => {
  test("its manifest has the framework alone, no Node, and no script but the build's", () => {
    const manifest = JSON.parse(read(`${name}/package.json`));
    expect(manifest).toMatchObject({ type: "commonjs", main: "index.js", engines: { node: ">=22.18" } });
    expect(manifest.dependencies).toEqual({
      "@google-cloud/functions-framework": expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    for (const word of ["optionalDependencies", "devDependencies"]) expect(manifest).not.toHaveProperty(word);
    expect(manifest.scripts).toEqual({ "gcp-build": "node prepare.js" });
    expect(existsSync(join(folder, name, manifest.main))).toBe(true);
  });

  // Catches a sandbox that is deployed: it would be a second way to be believed.
  test("nothing of the sandbox's players, of the command line or of this machine is in it", () => {
    const text = chunks(name)
      .map((file) => read(`${name}/${file}`))
      .join("\n");
    for (const word of ["_sandbox/calls", "CertificateGenerator", "commander", "zx/core", import.meta.dirname])
      expect([word, text.includes(word)]).toEqual([word, false]);
  });

  test("what a refused call loads is small, and what is of others is named with its licence", () => {
    const loaded = (file: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(file)) return seen;
      seen.add(file);
      // Not what a function calls `require` for when it is asked.
      for (const [, next] of read(`${name}/${file}`).matchAll(/(?<!=>\s*)\brequire\(["'`]\.\/([^"'`]+)["'`]\)/g))
        loaded(next!, seen);
      return seen;
    };
    const bytes = [...loaded("index.js")].reduce((sum, file) => sum + read(`${name}/${file}`).length, 0);
    expect(bytes).toBeLessThan(20_000);
    const all = chunks(name).reduce((sum, file) => sum + read(`${name}/${file}`).length, 0);
    expect(all).toBeGreaterThan(500_000);
    const others = read(`${name}/THIRD-PARTY.txt`);
    for (const own of ["@aws-sdk/client-sts 3", "google-auth-library 10", "zod 4", "Apache License", "MIT"])
      expect(others).toContain(own);
    expect(others).not.toMatch(/AGPL|GPL-/);
  });
});

// Catches a bundle that is another one each time: every deployment would upload it anew.
test("the same sources give the same bytes", async () => {
  const again = await bundled();
  try {
    for (const name of ["health", "provision"]) {
      const files = globSync("*.{js,cjs,json,txt}", { cwd: join(again.folder, name) }).sort();
      expect(files.length).toBeGreaterThan(10);
      for (const file of files.filter((each) => !each.endsWith(".read.json")))
        expect([file, readFileSync(join(again.folder, name, file), "utf8") === read(`${name}/${file}`)]).toEqual([
          file,
          true,
        ]);
    }
  } finally {
    again.remove();
  }
});

describe("what the build prepares", () => {
  const beside = (file: string): string => join(folder, "health", file);

  test("nobody is called and nothing is said; then the function answers as before, from what was kept", async () => {
    const quiet = { PATH: process.env.PATH, HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" };
    const command = [process.execPath, "prepare.js"] as const;
    const { stdout, stderr, status } = spawnSync(command[0], [command[1]], { cwd: join(folder, "health"), env: quiet });
    expect([status, String(stdout), String(stderr)]).toEqual([0, "", ""]);
    expect(globSync("code-cache/*", { cwd: join(folder, "health") }).length).toBeGreaterThan(2);
    const { call } = await deployed(folder, "health");
    expect((await call()).headers.get("crosstrust-verdict")).toBe("works");
  });

  // Catches code that is kept before it runs, as Node's own compile cache does: functions are compiled when called.
  test("the code of a check holds the functions that ran, and V8 takes it", () => {
    const [kept = ""] = globSync("code-cache/check-*", { cwd: join(folder, "health") });
    const source = Module.wrap(readFileSync(beside(kept.slice("code-cache/".length, kept.lastIndexOf("."))), "utf8"));
    const cachedData = readFileSync(beside(kept));
    expect(cachedData.length).toBeGreaterThan(1.5 * new Script(source).createCachedData().length);
    expect(new Script(source, { cachedData }).cachedDataRejected).toBe(false);
  });

  test("a function whose kept code is spoilt answers as before", async () => {
    const [kept = ""] = globSync("code-cache/check-*", { cwd: join(folder, "health") });
    const before = readFileSync(beside(kept));
    try {
      writeFileSync(beside(kept), before.subarray(0, 1000));
      const { call } = await deployed(folder, "health");
      expect((await call()).headers.get("crosstrust-verdict")).toBe("works");
    } finally {
      writeFileSync(beside(kept), before);
    }
  });

  // Catches a function that goes on with the file of its build when another was put in its place.
  test("another file than the one that was read is read itself, and a spoilt one is an error", async () => {
    const { call } = await deployed(folder, "health");
    const text = readFileSync(beside("federation.yaml"), "utf8");
    try {
      writeFileSync(beside("federation.yaml"), text.replace("reports-to-s3", "renamed"));
      const { links } = (await (await call()).json()) as { links: readonly { link: string }[] };
      expect(links.map(({ link }) => link)).toEqual(["renamed"]);
      writeFileSync(beside("federation.yaml"), `${text}nonsense: true\n`);
      expect((await call()).status).toBe(500);
    } finally {
      writeFileSync(beside("federation.yaml"), text);
    }
  });

  test("a file with an error fails the build", () => {
    const text = readFileSync(beside("federation.yaml"), "utf8");
    try {
      writeFileSync(beside("federation.yaml"), text.replace("account: 1", "account: x"));
      const { status, stderr } = spawnSync(process.execPath, ["prepare.js"], { cwd: join(folder, "health") });
      expect([status, String(stderr)]).toEqual([1, expect.stringContaining("has errors")]);
    } finally {
      writeFileSync(beside("federation.yaml"), text);
    }
  });
});

test("under the framework: 401 without a token; with the scheduler's the verdict, then the report", async () => {
  const { url, call } = await deployed(folder, "health");
  expect((await fetch(url)).status).toBe(401);
  const checked = await call();
  expect([checked.status, checked.headers.get("crosstrust-verdict")]).toEqual([200, "works"]);
  const report = await call(undefined, { method: "GET" });
  expect([report.status, await report.text()]).toEqual([200, await checked.text()]);
});

test("a deployed function refuses the sandbox, whatever its environment says", async () => {
  const { b, call } = await deployed(folder, "health", { K_SERVICE: "health", HTTPS_PROXY: "http://127.0.0.1:9" });
  const calls = await b.callsOf(async () => {
    // Google's keys are asked for in real life, and there is no network to it.
    expect((await call()).status).toBe(500);
  });
  expect(calls.map(({ operation }) => operation)).toEqual([]);
});

test("a line for each link and one for the run, under the caller's trace, and no secret in any", async () => {
  const { b, call, lines, said } = await deployed(folder, "health");
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  expect((await call({}, { headers: { traceparent } })).status).toBe(200);
  const trace = {
    "logging.googleapis.com/trace": "projects/acme-prod/traces/0af7651916cd43dd8448eb211c80319c",
    "logging.googleapis.com/spanId": "b7ad6b7169203331",
    "logging.googleapis.com/trace_sampled": true,
  };
  const link = { event: "crosstrust.link", link: "reports-to-s3", verdict: "works", ms: expect.any(Number) };
  const run = { event: "crosstrust.health", verdict: "works", links: 1, counts: { works: 1 }, ms: expect.any(Number) };
  const wanted = [link, run].map((one) => ({ severity: "INFO", message: expect.any(String), ...one, ...trace }));
  const told = () => lines().filter(({ event }) => event !== "crosstrust.watch");
  await eventually(() => expect(told()).toMatchObject(wanted));
  for (const secret of b.sandbox.keys.issued) expect(said()).not.toContain(secret);
});

// Catches what a bundle loses: packages that are loaded late by name, and files that a package reads from its own folder.
test("a bundle has all that links to Google need: expressions are evaluated, pools are written", async () => {
  const file = join(folder, "provision", "federation.yaml");
  const before = readFileSync(file, "utf8");
  const links = readFileSync(new URL("../examples/aws-to-google.yaml", import.meta.url), "utf8");
  const own = links.replace(
    "serviceAccount: etl-sink",
    "serviceAccount: etl-sink, condition: \"assertion.arn.contains('/ec2-my-role/')\"",
  );
  writeFileSync(file, own.replace("name: acme", "name: other"));
  try {
    const { b, call } = await deployed(folder, "provision");
    const planned = (await (await call()).json()) as { fingerprint: string; changes: { verb: string }[] };
    expect(planned.changes.map(({ verb }) => verb)).toEqual(Array(5).fill("create"));
    const applied = await call({ plan: planned.fingerprint });
    expect([applied.status, await applied.json()]).toEqual([200, expect.objectContaining({ exit: 0 })]);
    expect(b.calls.map(({ operation }) => operation)).toContain("CreateWorkloadIdentityPoolProvider");
  } finally {
    writeFileSync(file, before);
  }
});
