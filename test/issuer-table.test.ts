import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { issuers } from "../src/judge/issuers/table.ts";

const page = readFileSync(join(import.meta.dirname, "..", "docs", "outsiders.md"), "utf8");

/** The cells of each row below the heading, without the line of dashes. */
const rows = page
  .slice(page.indexOf("| issuer | shared or own |"))
  .split("\n\n")[0]
  ?.split("\n")
  .slice(2)
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const inCode = (names: readonly string[] = []): string => names.map((name) => `\`${name}\``).join(", ");

test("the table of issuers in docs/outsiders.md equals the table of the judge", () => {
  const known = issuers.map(({ name, tenancy, ids, awsKeys }) => [name, tenancy, inCode(ids), inCode(awsKeys)]);
  // Entries that differ only in their URL are one row for a reader.
  const distinct = [...new Map(known.map((row) => [row.join(" "), row])).values()];
  expect(rows).toEqual(distinct);
});
