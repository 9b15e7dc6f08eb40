import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Its licence in its own words, and its notice where it has one. */
  readonly texts: readonly string[];
}

/**
 * What a bundle holds of others, from the modules that went into it: name, version, licence, and the licence's text,
 * because copies of the code have to carry it. Throws where a package names no licence.
 */
export function thirdParty(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap((module) => folderOf(module) ?? []));
  const packages = [...folders].map(read).sort((a, b) => (a.name < b.name ? -1 : 1));
  const list = packages.map(({ name, version, license }) => `${name} ${version}   ${license}`);
  const texts = new Map<string, string[]>();
  for (const { name, texts: own } of packages)
    for (const text of own) texts.set(text, [...(texts.get(text) ?? []), name]);
  const licences = [...texts].map(([text, names]) => `${"-".repeat(80)}\n${names.join(", ")}\n\n${text}\n`);
  return `This program holds parts of the following packages.\n\n${list.join("\n")}\n\n${licences.join("\n")}`;
}

/** The package a module belongs to: the nearest manifest with a name, because some have one in each folder. */
function folderOf(module: string): string | undefined {
  if (!module.includes("/node_modules/")) return undefined;
  let folder = dirname(module.replace(/^\0/, "").replace(/\?.*$/, ""));
  while (!isPackage(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

function isPackage(folder: string): boolean {
  const file = join(folder, "package.json");
  return existsSync(file) && "version" in JSON.parse(readFileSync(file, "utf8"));
}

function read(folder: string): Package {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof license !== "string") throw new Error(`${name} ${version} names no licence`);
  const files = globSync("{LICENSE,LICENCE,NOTICE,license,licence}*", { cwd: folder }).sort();
  return { name, version, license, texts: files.map((file) => readFileSync(join(folder, file), "utf8").trim()) };
}
