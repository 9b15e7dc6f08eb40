import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Finding } from "../src/model.ts";
import { junitText } from "../src/say/junit.ts";
import { sarifText } from "../src/say/sarif.ts";
import { example } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

/** What every format has to write as text, whatever it means there. */
const hostile = 'a | b ``` @somebody <script>alert(1)</script> ]]> & "x" \u202e\u0007 [a](http://b) \\';

const found = (severity: Finding["severity"], more: Partial<Finding> = {}): Finding => ({
  code: "AWS-SUB-MISSING",
  severity,
  at: { place: { file: "a folder/féderation.yaml", line: 3, column: 7 } },
  says: hostile,
  because: [],
  fix: [hostile],
  ...more,
});

const findings: readonly Finding[] = [
  found("error"),
  found("security", { accepted: { reason: hostile } }),
  found("warning", { at: { address: "aws:role/111122223333/reports-reader" } }),
  found("hint", { at: {}, fix: [] }),
];

/** The part of SARIF 2.1.0 that is written, as the standard describes it: nothing else may stand there. */
const region = z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) });
const location = z.strictObject({
  physicalLocation: z
    .strictObject({ artifactLocation: z.strictObject({ uri: z.string().regex(/^[\w%./-]+$/) }), region })
    .optional(),
  logicalLocations: z.array(z.strictObject({ fullyQualifiedName: z.string().min(1) })).optional(),
});
const result = z.strictObject({
  ruleId: z.string().min(1),
  ruleIndex: z.int().min(0),
  level: z.enum(["none", "note", "warning", "error"]),
  message: z.strictObject({ text: z.string().min(1) }),
  locations: z.array(location).optional(),
  suppressions: z
    .array(z.strictObject({ kind: z.enum(["inSource", "external"]), justification: z.string() }))
    .optional(),
});
const rule = z.strictObject({ id: z.string().min(1), help: z.strictObject({ text: z.string().min(1) }) });
const log = z.strictObject({
  $schema: z.url(),
  version: z.literal("2.1.0"),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({ name: z.string(), semanticVersion: z.string(), rules: z.array(rule) }),
        }),
        columnKind: z.enum(["utf16CodeUnits", "unicodeCodePoints"]),
        results: z.array(result),
      }),
    )
    .length(1),
});

describe("SARIF", () => {
  test("is the standard's, with a rule for each result, and accepted findings suppressed", () => {
    const text = sarifText(findings, "0.1.0");
    const [run] = log.parse(JSON.parse(text)).runs;
    expect(run?.results.map(({ level }) => level)).toEqual(["error", "error", "warning", "note"]);
    for (const one of run?.results ?? []) expect(run?.tool.driver.rules[one.ruleIndex]?.id).toBe(one.ruleId);
    expect(run?.results.map(({ suppressions }) => suppressions?.length ?? 0)).toEqual([0, 1, 0, 0]);
    expect(run?.results[0]?.locations?.[0]?.physicalLocation?.artifactLocation.uri).toBe(
      "a%20folder/f%C3%A9deration.yaml",
    );
  });

  test("hides nothing from whoever reads it", () => {
    expect(sarifText(findings, "0.1.0")).not.toMatch(/[\u0007\u202e]/);
  });
});

describe("JUnit", () => {
  test("is XML, whatever a finding says, and failures are what fails", () => {
    const text = junitText(findings, "federation.yaml");
    expect(XMLValidator.validate(text)).toBe(true);
    expect(text).not.toMatch(/[\u0000-\u0008\u202e]/);
    const read = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" }).parse(text);
    const { testsuite } = read.testsuites;
    expect([testsuite.tests, testsuite.failures, testsuite.skipped]).toEqual(["5", "1", "1"]);
    expect(testsuite.testcase[1].failure.type).toBe("error");
  });

  test("a file without findings is a test that passes", () => {
    expect(junitText([], "federation.yaml")).toContain('tests="1" failures="0"');
  });
});

describe("formats of commands", () => {
  test("a command that does not have a format refuses it, and two are refused", async () => {
    const { ct: at } = await stage();
    expect(await at("plan --format sarif")).toMatchObject({ exit: 64, out: "" });
    expect(await at("lint --format markdown")).toMatchObject({ exit: 64, out: "" });
    expect(await at("init --json")).toMatchObject({ exit: 64, out: "" });
    expect(await at("plan --json --format markdown")).toMatchObject({ exit: 64, out: "" });
    expect((await at("plan --format html")).err).toContain("--format takes text, json, markdown, sarif, junit");
  });

  test("lint: a file with errors is told in the format that was asked for, and goes where --output says", async () => {
    const { ct: at, cwd: folder } = await stage(example.replace("account: 111122223333", "account: 1111"));
    const sarif = await at("lint --format sarif --output lint.sarif");
    expect([sarif.exit, sarif.out]).toEqual([65, ""]);
    const [run] = log.parse(JSON.parse(readFileSync(join(folder, "lint.sarif"), "utf8"))).runs;
    expect(run?.results.map(({ level }) => level)).toContain("error");
    const junit = await at("lint --format junit");
    expect([junit.exit, XMLValidator.validate(junit.out)]).toEqual([65, true]);
    expect(junit.out).toContain("<failure");
  });

  test("--output is looked at before anything is contacted", async () => {
    const { ct: at, b } = await stage();
    const before = b.calls.length;
    expect(await at("plan --output federation.yaml")).toMatchObject({ exit: 64, out: "" });
    expect(await at("plan --output no/such/folder.md")).toMatchObject({ exit: 64, out: "" });
    expect(b.calls.length).toBe(before);
  });

  test("markdown: foreign values stand in code, and the whole text in a fence that nothing in it ends", async () => {
    const { ct: at } = await stage();
    const plan = await at("plan --format markdown");
    expect(plan.exit).toBe(2);
    expect(plan.out).toMatch(/^### crosstrust plan: 2 to create, 0 to repair, 0 to delete/);
    expect(plan.out).toContain("```text\nfederation.yaml   1 link   sandbox");
    await at("apply --quiet");
    const health = await at("health --format markdown");
    expect([health.exit, health.out]).toEqual([0, expect.stringContaining("### crosstrust health: 1 works")]);
  });

  test("--exit-zero takes the 2 away, and nothing else", async () => {
    const { ct: at, cwd: folder } = await stage();
    const planned = await at("plan --exit-zero --json");
    expect([planned.exit, JSON.parse(planned.out).exit]).toEqual([0, 0]);
    writeFileSync(join(folder, "federation.yaml"), "links: 1\n");
    expect((await at("plan --exit-zero")).exit).toBe(65);
  });
});
