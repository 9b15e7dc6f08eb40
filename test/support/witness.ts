import { spawnSync } from "node:child_process";
import { test } from "vitest";

const found = new Map<string, boolean>();

/** Whether a program that we did not write is here. */
export function has(program: string): boolean {
  const known = found.get(program);
  if (known !== undefined) return known;
  const there = spawnSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }).status === 0;
  found.set(program, there);
  return there;
}

/** A test that needs a witness; where it is missing the test is listed as skipped, with the reason in its name. */
export const witnessed = (...programs: readonly string[]): typeof test => {
  const missing = programs.filter((program) => !has(program));
  if (missing.length > 0) process.stderr.write(`SKIPPED: tests that need ${missing.join(", ")}, not installed here\n`);
  return test.skipIf(missing.length > 0) as unknown as typeof test;
};
