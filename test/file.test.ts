import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import { jsonSchema } from "../src/file/schema.ts";
import type { Finding } from "../src/model.ts";
import { roleOf } from "../src/parties/aws/shape.ts";
import { parties, shapes } from "../src/parties/index.ts";
import { example, folderWith, manyLinks } from "./support/bench.ts";

// Bad input (fact sheet reliability-and-security, 3a): exit 65 with file:line:column, all errors at once, nothing
// contacted. The numbers are the sheet's.

const check = (text: string | Uint8Array): readonly Finding[] => {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const { federation, findings } = readFederation("f.yaml", bytes, shapes);
  return federation ? lintFile({ federation, parties, allowPrivileged: [], maxLinks: 1000 }) : findings;
};
const told = (text: string | Uint8Array) =>
  check(text).map(({ code, at }) => `${code} ${at.place?.line}:${at.place?.column}`);

const role = (value: string) => example.replace("role: reports-reader", `role: ${value}`);
const account = (value: string) => example.replace("account: 111122223333", `account: ${value}`);
const serviceAccount = (value: string) => example.replace("serviceAccount: reports", `serviceAccount: ${value}`);
const inTo = (text: string) => example.replace("audience: aws-trust-1", `audience: aws-trust-1, ${text}`);
const may = (text: string) => example.replace(/may: {2}\[.*\]/, `may:  [ ${text} ]`);
const second = (from: string, to: string) =>
  `${example}  second:\n    from: { google: { project: acme-prod, serviceAccount: ${from} } }\n    to:   { aws: { account: 111122223333, role: ${to} } }\n`;

