import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkWorlds } from "./worlds/check.ts";

checkWorlds("aws");

test("the second evaluator imports nothing of the product", () => {
  const seen = new Set<string>();
  const read = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(import.meta.dirname, "worlds", file), "utf8");
    for (const [, target = ""] of text.matchAll(/from "([^"]+)"/g)) {
      expect(target).toMatch(/^\.\/\w+\.ts$/);
      read(target.slice(2));
    }
  };
  for (const file of ["truth.ts", "google.ts", "aws.ts"]) read(file);
  expect([...seen]).toContain("issuers.ts");
});
