import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { constants, Script } from "node:vm";
import { crc32 } from "node:zlib";

// V8 compiles a function when it is first called, and a cold start calls each function once. Node's own compile cache is
// made before a file runs, so it holds none of these functions. What is kept here is made after a whole check has run.

/** Beside the bundle: written by the platform's build. */
export const codeCache = join(import.meta.dirname, "code-cache");

/** The files of the bundle that were loaded, by where the code of each is kept. */
const loaded = new Map<string, Script>();

/**
 * From here on, files of the bundle are loaded with the code that the build kept. V8 passes over the code of another
 * version of itself, and the name of what is kept holds a checksum of the source. Where no build has prepared anything,
 * Node loads the files as always.
 */
export function useCodeCache(): void {
  if (!existsSync(codeCache)) return;
  const { extensions } = createRequire(import.meta.filename);
  const plain = extensions[".js"];
  extensions[".js"] = (module: Module, path: string) => {
    if (dirname(path) !== import.meta.dirname) return plain?.(module, path);
    const run = scriptOf(path).runInThisContext();
    run.call(module.exports, module.exports, createRequire(path), module, path, dirname(path));
  };
}

function scriptOf(path: string): Script {
  const source = readFileSync(path, "utf8");
  const kept = join(codeCache, `${basename(path)}.${crc32(source).toString(16)}`);
  const cachedData = existsSync(kept) ? readFileSync(kept) : undefined;
  const script = new Script(Module.wrap(source), {
    filename: path,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    ...(cachedData ? { cachedData } : {}),
  });
  loaded.set(kept, script);
  return script;
}

/** For the build: starts with nothing kept. */
export function beginCodeCache(): void {
  mkdirSync(codeCache, { recursive: true });
  useCodeCache();
}

/** For the build: keeps the code of every function that has run since `beginCodeCache`. */
export function keepCode(): void {
  for (const [kept, script] of loaded) writeFileSync(kept, script.createCachedData());
}