const caller = "aws: { account: 111122223333, role: a }";
const cases: readonly (readonly [number, string, string | Uint8Array, readonly string[]])[] = [
  [1, "a key twice", example.replace("name: acme", "name: acme\nname: other"), ["YAML-DUPLICATE-KEY 3:1"]],
  [2, "two links of one name", `${example}${example.split("\n").slice(3).join("\n")}`, ["YAML-DUPLICATE-KEY 8:3"]],
  [3, "roles that differ by case", second("others", "Reports-Reader"), ["NAME-COLLISION 10:18"]],
  [4, "an unknown key", example.replace("serviceAccount", "serviceAcount"), ["MISSING-KEY 5:21", "UNKNOWN-KEY 5:43"]],
  [5, "another format", example.replace("crosstrust: 1", "apiVersion: v9"), ["MISSING-KEY 1:1", "UNKNOWN-KEY 1:1"]],
  [5, "a later format", example.replace("crosstrust: 1", "crosstrust: 2"), ["BAD-VALUE 1:13"]],
  [
    6,
    "an anchor and an alias",
    example.replace("name: acme", "name: &n acme").replace("role: reports-reader", "role: *n"),
    ["YAML-ALIAS-NOT-ALLOWED 2:10", "YAML-ALIAS-NOT-ALLOWED 6:49"],
  ],
  [6, "a merge key", example.replace("    may:", "    <<: {}\n    may:"), ["YAML-ALIAS-NOT-ALLOWED 7:5"]],
  [
    8,
    "an alias that holds itself",
    example.replace("name: acme", "name: &a { b: *a }"),
    ["YAML-ALIAS-NOT-ALLOWED 2:10"],
  ],
  [10, "a file of 2 MiB", `${example}${"#".repeat(2 * 1024 * 1024)}`, ["FILE-TOO-LARGE 1:1"]],
  [11, "1,001 links", manyLinks(1001), ["TOO-MANY-LINKS 4004:3", "AWS-QUOTA 4006:49"]],
  [12, "a custom tag", example.replace("name: acme", "name: !Ref acme"), ["YAML-TAG-NOT-ALLOWED 2:12"]],
  [12, "a function tag", example.replace("name: acme", "name: !!js/function acme"), ["YAML-TAG-NOT-ALLOWED 2:21"]],
  [13, "binary", example.replace("name: acme", "name: !!binary YWNtZQ=="), ["YAML-TAG-NOT-ALLOWED 2:16"]],
  [14, "a second document", `${example}---\na: 1\n`, ["YAML-SECOND-DOCUMENT 8:1"]],
  [15, "an empty file", "", ["CONFIG-EMPTY 1:1"]],
  [15, "only a comment", "# nothing\n", ["CONFIG-EMPTY 1:1"]],
  [15, "a tilde", "~", ["CONFIG-NOT-A-MAP 1:1"]],
  [15, "a list", "- a\n", ["CONFIG-NOT-A-MAP 1:1"]],
  [17, "UTF-16", Buffer.from(`\ufeff${example}`, "utf16le"), ["FILE-ENCODING 1:1"]],
  [18, "a tab as indentation", example.replace("  reports", "\treports"), ["YAML-SYNTAX 4:1"]],
  [19, "a NUL", example.replace("name: acme", 'name: "ac\\u0000me"'), ["STRING-CONTROL-CHAR 2:7"]],
  [20, "__proto__", example.replace("name: acme", "__proto__: { x: 1 }\nname: acme"), ["FILE-FORBIDDEN-KEY 2:1"]],
  [20, "constructor", example.replace("name: acme", "constructor: x\nname: acme"), ["FILE-FORBIDDEN-KEY 2:1"]],
  [22, "11 digits", account("12345678901"), ["BAD-VALUE 6:29"]],
  [22, "13 digits", account("1234567890123"), ["BAD-VALUE 6:29"]],
  [22, "digits with hyphens", account("1234-5678-9012"), ["BAD-VALUE 6:29"]],
  [23, "a float", account("1.23e11"), ["BAD-VALUE 6:29"]],
  [28, "an account id of 5", serviceAccount("repor"), ["BAD-VALUE 5:59"]],
  [28, "an account id of 31", serviceAccount("a".repeat(31)), ["BAD-VALUE 5:59"]],
  [28, "an account id with a digit first", serviceAccount("1reports"), ["BAD-VALUE 5:59"]],
  [28, "an account id with a hyphen last", serviceAccount("reports-"), ["BAD-VALUE 5:59"]],
  [29, "a role of 65", role("a".repeat(65)), ["BAD-VALUE 6:49"]],
  [29, "a role with a slash", role("a/b"), ["BAD-VALUE 6:49"]],
  [29, "a role with a blank", role('"a b"'), ["BAD-VALUE 6:49"]],
  [31, "a path without its last slash", inTo("path: /a"), ["BAD-VALUE 6:94"]],
  [33, "a Cyrillic letter", serviceAccount("rep\u043erts"), ["CONFUSABLE 5:59"]],
  [33, "a zero-width character", serviceAccount("rep\u200borts"), ["CONFUSABLE 5:59"]],
  [33, "an RTL override", role("rep\u202eorts"), ["CONFUSABLE 6:49"]],
  [33, "a soft hyphen", role("rep\u00adorts"), ["CONFUSABLE 6:49"]],
  [41, "a session of a minute", inTo("maxSession: 60"), ["BAD-VALUE 6:100"]],
  [41, "a session of 50,000 s", inTo("maxSession: 50000"), ["BAD-VALUE 6:100"]],
  [42, "the project's number", example.replace("project: acme-prod", "project: 123456789012"), ["BAD-VALUE 5:32"]],
  [43, "interpolation", role(`"\${ROLE}"`), ["FILE-NO-INTERPOLATION 6:49"]],
  [103, "AdministratorAccess", may("arn:aws:iam::aws:policy/AdministratorAccess"), ["AWS-PRIVILEGED 7:13"]],
  [103, "iam:*", may("{ allow: [ 'iam:*' ], resources: [ '*' ] }"), ["AWS-PRIVILEGED 7:13"]],
  [103, "every action", may("{ allow: [ '*' ], resources: [ '*' ] }"), ["AWS-PRIVILEGED 7:13"]],
  [103, "sts:AssumeRole", may("{ allow: [ sts:AssumeRole ], resources: [ '*' ] }"), ["AWS-PRIVILEGED 7:13"]],
  [0, "a wildcard in the audience", example.replace("aws-trust-1", "'aws-*'"), ["BAD-VALUE 6:75"]],
  [0, "no permission's form", may("{ allow: s3:GetObject }"), ["MISSING-KEY 7:13", "BAD-VALUE 7:22"]],
  [0, "two parties on one side", example.replace("from: {", `from: { ${caller},`), ["BAD-VALUE 5:11"]],
  [
    0,
    "a party that cannot issue",
    example.replace("from: { google:", "from: { okta: {}, google:"),
    ["UNKNOWN-KEY 5:13"],
  ],
  [0, "permissions for a used role", role("'arn:aws:iam::111122223333:role/theirs'"), ["USED-KEEPS-ITS-OWN 7:11"]],
];

