import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, normalize } from "node:path";
import { type Node, parse } from "acorn";
import { describe, expect, test } from "vitest";
import { codesSource } from "../scripts/codes.ts";

// The house rules of docs/decisions/001-the-house.md: imports run downhill, no room too big, nothing left for later.

const files = globSync("{src,functions,scripts,bin}/**/*.{ts,js}").sort();
const texts = new Map(files.map((file) => [file, readFileSync(file, "utf8")]));
const source = (file: string): string => texts.get(file) ?? "";

/** Relative imports of a file, static and dynamic, types included. */
function importsOf(file: string): readonly string[] {
  const found = source(file).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
  return [...found].map((match) => normalize(join(dirname(file), match[1] ?? "")));
}

/** The room a file belongs to, and where that room may import from. First match wins. */
const rooms: readonly (readonly [RegExp, readonly RegExp[]])[] = [
  [/^src\/model(\.ts$|\/)/, [/^src\/model\//]],
  [/^src\/root\.ts$/, []],
  [/^src\/version\.ts$/, [/^src\/root\.ts$/]],
  [/^src\/file\//, [/^src\/model\.ts$/, /^src\/file\//]],
  [/^src\/plan\//, [/^src\/model\.ts$/, /^src\/plan\//]],
  // What a run comes to. It is decided here and nowhere else, so whoever shows it or acts on it may ask.
  [/^src\/verdict\//, [/^src\/model\.ts$/, /^src\/verdict\//]],
  [/^src\/say\//, [/^src\/model\.ts$/, /^src\/(say|verdict)\//]],
  // What is remembered from run to run and when that is an alert: thinking alone, so a test can live through a year of it.
  [/^src\/watch\//, [/^src\/model\.ts$/, /^src\/(watch|verdict)\//]],
  // What is deployed into a Google project, thought of as data: which gcloud commands are still to be run.
  [/^src\/deploy\//, [/^src\/model\.ts$/, /^src\/deploy\//]],
  [/^src\/run\//, [/^src\/model\.ts$/, /^src\/run\//]],
  [
    /^src\/parties\/(\w+)\/(shape|claims|url)\.ts$/,
    [/^src\/model\.ts$/, /^src\/judge\/issuers\//, /^src\/parties\/$1\/(shape|claims|url)\.ts$/],
  ],
  // Pure. What one cloud's judge needs of another's tokens stands in the issuer table that both share.
  [/^src\/judge\/(aws|google)\//, [/^src\/model\.ts$/, /^src\/judge\/(?:$1|issuers)\//]],
  [/^src\/judge\/issuers\//, [/^src\/model\.ts$/, /^src\/judge\/issuers\//]],
  [
    /^src\/parties\/(\w+)\/trust\//,
    [/^src\/model\.ts$/, /^src\/judge\/(?:$1|issuers)\//, /^src\/parties\/$1\/(trust\/|claims\.ts)/],
  ],
  [
    /^src\/parties\/(\w+)\/sandbox\//,
    [
      /^src\/model\.ts$/,
      /^src\/judge\/(?:$1|issuers)\//,
      /^src\/parties\/$1\/(sandbox\/|claims\.ts)/,
      /^src\/sandbox\/(fake|state)\.ts$/,
    ],
  ],
  // Beside the retry layer: how a file says to get a token is the same for every issuer that has no cloud to ask.
  [
    /^src\/parties\/(\w+)\//,
    [
      /^src\/model\.ts$/,
      /^src\/judge\/(?:$1|issuers)\//,
      /^src\/parties\/$1\/(?!sandbox)/,
      /^src\/run\/(retry|minting|packed)\.ts$/,
    ],
  ],
  [/^src\/parties\/players\.ts$/, [/^src\/parties\/\w+\/sandbox\/index\.ts$/, /^src\/sandbox\/fake\.ts$/]],
  // `storage`: the store of a function is a cloud's service, and its client a party's own; `run` names no party.
  [/^src\/parties\/\w+\.ts$/, [/^src\/model\.ts$/, /^src\/parties\/\w+\/(index|credentials|storage)\.ts$/]],
  [/^src\/sandbox\//, [/^src\/model\.ts$/, /^src\/sandbox\//]],
  [/^(src\/(cli|crosstrust|functions)|functions|scripts|bin)/, [/./]],
];

const fill = (pattern: RegExp, party: string): RegExp => new RegExp(pattern.source.replaceAll("$1", party));

describe("imports run downhill", () => {
  test.each(files)("%s", (file) => {
    const room = rooms.find(([of]) => of.test(file));
    expect(room, `${file} stands in no room of the house`).toBeDefined();
    const party = room?.[0].exec(file)?.[1] ?? "";
    const allowed = (room?.[1] ?? []).map((pattern) => fill(pattern, party));
    expect(importsOf(file).filter((target) => !allowed.some((pattern) => pattern.test(target)))).toEqual([]);
  });

  test("a party's import of another party is caught", () => {
    const party = rooms.find(([of]) => of.test("src/parties/aws/exchange.ts"));
    const allowed = (party?.[1] ?? []).map((pattern) => fill(pattern, "aws"));
    expect(allowed.some((pattern) => pattern.test("src/parties/google/client.ts"))).toBe(false);
    expect(allowed.some((pattern) => pattern.test("src/parties/aws/sandbox/iam.ts"))).toBe(false);
  });

  test("there is no cycle", () => {
    const seen = new Map<string, "open" | "done">();
    const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (seen.get(file) === "done") return undefined;
      if (seen.get(file) === "open") return [...path.slice(path.indexOf(file)), file];
      seen.set(file, "open");
      for (const target of importsOf(file).filter((one) => texts.has(one))) {
        const cycle = walk(target, [...path, file]);
        if (cycle) return cycle;
      }
      seen.set(file, "done");
      return undefined;
    };
    expect(files.map((file) => walk(file, [])).filter(Boolean)).toEqual([]);
  });
});

/** Functions longer than the house allows, by their first line: from acorn over the code without its types. */
function longFunctions(text: string): readonly string[] {
  const code = stripTypeScriptTypes(text.replace(/^#!.*/, ""), { mode: "strip" });
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== "object") return;
    const { type, loc } = node as Node & { type?: string };
    if (loc && /Function/.test(type ?? "") && loc.end.line - loc.start.line + 1 > 40) {
      found.push(`line ${loc.start.line}: ${loc.end.line - loc.start.line + 1} lines`);
    }
    for (const inner of Object.values(node)) visit(inner);
  };
  visit(parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true, allowHashBang: true }));
  return found;
}

test("src/model/codes.ts lists the pages in src/say/codes: npm run codes writes it", () => {
  expect(source("src/model/codes.ts")).toBe(codesSource());
});

// Size is a smell and no gate (docs/decisions/013-judge.md): whoever runs the tests sees where a look pays.
test("sizes are reported", () => {
  const lines = (file: string): number => source(file).split("\n").length - 1;
  const large = files.filter((file) => lines(file) > 300).map((file) => `${file} (${lines(file)} lines)`);
  const long = files.flatMap((file) => longFunctions(source(file)).map((found) => `${file} ${found}`));
  const report = [
    `files over 300 lines: ${large.length}`,
    ...large,
    `functions over 40 lines: ${long.length}`,
    ...long,
  ];
  console.log(report.join("\n  "));
  expect(longFunctions(`const f = (a: string) => {\n${"a;\n".repeat(40)}};`)).toHaveLength(1);
});

describe("scripts", () => {
  // What people start by itself drives other programs, by zx; what does not is a function of the core.
  const started = files.filter((file) => /^scripts\//.test(file) && source(file).startsWith("#!"));

  test.each(started)("%s drives other programs with $", (file) => {
    expect(source(file)).toMatch(/import \{ \$[^}]*\} from "zx\/core"/);
    expect(source(file).replace(/import .*\n/g, "")).toMatch(/\$[`(,]/);
  });

  test("there are such scripts", () => {
    expect(started).toEqual(["scripts/deploy.ts", "scripts/field-kit.ts", "scripts/offboard.ts", "scripts/onboard.ts"]);
  });
});

describe("words", () => {
  const code = (file: string): string =>
    source(file)
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/^\s*\/\/.*$/gm, "")
      .replace(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, '""');

  test.each([
    ["provider", /(?<![-\w])provider(?![-\w])/],
    ["creds", /\bcreds\b/i],
    ["idp", /\bidp\b/i],
  ])("the bare word %s is not used in code", (_, word) => {
    expect(files.filter((file) => word.test(code(file)))).toEqual([]);
  });

  test("nothing is left for later", () => {
    expect(files.filter((file) => /TODO|FIXME|XXX|not implemented/.test(source(file)))).toEqual([]);
  });
});

test("tests run on Node 22 or newer: the checkout's own, not the system's", () => {
  expect(Number(process.versions.node.split(".")[0])).toBeGreaterThanOrEqual(22);
});
