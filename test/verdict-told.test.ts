import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { apply } from "../src/cli/commands/apply.ts";
import { explain, health } from "../src/cli/commands/health.ts";
import type { Context } from "../src/cli/context.ts";
import { healthOf } from "../src/functions/health.ts";
import { provisionOf } from "../src/functions/provision.ts";
import { lastReport } from "../src/functions/report.ts";
import { type Finding, finding, type Party } from "../src/model.ts";
import { parties } from "../src/parties/index.ts";
import { account, type Bench, bench, example, federationOf, folderWith } from "./support/bench.ts";
import { parsed } from "./support/openmetrics.ts";
import { Somebody } from "./support/somebody.ts";

// What a check finds is told in eight places: text, JSON, page and metrics of the command, and answer, status, log and
// alert of the function. None of them may say something else than the others.

let b: Bench;
let folder: string;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  b = await bench();
  folder = folderWith(example);
  process.env.CROSSTRUST_FILE = join(folder, "federation.yaml");
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  delete process.env.CROSSTRUST_FILE;
});

/** Lets every later check find this, as a party's own look at what is live would. */
function finds(...found: readonly Finding[]): void {
  const oidc = parties.find(({ name }) => name === "oidc") as Party;
  vi.spyOn(oidc, "watch").mockResolvedValue(found);
}

const context = (json = false): Context => ({
  flags: { file: join(folder, "federation.yaml"), quiet: true, json },
  paper: { colour: false, again: "" },
  world: b.world(),
  close: async () => {},
});
const caller = "scheduler@example.com";
const call = (query: Record<string, unknown> = {}, body: unknown = {}) => ({
  ...{ query, body, world: b.world(), federation: federationOf(example), linted: [], caller },
});
const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

/** Checks by the command and by the function, and collects what each place says. */
async function told() {
  const text = await health(context(), { links: [] });
  const json = await health(context(true), { links: [] });
  const metrics = parsed((await health(context(), { links: [], metrics: true })).text);
  lines.length = 0;
  const answer = await healthOf(call());
  const run = lines.find(({ event }) => event === "crosstrust.health");
  const alerts = lines.filter(({ event }) => event === "crosstrust.alert").map(({ alert }) => alert);
  const strict = await healthOf(call({ strict: "" }));
  const page = (await lastReport({ query: { format: "html" }, world: b.world(), caller })).body;
  return {
    ...{ text: text.text, page, metrics, alerts },
    document: JSON.parse(answer.body),
    exits: [text.exit, json.exit, JSON.parse(json.text).exit, JSON.parse(answer.body).exit],
    verdicts: [
      JSON.parse(json.text).verdict,
      JSON.parse(answer.body).verdict,
      answer.headers?.["crosstrust-verdict"],
      run?.verdict,
    ],
    metric: metrics.find(({ name, value }) => name === "crosstrust_link_verdict" && value === 1)?.labels.verdict,
    severity: run?.severity,
    strict: strict.status,
    lede: /<p class="lede">([^<]*)\.<\/p>/.exec(page)?.[1],
  };
}

const four = <T>(one: T): readonly T[] => [one, one, one, one];
const reassuring = /turns? others away/;

describe("one answer, told everywhere", () => {
  test("a link that works", async () => {
    await b.apply(example);
    const all = await told();
    expect([all.exits, all.verdicts]).toEqual([four(0), four("works")]);
    expect([all.metric, all.severity, all.strict, all.alerts]).toEqual(["works", "INFO", 200, []]);
    expect(lastLine(all.text)).toBe("every link works, and turns others away");
    expect(all.lede).toBe("every link works, and turns others away");
  });

  test("a witness: open and exit 3 everywhere, one alert by its code, and nothing reassuring", async () => {
    await b.apply(example);
    const path = ["a token of somebody", "the role reports-reader"];
    const outsider = finding("AWS-PRINCIPAL-EXTRA", {
      ...{ severity: "security", says: "somebody of another account gets in", links: ["reports-to-s3"] },
      at: { address: `aws:role/${account}/reports-reader` },
      witness: { outsider: "somebody", path, how: "judged" },
    });
    finds(outsider);
    const all = await told();
    expect([all.exits, all.verdicts]).toEqual([four(3), four("open")]);
    expect([all.metric, all.severity, all.strict]).toEqual(["open", "ERROR", 503]);
    expect(all.alerts).toMatchObject([
      { state: "opened", cause: { what: "AWS-PRINCIPAL-EXTRA", where: `aws ${account}` } },
    ]);
    expect(all.text).toContain("OPEN");
    expect(all.text).toContain("somebody of another account gets in   AWS-PRINCIPAL-EXTRA");
    expect(all.text).toContain(`judged: ${path.join(" -> ")}`);
    expect([all.text, all.page, all.document.says].filter((one) => reassuring.test(one))).toEqual([]);
    expect(all.document.links[0].missing).toMatchObject([{ premise: "closed", finding: "AWS-PRINCIPAL-EXTRA" }]);
  });

  test.each<readonly [string, readonly string[] | undefined]>([
    ["of a link", ["reports-to-s3"]],
    ["of the account alone", []],
    ["of every link", undefined],
  ])("a security finding without a witness, %s: works, and somebody has to decide", async (_, links) => {
    await b.apply(example);
    finds(
      finding("BROAD-SUBJECT", { severity: "security", says: "it is broad", ...(links ? { links } : {}) }),
      finding("BROAD-SUBJECT", { severity: "security", says: "meant", accepted: { reason: "so" }, links: [] }),
    );
    const all = await told();
    expect([all.exits, all.verdicts]).toEqual([four(0), four("works")]);
    expect([all.metric, all.severity, all.strict, all.alerts]).toEqual(["works", "NOTICE", 200, []]);
    expect(lastLine(all.text)).toBe("every link works; 1 security finding to decide");
    expect([all.lede, all.document.says, all.document.undecided]).toEqual([lastLine(all.text), lastLine(all.text), 1]);
    const box = links?.length === 0 ? [] : [all.page];
    expect([all.text, ...box].filter((one) => reassuring.test(one))).toEqual([]);
    expect(all.metrics.find(({ name }) => name === "crosstrust_findings_undecided")?.value).toBe(1);
  });

  test("drift", async () => {
    await b.apply(example);
    await new Somebody(b).iam("UpdateRole", { RoleName: "reports-reader", MaxSessionDuration: "7200" });
    const all = await told();
    expect([all.exits, all.verdicts]).toEqual([four(2), four("drifted")]);
    expect([all.metric, all.severity, all.strict]).toEqual(["drifted", "WARNING", 503]);
    expect([all.text, all.lede].filter((one) => reassuring.test(one ?? ""))).toEqual([]);
  });

  test("a link that was never made is absent, and exit 2", async () => {
    const all = await told();
    expect([all.exits, all.verdicts]).toEqual([four(2), four("absent")]);
    expect([all.metric, all.severity, all.strict]).toEqual(["absent", "WARNING", 503]);
    expect(all.text).toMatch(/^ {2}absent {4}reports-to-s3 /m);
    expect(all.lede).toBe("a link of the file is not made, or not made whole");
    const explained = await explain(context(), { what: "reports-to-s3" });
    expect(explained.exit).toBe(2);
  });
});

