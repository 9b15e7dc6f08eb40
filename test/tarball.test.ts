import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { parse } from "acorn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Ran, run } from "./support/cli.ts";
import { has, witnessed } from "./support/witness.ts";

// What `npm publish` would publish is packed, installed where nothing of this checkout answers, and used from there.

const root = join(import.meta.dirname, "..");
const checkoutTools = join(root, "node_modules", ".bin");
const versions = { "Node 22": "22.23.5", "Node 24": "24.21.0" };
const prefix = mkdtempSync(join(tmpdir(), "crosstrust-tarball-"));
const installed = join(prefix, "global", "lib", "node_modules", "crosstrust");
const read = (file: string) => JSON.parse(readFileSync(file, "utf8"));

/** What a user's shell has: nothing that leads back into this checkout. */
const surroundings = (...first: readonly string[]): NodeJS.ProcessEnv => {
  const path = (process.env.PATH ?? "").split(delimiter).filter((one) => !one.startsWith(root));
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...rest } = process.env;
  const own = Object.fromEntries(Object.entries(rest).filter(([name]) => !/^(npm_|VITEST|TEST|NODE_ENV)/i.test(name)));
  return { ...own, HOME: join(prefix, "home"), PATH: [...first, ...path].join(delimiter) };
};

const npm = (words: readonly string[], cwd = prefix) =>
  execFileSync("npm", [...words, "--no-audit", "--no-fund", "--loglevel=error"], {
    ...{ cwd, encoding: "utf8" as const },
    env: { ...process.env, PATH: `${checkoutTools}${delimiter}${process.env.PATH}` },
  });

beforeAll(() => {
  mkdirSync(join(prefix, "home"));
  npm(["run", "build", "--silent"], root);
  const tarball = npm(["pack", join(root, "dist"), "--silent"]).trim();
  npm(["install", "--global", "--prefix", join(prefix, "global"), join(prefix, tarball)]);
});
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

