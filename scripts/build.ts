import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { $ } from "zx/core";
import { bundleCommandLine, bundleFunctions } from "./bundle.ts";
import { lockFor, type Manifest } from "./lock.ts";

// `npm run build`: what is published, as a folder of its own, for `npm pack dist` and `npm publish dist`. Plain JavaScript
// that any Node from 22.18 on runs, with other packages' code bundled in, and a manifest without the Node that the
// checkout brings (serverless.md, 9).

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

for (const file of [
  ...globSync("{src,docs}/**/*.{md,yaml,png}", { cwd: root }),
  ...globSync("{examples,workflows}/*.yaml", { cwd: root }),
  ...["bin/crosstrust.js", "federation.schema.json", "README.md", "CHANGELOG.md", "LICENSE"],
]) {
  mkdirSync(dirname(join(dist, file)), { recursive: true });
  cpSync(join(root, file), join(dist, file));
}

writeFileSync(join(dist, "THIRD-PARTY.txt"), await bundleCommandLine(join(dist, "src")));
// What `deploy` sends to the cloud, whole.
await bundleFunctions(join(dist, "functions"));

const { name, version, description, license, type, bin, dependencies, overrides } = read("package.json");
// The sandbox runs a deployed function by the framework's own code, as the platform does. All else is in the bundles.
const framework = "@google-cloud/functions-framework";
const manifest = {
  ...{ name, version, description, license, type, bin },
  engines: { node: ">=22.18" },
  files: [...globSync("*", { cwd: dist }), "sbom.json"].sort(),
  dependencies: { [framework]: dependencies[framework] },
};
writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(join(dist, "sbom.json"), await billOfMaterials({ name, version, license, dependencies, overrides }));
process.stdout.write(`built ${name} ${version} in dist\n`);

/**
 * Everything whose code is in the bundles or installed beside them, as npm lists it. Asked of a manifest of its own: of the
 * checkout's, npm leaves out what is also needed by something that only tests use.
 */
async function billOfMaterials(
  of: Manifest & { readonly license: string; readonly overrides: object },
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "crosstrust-bill-"));
  try {
    writeFileSync(join(folder, "package.json"), JSON.stringify(of));
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lockFor(of, read("package-lock.json"))));
    const { stdout } = await $({ cwd: folder, quiet: true })`npm sbom --sbom-format cyclonedx --package-lock-only`;
    const bill = JSON.parse(stdout);
    bill.metadata.component.name = of.name;
    return `${JSON.stringify(bill, null, 2)}\n`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