test("a new link that shares its trust with one that works is absent, and the other one drifted", async () => {
  const pooled = (name: string, role: string) => `  ${name}:
    from: { aws: { account: 123456789000, role: ${role} } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: aws-prod, serviceAccount: ${name} } }
`;
  const one = `crosstrust: 1\nname: acme\nlinks:\n${pooled("etl-one", "one")}`;
  await b.apply(one);
  const both = `${one}${pooled("etl-two", "two")}`;
  const { links } = await b.health(both);
  expect(links.map(({ link, verdict }) => [link, verdict])).toEqual([
    ["etl-one", "drifted"],
    ["etl-two", "absent"],
  ]);
});

test("an issuer that throttles is no definite no: unknown, and exit 75 with it", async () => {
  const file = readFileSync("examples/oidc-to-aws.yaml", "utf8");
  await b.apply(file);
  b.haste = 1000;
  b.sandbox.faults.set([{ service: "oidc", operation: "*", fault: "throttle" }]);
  const { verdict, exit, findings } = await b.health(file);
  expect([verdict, exit]).toEqual(["unknown", 75]);
  expect(findings.map(({ code }) => code)).toContain("COULD-NOT-TELL");
});

describe("after a repair", () => {
  const trustAnybody = async () => {
    const somebody = new Somebody(b);
    await somebody.trust({ StringLike: { "accounts.google.com:sub": "*" } });
  };

  test("the command says what is so now, and not what was open before", async () => {
    await b.apply(example);
    await trustAnybody();
    expect((await health(context(), { links: [] })).exit).toBe(3);
    const text = await apply(context(), { words: [] });
    expect([text.exit, text.text]).toEqual([0, expect.stringMatching(/repaired .*\n {2}works /)]);
    expect(text.text).not.toMatch(/security\[|currently admits/);
    await trustAnybody();
    const json = JSON.parse((await apply(context(true), { words: [] })).text);
    expect([json.exit, json.verdict, json.findings]).toEqual([0, "works", []]);
    expect((await health(context(), { links: [] })).exit).toBe(0);
  });

  test("the function does so, too: answer, log and alert", async () => {
    await b.apply(example);
    await trustAnybody();
    const planned = JSON.parse((await provisionOf(call())).body);
    expect(planned.findings.map(({ severity }: Finding) => severity)).toContain("security");
    lines.length = 0;
    const done = JSON.parse((await provisionOf(call({}, { plan: planned.fingerprint }))).body);
    expect([done.exit, done.verdict, done.findings]).toEqual([0, "works", []]);
    expect(lines.find(({ event }) => event === "crosstrust.apply")).toMatchObject({
      severity: "INFO",
      verdict: "works",
    });
    const all = await told();
    expect([all.exits, all.alerts]).toEqual([four(0), []]);
    expect(all.page).not.toContain("lets strangers in");
  });

  test("a repair that the cloud refuses still says who gets in", async () => {
    await b.apply(example);
    await trustAnybody();
    b.sandbox.faults.set([{ service: "aws.iam", operation: "UpdateAssumeRolePolicy", fault: "error500" }]);
    b.haste = 1000;
    const { exit, text } = await apply(context(), { words: [] });
    expect([exit, text]).toEqual([3, expect.stringMatching(/\n {2}open /)]);
    expect(text).toContain("security[");
  });
});
