import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OutputChunk, rolldown } from "rolldown";
import { thirdParty } from "./third-party.ts";

/** The functions that are deployed, each as a folder of its own. */
export const deployed = ["health", "provision"] as const;

const root = join(import.meta.dirname, "..");
const builtin = "\0builtin:";
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/**
 * Never bundled: the platform starts the function by this package's own command, and that looks into its own copy's
 * registry (serverless.md, 2.1).
 */
const framework = "@google-cloud/functions-framework";

/**
 * Writes `DIR/health` and `DIR/provision`, each what `gcloud run deploy --source` takes: plain JavaScript (the
 * platform's own check refuses `.ts`), a manifest with the framework alone, and no Node of its own, which would
 * stand before the platform's (serverless.md, 3.3). The vendors' libraries stay chunks that are loaded when asked.
 */
export async function bundleFunctions(folder: string): Promise<void> {
  for (const name of deployed) await bundle(name, join(folder, name));
}

async function bundle(name: (typeof deployed)[number], folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const built = await rolldown({
    input: { index: join(root, "functions", `${name}.ts`) },
    platform: "node",
    resolve: { mainFields: ["module", "main"] },
    external: [framework],
    plugins: [versionAsText, libraryInside, noFolderOfItsOwn, builtinsAsTheyAre],
    // What others wrote is bundled as it is; how they wrote it is not ours to be told about.
    logLevel: "silent",
  });
  const { output } = await built.write({
    dir: folder,
    format: "esm",
    minify: true,
    chunkFileNames: "[name]-[hash].js",
  });
  await built.close();
  const chunks = output.filter((one): one is OutputChunk => one.type === "chunk");
  const modules = chunks.flatMap(({ modules }) => Object.keys(modules));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(name), null, 2)}\n`);
  writeFileSync(join(folder, "THIRD-PARTY.txt"), thirdParty(modules));
}

/** The version is read from a manifest beside the sources; a bundle has none, so it gets the text. */
const versionAsText = {
  name: "version-as-text",
  load: (id: string) =>
    id === join(root, "src", "version.ts") ? `export const version = ${JSON.stringify(manifest.version)};` : null,
};

/** What is loaded late by name from beside the sources is nowhere beside a bundle. */
const libraryInside = {
  name: "library-inside",
  load: (id: string) =>
    id === join(root, "src", "parties", "google", "trust", "library.ts")
      ? {
          code: `import * as cel from "@bufbuild/cel";
import * as ext from "@bufbuild/cel/ext";
export const library = () => ({ ...cel, ...ext });`,
          moduleType: "js" as const,
        }
      : null,
};

/** Google's client names files of its own for gRPC, which is not used here: a bundle has no such folder. */
const noFolderOfItsOwn = {
  name: "no-folder-of-its-own",
  transform: (code: string, id: string) =>
    id.includes("node_modules") && code.includes("__dirname")
      ? { code: code.replace(/\b__dirname\b/g, '"."'), map: null }
      : null,
};

/**
 * An `import` of a module of Node reads all that it exports, also what Node itself would load only when asked: with
 * `node:http` comes a whole second client, with `node:crypto` another API, on every start. This is what `require` gives.
 */
const builtinsAsTheyAre = {
  name: "builtins-as-they-are",
  resolveId: (id: string) => (/^(node:)?(http|https|crypto)$/.test(id) ? { id: `${builtin}${id}` } : null),
  load: (id: string) =>
    id.startsWith(builtin)
      ? { code: `module.exports = process.getBuiltinModule(${JSON.stringify(id.slice(builtin.length))});` }
      : null,
};

const manifestOf = (name: string) => ({
  name: `crosstrust-${name}`,
  version: manifest.version,
  private: true,
  license: manifest.license,
  type: "module",
  main: "index.js",
  engines: { node: ">=22.18" },
  dependencies: { [framework]: manifest.dependencies[framework] },
});

if (import.meta.main) await bundleFunctions(process.argv[2] ?? join(root, "dist", "functions"));