describe("what is installed", () => {
  test("brings no Node, no script that runs at installation, and less than 60 MB", () => {
    const manifest = read(join(installed, "package.json"));
    expect(manifest).toMatchObject({ name: "crosstrust", engines: { node: ">=22.18" } });
    for (const word of ["private", "optionalDependencies", "devDependencies", "scripts", "overrides"])
      expect(manifest).not.toHaveProperty(word);
    const manifests = globSync(join(installed, "node_modules", "**", "package.json")).map(read);
    expect(manifests.length).toBeGreaterThan(10);
    const scripts = ["preinstall", "install", "postinstall"];
    const running = manifests.filter((one) => scripts.some((script) => one.scripts?.[script] !== undefined));
    expect(running.map(({ name }) => name)).toEqual([]);
    const sizes = globSync(join(installed, "**"), { withFileTypes: true }).filter((one) => one.isFile());
    const bytes = sizes.reduce((sum, one) => sum + statSync(join(one.parentPath, one.name)).size, 0);
    expect(bytes).toBeLessThan(60_000_000);
  });

  test("imports nothing that its manifest does not name", () => {
    const { dependencies } = read(join(installed, "package.json"));
    const asked = globSync(join(installed, "{bin,src}", "*.{js,cjs}")).flatMap(packagesIn);
    // An implementation of SigV4a that the SDK takes where somebody installed it, and says so where nobody did.
    const optional = ["@aws-sdk/signature-v4a"];
    expect([...new Set(asked)].filter((name) => !(name in dependencies) && !optional.includes(name))).toEqual([]);
  });

  test("names what is bundled: licences, a bill of materials, and locks for what is sent to the cloud", () => {
    const bundled = readFileSync(join(installed, "THIRD-PARTY.txt"), "utf8");
    for (const name of ["zod", "commander", "jose", "@aws-sdk/client-iam", "google-auth-library"])
      expect(bundled).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ {3}\\S+`, "m"));
    const bill = read(join(installed, "sbom.json"));
    const listed = bill.components.map(({ name }: { name: string }) => name);
    expect(listed).toEqual(expect.arrayContaining(["zod", "jose", "express"]));
    expect(listed).not.toContain("vitest");
    for (const name of ["health", "provision"]) {
      const folder = join(installed, "functions", name);
      const [manifest, lock] = [read(join(folder, "package.json")), read(join(folder, "package-lock.json"))];
      expect(lock.packages[""].dependencies).toEqual(manifest.dependencies);
      for (const [path, { integrity, resolved }] of Object.entries<Record<string, string>>(lock.packages))
        if (path !== "") expect([path, integrity !== undefined, resolved]).toEqual([path, true, undefined]);
    }
  });

  test("the lock of a function is one that npm installs from", () => {
    const folder = join(prefix, "locked");
    mkdirSync(folder);
    for (const file of ["package.json", "package-lock.json"])
      cpSync(join(installed, "functions", "health", file), join(folder, file));
    // Fails where manifest and lock do not belong together, or a package is missing.
    npm(["ci", "--ignore-scripts"], folder);
    expect(read(join(folder, "node_modules", "@google-cloud", "functions-framework", "package.json")).version).toBe(
      read(join(root, "package.json")).dependencies["@google-cloud/functions-framework"],
    );
  });
});

/** The packages that a file of JavaScript names in an import or a require; whatever it computes is not seen. */
function packagesIn(file: string): readonly string[] {
  const names: string[] = [];
  const look = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) look(one);
    if (typeof node !== "object" || node === null || !("type" in node)) return;
    const { source, callee, arguments: given } = node as Record<string, { value?: unknown; name?: string }>;
    const required = callee?.name === "require" && Array.isArray(given) ? given[0]?.value : undefined;
    for (const name of [source?.value, required]) if (typeof name === "string") names.push(name);
    for (const part of Object.values(node)) look(part);
  };
  look(parse(readFileSync(file, "utf8").replace(/^#!.*/, ""), { ecmaVersion: "latest", sourceType: "module" }));
  return names
    .filter((name) => !/^[./]/.test(name) && !name.startsWith("node:") && !builtinModules.includes(name))
    .map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"));
}

test("a clone is installed as it stands, and answers in another folder", () => {
  const own = join(prefix, "clone");
  npm(["install", "--global", "--ignore-scripts", "--prefix", own, "."], root);
  const version = execFileSync(join(own, "bin", "crosstrust"), ["--version"], { cwd: tmpdir(), encoding: "utf8" });
  expect(version.trim()).toBe(read(join(root, "package.json")).version);
});

/** Whether containers can be built here: the program is there, and what it asks answers. */
const canBuild = has("docker") && spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
if (!canBuild) process.stderr.write("SKIPPED: the container image, no docker runs here\n");
test.skipIf(!canBuild)("a container runs it as nobody, on a file system that it cannot write", () => {
  const context = join(prefix, "image");
  mkdirSync(context);
  for (const file of [...globSync(join(prefix, "crosstrust-*.tgz")), join(root, "Dockerfile")])
    cpSync(file, join(context, basename(file)));
  const docker = (...words: string[]) => execFileSync("docker", words, { cwd: context, encoding: "utf8" });
  docker("build", "--quiet", "--tag", "crosstrust-test", ".");
  const examples = `${join(root, "examples")}:/files:ro`;
  const inside = ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--volume", examples];
  expect(docker(...inside, "--entrypoint", "id", "crosstrust-test", "-u").trim()).toBe("1000");
  expect(docker(...inside, "crosstrust-test", "lint", "--file", "google-to-aws.yaml")).toContain("no errors");
});

describe.each(Object.entries(versions))("installed, on %s", (name, version) => {
  const folder = join(prefix, `on-${version}`);
  const node = join(prefix, `node-${version}`);
  const at = (words: string): Promise<Ran> =>
    run("crosstrust", words.split(" "), {
      cwd: folder,
      env: surroundings(join(node, "node_modules", ".bin"), join(prefix, "global", "bin")),
    });

  beforeAll(() => {
    mkdirSync(folder);
    npm(["install", "--prefix", node, "--ignore-scripts", `node-${process.platform}-${process.arch}@${version}`]);
  });

  test("a link is started, made, proved and explained from another folder, and taken down", async () => {
    expect((await at("--version")).out.trim()).toBe(read(join(root, "package.json")).version);
    expect(await at("init")).toMatchObject({ exit: 0, err: "", out: expect.stringContaining("wrote federation.yaml") });
    expect(await at("lint")).toMatchObject({ exit: 0, err: "" });
    const applied = await at("apply --sandbox --yes");
    expect(applied).toMatchObject({ exit: 0, out: expect.stringContaining("works         reports-to-s3") });
    expect(applied.err).not.toContain("Warning");
    const checked = await at("health --sandbox --quiet");
    expect(checked).toMatchObject({ exit: 0, err: "", out: expect.stringContaining("every link works") });
    expect((await at("explain reports-to-s3 --sandbox --quiet")).exit).toBe(0);
    expect((await at("explain AWS-AUD-IS-AZP")).out).toContain("azp");
    const toGoogle = await at("init --from aws --to google --file to-google.yaml");
    expect([toGoogle.exit, toGoogle.err]).toEqual([0, ""]);
    // Google's conditions are judged by a library of its own file.
    expect(await at("apply --sandbox --quiet --yes --file to-google.yaml")).toMatchObject({ exit: 0, err: "" });
    expect(await at("destroy --sandbox --quiet --yes")).toMatchObject({ exit: 0 });
  });

  // The whole deployment takes a minute of gcloud: once, on the older Node.
  if (name !== "Node 22") return;
  witnessed("gcloud")("is deployed into the sandbox, checks by schedule, and is taken out again", async () => {
    const deployed = await at("onboard --deploy --sandbox --yes --quiet");
    expect([deployed.exit, deployed.err]).toEqual([0, expect.any(String)]);
    expect(deployed.out).toMatch(/works {3}scheduler, workflow, function and every link/);
    const gone = await at("offboard --sandbox --yes");
    expect([gone.exit, gone.out]).toEqual([0, expect.stringContaining("taken away")]);
  });
});
