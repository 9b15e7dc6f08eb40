// Installs what is missing, so that `npm start` and `npm test` work as the first command after `git clone`. Needs
// nothing but the system's Node; says nothing and takes no time when everything is there.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

if (!complete()) {
  process.stderr.write("installing (npm ci) ...\n");
  // As a direct child of npm the nested npm would inherit this run's settings; only the registry ones are wanted.
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    process.stderr.write("npm ci failed; run it by hand to see why\n");
    process.exit(status ?? 1);
  }
}

/**
 * Whether every package of the lock is installed in its version. Which optional ones belong here only npm knows (by
 * platform and libc), except for one: the Node that this checkout runs on.
 */
function complete() {
  const wanted = packagesOf("package-lock.json");
  const there = packagesOf(join("node_modules", ".package-lock.json"));
  if (!wanted || !there) return false;
  const node = `node_modules/node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "" || (optional && path !== node && !there[path])) return true;
    return there[path]?.version === version;
  });
}

/** What a lock file lists, by path; undefined where there is none that can be read. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}
