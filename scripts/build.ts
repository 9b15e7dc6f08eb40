import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { $ } from "zx/core";
import { bundleFunctions } from "./bundle.ts";

// `npm run build`: what is published, as a folder of its own. Built JavaScript that any Node from 22.18 on runs, and a
// manifest without the Node that the checkout brings (serverless.md, 9): `npm publish dist`.

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));

rmSync(dist, { recursive: true, force: true });
await $({ cwd: root })`tsc -p tsconfig.build.json`;

for (const file of [
  ...globSync("{src,docs}/**/*.{md,yaml}", { cwd: root }),
  ...globSync("{examples,workflows}/*.yaml", { cwd: root }),
  ...["bin/crosstrust.js", "federation.schema.json", "README.md", "CHANGELOG.md", "LICENSE"],
]) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  cpSync(join(root, file), join(dist, file));
}

const { name, version, description, license, type, bin, dependencies } = read("package.json");
const manifest = {
  ...{ name, version, description, license, type, bin },
  engines: { node: ">=22.18" },
  files: [
    "bin",
    "src",
    "functions",
    "scripts",
    "workflows",
    "examples",
    "docs",
    "federation.schema.json",
    "CHANGELOG.md",
  ],
  dependencies,
};
writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
// Beside their modules: what `deploy` sends to the cloud, whole.
await bundleFunctions(join(dist, "functions"));
process.stdout.write(`built ${name} ${version} in dist\n`);
