import { createHash } from "node:crypto";
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Digests, functionNames, type Setup, workflowNames } from "../src/deploy/setup.ts";
import { root } from "../src/root.ts";

const folderOfPackage = fileURLToPath(root);

/**
 * Everything that gcloud is told to upload, in one folder: the functions with the federation file beside them, and the
 * workflows. What is published has the bundles ready; a checkout makes them. The same sources give the same bytes.
 */
export async function stage(folder: string, federation: Uint8Array): Promise<Digests> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, ".gitignore"), "*\n");
  const ready = join(folderOfPackage, "functions");
  if (existsSync(join(ready, "health", "index.js"))) {
    for (const name of functionNames) cpSync(join(ready, name), join(folder, name), { recursive: true });
  } else {
    // By its address, which the bundle of the command line does not follow: what is published never comes here.
    const bundling: typeof import("./bundle.ts") = await import(new URL("scripts/bundle.ts", root).href);
    await bundling.bundleFunctions(folder);
  }
  for (const name of functionNames) writeFileSync(join(folder, name, "federation.yaml"), federation);
  for (const name of workflowNames)
    cpSync(join(folderOfPackage, "workflows", `${name}.yaml`), join(folder, `${name}.yaml`));
  const digest = (path: string) => digestOf(join(folder, path));
  return {
    "functions/health": digest("health"),
    "functions/provision": digest("provision"),
    "workflows/health": digest("health.yaml"),
    "workflows/onboard": digest("onboard.yaml"),
  };
}

/** SHA-256 over names and contents, in order. */
function digestOf(path: string): string {
  const hash = createHash("sha256");
  const names = statSync(path).isDirectory()
    ? globSync("**", { cwd: path }).filter((name) => statSync(join(path, name)).isFile())
    : [""];
  for (const name of names.sort())
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(path, name)))
      .update("\0");
  return hash.digest("hex");
}

/** The small files that commands name. */
export function writeFiles({ folder }: Setup, files: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}
