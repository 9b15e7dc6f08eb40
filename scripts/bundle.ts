import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type InputOptions, type OutputChunk, rolldown } from "rolldown";
import { functionNames } from "../src/deploy/setup.ts";
import { type Lock, lockFor } from "./lock.ts";
import { thirdParty } from "./third-party.ts";

const root = join(import.meta.dirname, "..");
const builtin = "\0builtin:";
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const lock: Lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
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
  for (const name of functionNames) await bundle(name, join(folder, name));
}

async function bundle(name: (typeof functionNames)[number], folder: string): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const stages = await stagesOf(name);
  // The entry stays by itself, so that what the build runs does not start the framework.
  stages.delete(join(root, "functions", `${name}.ts`));
  const built = await rolldown(options({ index: `functions/${name}.ts`, prepare: "functions/prepare.ts" }));
  const { output } = await built.write({
    dir: folder,
    // Not modules: V8's code of a module cannot be kept after it ran (src/functions/compiled.ts).
    format: "cjs",
    minify: true,
    codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: (id) => stages.get(id) }] },
    chunkFileNames: "[name]-[hash].js",
  });
  await built.close();
  const chunks = output.filter((one): one is OutputChunk => one.type === "chunk");
  const modules = [...chunks.flatMap(({ modules }) => Object.keys(modules)), ...(await bundleLibrary(folder))];
  const own = manifestOf(name);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(own, null, 2)}\n`);
  writeFileSync(join(folder, "package-lock.json"), `${JSON.stringify(lockFor(own, lock), null, 2)}\n`);
  writeFileSync(join(folder, "THIRD-PARTY.txt"), thirdParty(modules));
}

/**
 * Writes the command line into `DIR`: modules that are loaded when a command asks for them, with all that they import from
 * other packages in them, so that nobody who installs it installs those. Gives their licences, to be published with it.
 */
export async function bundleCommandLine(folder: string): Promise<string> {
  const built = await rolldown(options({ cli: "src/cli.ts" }));
  const { output } = await built.write({ dir: folder, format: "esm", chunkFileNames: "[name]-[hash].js" });
  await built.close();
  const chunks = output.filter((one): one is OutputChunk => one.type === "chunk");
  return thirdParty([...chunks.flatMap(({ modules }) => Object.keys(modules)), ...(await bundleLibrary(folder))]);
}

/** `input` by name, below the root. */
const options = (input: Readonly<Record<string, string>>): InputOptions => ({
  input: Object.fromEntries(Object.entries(input).map(([name, file]) => [name, join(root, file)])),
  platform: "node",
  resolve: { mainFields: ["module", "main"] },
  external: [framework],
  plugins: [versionAsText, libraryBeside, noFolderOfItsOwn, builtinsAsTheyAre],
  // What others wrote is bundled as it is; how they wrote it is not ours to be told about.
  logLevel: "silent",
});

/**
 * What is loaded together is one file: finding, opening and linking a hundred small ones costs a start more than their
 * code. `start` is what every call needs, `schemas` the library that reads answers, `read` what finding out who calls needs,
 * `check` what a check needs besides; what a cloud's library loads late stays late. `schemas` is a file of its own because
 * the library is set up between its loading and the first schema: in one file with `read` that came too late. Gives the
 * stage of each module, from a bundle made to find that out.
 */
async function stagesOf(name: (typeof functionNames)[number]): Promise<Map<string, string>> {
  const entries = {
    start: [`functions/${name}.ts`],
    schemas: ["src/functions/lean.ts"],
    read: ["src/functions/late.ts", "src/functions/report.ts"],
    check: [`src/functions/${name}.ts`, "src/functions/deployment.ts", "src/parties/aws/query.ts"],
  };
  const inputs = Object.entries(entries).flatMap(([stage, files]) =>
    files.map((file, at) => [`${stage}-${at}`, file] as const),
  );
  const built = await rolldown(options(Object.fromEntries(inputs)));
  const { output } = await built.generate({ format: "esm" });
  await built.close();
  const chunks = new Map(output.flatMap((one) => (one.type === "chunk" ? [[one.fileName, one] as const] : [])));
  const stages = new Map<string, string>();
  const note = (stage: string, chunk: OutputChunk | undefined): void => {
    for (const id of Object.keys(chunk?.modules ?? {})) if (!stages.has(id)) stages.set(id, stage);
    for (const next of chunk?.imports ?? []) note(stage, chunks.get(next));
  };
  for (const [entry] of inputs) note(entry.split("-")[0] ?? "", chunks.get(`${entry}.js`));
  return stages;
}

/** The version is read from a manifest beside the sources; a bundle has none, so it gets the text. */
const versionAsText = {
  name: "version-as-text",
  load: (id: string) =>
    id === join(root, "src", "version.ts") ? `export const version = ${JSON.stringify(manifest.version)};` : null,
};

/**
 * CEL is loaded when a link goes to Google, at once and not by a promise: the judge is a plain function. Beside the
 * sources it is a package, beside a bundle a file of its own.
 */
const libraryBeside = {
  name: "library-beside",
  load: (id: string) =>
    id === join(root, "src", "judge", "google", "library.ts")
      ? {
          code: `import { createRequire } from "node:module";
export const library = () => createRequire(import.meta.url)("./cel.cjs");`,
          moduleType: "js" as const,
        }
      : null,
};

/** That file; gives the modules in it. */
async function bundleLibrary(folder: string): Promise<readonly string[]> {
  const entry = "\0cel";
  const both = {
    name: "cel",
    resolveId: (id: string) => (id === entry ? id : null),
    load: (id: string) => (id === entry ? celSource : null),
  };
  const { input: _, ...common } = options({});
  const built = await rolldown({ ...common, input: { cel: entry }, plugins: [both, builtinsAsTheyAre] });
  const { output } = await built.write({ dir: folder, format: "cjs", minify: true, entryFileNames: "cel.cjs" });
  await built.close();
  return output.flatMap((one) => (one.type === "chunk" ? Object.keys(one.modules) : [])).filter((id) => id !== entry);
}
const resolved = (name: string): string => JSON.stringify(fileURLToPath(import.meta.resolve(name)));
const celSource = `export * from ${resolved("@bufbuild/cel")};\nexport * from ${resolved("@bufbuild/cel/ext")};`;

/** Google's client names files of its own for gRPC, which is not used here: a bundle has no such folder. */
const noFolderOfItsOwn = {
  name: "no-folder-of-its-own",
  transform: (code: string, id: string) =>
    /node_modules\/(@google-cloud|google-gax)\//.test(id) && code.includes("__dirname")
      ? { code: code.replace(/\b__dirname\b/g, '"."'), map: null }
      : null,
};

/**
 * An `import` of a module of Node reads all that it exports, also what Node itself would load only when asked: with
 * `node:http` comes a whole second client, with `node:crypto` another API, on every start. This is what `require` gives.
 */
const builtinsAsTheyAre = {
  name: "builtins-as-they-are",
  resolveId: (id: string) => (isBuiltin(id) && !/^(node:)?module$/.test(id) ? { id: `${builtin}${id}` } : null),
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
  type: "commonjs",
  main: "index.js",
  // The platform's build runs it on the very Node that the function will run on (serverless.md, 3.3).
  scripts: { "gcp-build": "node prepare.js" },
  engines: { node: ">=22.18" },
  dependencies: { [framework]: manifest.dependencies[framework] },
});

if (import.meta.main) await bundleFunctions(process.argv[2] ?? join(root, "dist", "functions"));
