// Installs what is missing, so that `npm start` and `npm test` work as the first command after `git clone`. Needs
// nothing but the system's Node; says nothing and takes no time when everything is there.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// A platform for which the lock brings no Node runs on its own, if that is new enough to read TypeScript.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const ownNode = `node_modules/node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const bringsNode = ownNode in (packagesOf("package-lock.json") ?? {});
if (!bringsNode && (major < 22 || (major === 22 && minor < 18))) {
  process.stderr.write(
    `this checkout brings no Node for ${process.platform} ${process.arch}: install Node 22.18 or newer first; this is ${process.versions.node}\n`,
  );
  process.exit(1);
}

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
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "" || (optional && path !== ownNode && !there[path])) return true;
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
