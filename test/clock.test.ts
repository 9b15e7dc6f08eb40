import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import config from "../vitest.config.ts";
import { guard } from "./support/guard.ts";

// No test depends on how fast a machine is, nor on a port that something else may use (CONTRIBUTING: tests). What takes
// time is driven or counted; `test/bench` and `test/figures` measure, and `npm test` runs neither.

const root = join(import.meta.dirname, "..");
const files = globSync("test/**/*.{ts,mjs}", { cwd: root })
  .filter((file) => !/^test\/(bench|figures|clock\.test)/.test(file))
  .sort();

test.each<readonly [string, RegExp, readonly string[]]>([
  ["measures elapsed time", /performance\.now\(|hrtime|Date\.now\(\) - (begun|began|start|before)\b/, []],
  [
    "polls with the short deadline of vitest: use eventually()",
    /vi\.waitFor\(|vi\.waitUntil\(|expect\.poll\(/,
    ["guard"],
  ],
  ["gives up a request or a program after a time", /AbortSignal\.timeout\(|killSignal|spawnSync\([^)]*timeout/, []],
  [
    "sets a timeout of its own for a test",
    /^\s*\}, \d[\d_]{3,}\);$|^\s{2,}\d[\d_]{3,},?\n\s*\);$|\{ timeout: \d[\d_]*\w* \}, async/m,
    [],
  ],
  ["listens on a port that is fixed", /\b4510\b|listen\([1-9]/, []],
])("no test %s", (_, pattern, except) => {
  const found = files.filter(
    (file) =>
      pattern.test(readFileSync(join(root, file), "utf8")) && !except.some((name) => file.endsWith(`/${name}.ts`)),
  );
  expect(found).toEqual([]);
});

test("no page types a command with a fixed port", () => {
  const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })];
  expect(pages.filter((page) => /--port[ =]\d|127\.0\.0\.1:4510/.test(readFileSync(join(root, page), "utf8")))).toEqual(
    [],
  );
});

test("the timeouts of a test and of a hook are guards against hanging", () => {
  expect(config.test).toMatchObject({ testTimeout: guard, hookTimeout: guard });
});
