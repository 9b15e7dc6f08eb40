import { describe, expect, test } from "vitest";
import { serviceModels } from "../src/parties/aws/sandbox/service-model.ts";
import coverageTable from "../src/sandbox/coverage.json" with { type: "json" };
import { covered, evidences } from "../src/sandbox/coverage.ts";
import { crosstrust } from "./support/cli.ts";
import { playedOperations } from "./support/played.ts";

const named = ({ service, operation }: { service: string; operation: string }) => `${service} ${operation}`;

// A table that is written by hand says what somebody once believed: it is held against the fakes' own tables.
describe("the fidelity table", () => {
  test("has a row for each operation that the fakes handle, and no other counts as played", async () => {
    const played = await playedOperations();
    const rows = covered.filter(({ evidence }) => evidence !== "not played").map(named);
    expect(played.size).toBeGreaterThan(200);
    expect([...played].filter((one) => !rows.includes(one))).toEqual([]);
    expect(rows.filter((one) => !played.has(one))).toEqual([]);
  });

  test("lists every operation of IAM and STS, played or not", () => {
    const all = Object.entries(serviceModels).flatMap(([service, { operations }]) =>
      Object.keys(operations).map((operation) => `aws.${service} ${operation}`),
    );
    expect(all.filter((one) => !covered.map(named).includes(one))).toEqual([]);
  });

  test("says of each row one of five things", () => {
    const said = Object.values(coverageTable).flatMap((operations) => Object.values<string>(operations));
    expect(said.filter((one) => !evidences.some((evidence) => evidence === one))).toEqual([]);
  });

  test("is printed row by row, in words and as JSON", async () => {
    const text = await crosstrust("sandbox coverage");
    expect(text.exit).toBe(0);
    expect(text.out).toMatch(/^aws\.sts +AssumeRoleWithWebIdentity +recorded$/m);
    expect(text.out).toMatch(/^aws\.iam +CreateUser +not played$/m);
    const { operations } = JSON.parse((await crosstrust("sandbox coverage --json")).out);
    expect(operations).toHaveLength(covered.length);
    expect(text.out.trimEnd().split("\n")).toHaveLength(covered.length + 1);
  });
});
