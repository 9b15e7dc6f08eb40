import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { explainError } from "../src/cli/commands/explain-error.ts";
import { codes } from "../src/cli/pages.ts";

// Messages as people published them, each with the address of the report. Names, numbers and ids are replaced. `several`:
// the message does not tell which of its causes it is. `unknown`: it is none of the clouds' that crosstrust joins.

const reports = z
  .array(z.strictObject({ text: z.string(), code: z.string(), several: z.literal(true).optional(), seen: z.url() }))
  .parse(JSON.parse(readFileSync(new URL("reported-messages.json", import.meta.url), "utf8")));

describe("explain --error over published reports", () => {
  test.each(reports)("$code  $seen", ({ text, code, several }) => {
    const { exit, text: shown, recognised } = explainError(text);
    const found = [recognised?.causes[0]?.code ?? "unknown", recognised && !recognised.certain];
    expect(found).toEqual([code, code === "unknown" ? undefined : several === true]);
    expect([exit, shown.split("\n")[0]]).toEqual(
      code === "unknown" ? [75, "this message is not known here"] : [0, code],
    );
  });

  test("there are 150 of them and more, and fewer than one in ten is unknown", () => {
    expect(reports.length).toBeGreaterThanOrEqual(150);
    expect(reports.filter(({ code }) => code === "unknown").length).toBeLessThan(reports.length / 10);
  });

  test("each names a page, and none holds a number of an account, an access key or a token", () => {
    for (const { text, code } of reports) {
      expect([...codes(), "unknown"]).toContain(code);
      expect(text).not.toMatch(/\b(?:AKIA|ASIA)[A-Z0-9]{12,}|eyJ[\w-]{20,}|ya29\./);
      const numbers = text.match(/(?<![\d-])\d{12}(?![\d-])/g) ?? [];
      expect(numbers.filter((one) => !["111122223333", "444455556666", "123456789012"].includes(one))).toEqual([]);
    }
  });
});