describe("bad input is told with its place", () => {
  test.each(cases)("%i %s", (_, __, text, wanted) => {
    expect(told(text)).toEqual(wanted);
  });

  // A reader that expands the aliases makes thousands of millions of values, and never ends.
  test("7 an alias bomb is not expanded", () => {
    const lines = [
      "a0: &a0 [x, x]",
      ...Array.from({ length: 9 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}x]`),
    ];
    expect(told(lines.join("\n")).filter((line) => line.startsWith("YAML-ALIAS"))).toHaveLength(10);
  });

  test("9 twenty thousand brackets", () => {
    expect(told(`a: ${"[".repeat(20_000)}`)[0]).toMatch(/^YAML-TOO-DEEP 1:/);
    expect(told(`${"{ a: ".repeat(30)}1${" }".repeat(30)}`)).toContain("YAML-TOO-DEEP 1:106");
  });

  test("20 nothing reaches the prototype", () => {
    check(example.replace("name: acme", "__proto__: { polluted: 1 }\nname: acme"));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test("every error of a file at once, in the order of the file", () => {
    const text = account("1").replace("name: acme", "name: x").replace("serviceAccount: reports", "serviceAccount: r");
    expect(told(text)).toEqual(["BAD-VALUE 2:7", "BAD-VALUE 5:59", "BAD-VALUE 6:29"]);
  });

  test("a wrong character is named by its code point and never printed", () => {
    const [finding] = check(serviceAccount("rep\u202eorts"));
    expect(finding?.says).toContain("U+202E");
    expect(finding?.says).not.toContain("\u202e");
  });
});

describe("good input", () => {
  test.each([
    [16, "a BOM", `\ufeff${example}`],
    [45, "CRLF", example.replaceAll("\n", "\r\n")],
    [0, "comments", `# hello\n${example}`],
  ])("%i %s", (_, __, text) => {
    expect(told(text)).toEqual([]);
  });

  test("21, 24 digits stay digits: a leading zero and 21 of them", () => {
    const { federation } = readFederation("f", Buffer.from(account("012345678901")), shapes);
    expect(federation?.links[0]?.to.spec.account).toBe("012345678901");
    const { federation: other } = readFederation(
      "f",
      Buffer.from(example.replace("aws-trust-1", "100367186111111111111")),
      shapes,
    );
    expect(other?.links[0]?.audience).toBe("100367186111111111111");
  });

  test("defaults are the contract's", () => {
    const { federation } = readFederation("f", Buffer.from(example.replace(", audience: aws-trust-1", "")), shapes);
    const link = federation?.links[0];
    expect(link?.audience).toBe("crosstrust/acme/reports-to-s3");
    expect(link?.to.spec).toMatchObject({ region: "us-east-1" });
    expect(link && roleOf(link)).toMatchObject({ path: "/crosstrust/", maxSession: 3600 });
  });

  test("a default account of Google is a warning, not an error", () => {
    const found = check(serviceAccount("123456789012-compute@developer.gserviceaccount.com"));
    expect(found.map(({ code, severity }) => [code, severity])).toEqual([["GOOGLE-DEFAULT-ACCOUNT", "warning"]]);
  });
});

describe("the command", () => {
  const cli = (words: readonly string[], cwd: string) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "..", "src", "cli.ts"), ...words], {
      cwd,
      encoding: "utf8",
    });

  // Catches a program that opens its world, or a sandbox, before it has read the file.
  test.each(["lint", "plan --sandbox", "apply --sandbox", "health --sandbox", "plan"])(
    "%s ends with 65 and contacts nothing",
    (words) => {
      const folder = folderWith(account("1"));
      const { status, stderr, stdout } = cli(words.split(" "), folder);
      expect([status, stdout]).toEqual([65, ""]);
      expect(stderr).toContain("federation.yaml:6:29  error  BAD-VALUE");
      expect(() => readFileSync(join(folder, ".crosstrust", "sandbox", "state.jsonl"))).toThrow();
    },
  );

  test("as JSON", () => {
    const { status, stdout } = cli(["lint", "--json"], folderWith(account("1")));
    const document = JSON.parse(stdout);
    expect([status, document.crosstrust, document.command, document.exit]).toEqual([65, 1, "lint", 65]);
    expect(document.findings[0]).toMatchObject({
      code: "BAD-VALUE",
      severity: "error",
      at: { place: { file: "federation.yaml", line: 6, column: 29 } },
    });
  });

  test("init writes a file that lints, and never overwrites one", () => {
    const folder = folderWith(example);
    expect(cli(["init"], folder).status).toBe(64);
    expect(cli(["init", "--file", "new.yaml"], folder).status).toBe(0);
    expect(cli(["lint", "--file", "new.yaml"], folder).status).toBe(0);
    expect(cli(["init", "--file", "x.yaml", "--from", "google", "--to", "google"], folder).status).toBe(64);
    const pairs = ["oidc aws", "entra aws", "aws google", "oidc google", "entra google"].map((pair) => pair.split(" "));
    for (const [from = "", to = ""] of pairs) {
      const file = `${from}-${to}.yaml`;
      expect(cli(["init", "--file", file, "--from", from, "--to", to], folder).status).toBe(0);
      expect(cli(["lint", "--file", file], folder).status).toBe(0);
    }
  });

  test("a schedule, and the variable that holds the URL of a webhook: never the URL", () => {
    const read = (text: string) => readFederation("f.yaml", Buffer.from(`${example}${text}\n`), shapes);
    expect(read("schedule: 15\nalerts: { webhook: env:TEAM_HOOK }").federation).toMatchObject({
      schedule: 15,
      webhook: "TEAM_HOOK",
    });
    const bad = (text: string) =>
      read(text).findings.map(({ code, at }) => `${code} ${at.place?.line}:${at.place?.column}`);
    expect(bad("schedule: 0")).toEqual(["BAD-VALUE 8:11"]);
    expect(bad("schedule: 1441")).toEqual(["BAD-VALUE 8:11"]);
    expect(bad("alerts: { webhook: https://hooks.example.com/x }")).toEqual(["BAD-VALUE 8:20"]);
    expect(bad("alerts: { mail: me@example.com }")).toEqual(["MISSING-KEY 8:9", "UNKNOWN-KEY 8:11"]);
  });

  test("the schema in the repository is the generated one", () => {
    const generated = `${JSON.stringify(jsonSchema(shapes), null, 2)}\n`;
    const file = join(import.meta.dirname, "..", "federation.schema.json");
    if (process.env.UPDATE) writeFileSync(file, generated);
    expect(readFileSync(file, "utf8")).toBe(generated);
    const anyOf = JSON.stringify(jsonSchema(shapes));
    expect(anyOf).toContain('"account":{"anyOf":[{"type":"string","pattern":"^\\\\d{12}$"},{"type":"integer"}]}');
  });
});
