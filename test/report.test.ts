import { join } from "node:path";
import { XMLValidator } from "fast-xml-parser";
import { describe, expect, onTestFinished, test } from "vitest";
import { reportOf } from "../src/crosstrust/report.ts";
import { healthOf } from "../src/functions/health.ts";
import { lastReport } from "../src/functions/report.ts";
import { type Finding, type Report, verdicts } from "../src/model.ts";
import { knownAfter } from "../src/plan/refs.ts";
import { healthHtml } from "../src/say/html/page.ts";
import { document, healthBody } from "../src/say/json.ts";
import { healthMetrics } from "../src/say/metrics.ts";
import { bench, example, federationOf, folderWith } from "./support/bench.ts";
import { crosstrust, stage } from "./support/cli.ts";
import { parsed } from "./support/openmetrics.ts";
import { past, troubled, well } from "./support/report.ts";

// The report as a page and as metrics: everything is in it, and nothing that somebody else wrote becomes markup.

const svgs = (page: string): readonly string[] => page.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
const plain = (page: string): string =>
  page
    .replace(/<style>[\s\S]*?<\/style>/, "")
    .replace(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replace(/\s+/g, " ");

/** Every text of a report replaced by one that tries to get out of where it stands. */
const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)></text></svg></style>&amp;\u202e\u0000\ud800`;
const hostile = (value: unknown, key = ""): unknown => {
  if (typeof value === "string")
    return /^(verdict|severity|step|result|how|verb|cause|at|since|lastGood|world)$/.test(key)
      ? value
      : `${value}${evil}`;
  if (Array.isArray(value)) return value.map((one) => hostile(one, key === "runs" ? "verdict" : key));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, hostile(member, typeof member === "object" ? "" : name)]),
  );
};

describe("the page", () => {
  const page = healthHtml(troubled, past);

  test("says every link, hop, difference, finding, piece of evidence and fix", () => {
    const text = plain(page);
    for (const { link, verdict, hops, changes } of troubled.document.links) {
      for (const word of [link, verdict, ...hops.map(({ saw }) => saw), ...changes.map(({ address }) => address)])
        expect(text).toContain(word);
      for (const { step, ms, how, result } of hops)
        expect(text).toMatch(how === "proved" && result === "ok" ? new RegExp(`${step} ${ms} ms`) : new RegExp(step));
    }
    for (const { code, says, because, fix } of troubled.document.findings) {
      for (const word of [
        code,
        says,
        ...fix,
        ...because.flatMap((row) => [row.key, row.wants, row.says, row.readFrom]),
      ])
        expect(text).toContain(word);
    }
    for (const word of ["open since 2026-11-21 20:05 UTC (3 h 15 min)", "last worked 2026-11-19 07:45 UTC", "LET IN"])
      expect(text.toLowerCase()).toContain(word.toLowerCase());
    expect(page).toContain('aria-label="last 28 checks: 3 open, 2 drifted, 23 works"');
    expect(text).toContain("crosstrust explain reports-to-s3 --sandbox");
  });

  test("the worst is first", () => {
    const at = (word: string) => page.indexOf(`<strong>${word}</strong>`, page.indexOf('id="links"'));
    expect(at("reports-to-s3")).toBeLessThan(at("okta-engineers"));
    expect(at("okta-engineers")).toBeLessThan(at("billing-to-s3"));
    expect(page.indexOf('id="AWS-SUB-MISSING"')).toBeLessThan(page.indexOf('id="AWS-TRUST-REFUSES"'));
  });

  test("the drawing is well-formed, shares what is shared, and says in words what it shows", () => {
    expect(svgs(page).length).toBe(6);
    for (const svg of svgs(page)) expect(XMLValidator.validate(svg)).toBe(true);
    const [wide = ""] = svgs(page);
    expect(wide.match(/class="box/g)).toHaveLength(5 + 3 + 4 + 4);
    expect(wide).toContain(
      "reports-to-s3: reports@acme-prod, vouched for by accounts.google.com, becomes role reports-reader, may AmazonS3ReadOnlyAccess: open",
    );
    expect(wide).toContain("! lets strangers in");
    expect(wide).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("no two boxes of the drawing stand on each other, however links share them", () => {
    const [side] = troubled.sides;
    const many = Array.from({ length: 12 }, (_, at) => ({
      ...side!,
      link: `l${at}`,
      issuer: `issuer-${at % 3}`,
      to: { party: "aws", scope: "1", title: `role ${(at * 7) % 5}` },
      may: [`policy-${(at * 5) % 4}`],
    }));
    const links = many.map(({ link }) => ({ ...troubled.document.links[0]!, link }));
    const [wide = ""] = svgs(healthHtml({ ...troubled, sides: many, document: { ...troubled.document, links } }));
    const boxes = [...wide.matchAll(/<rect x="([\d.]+)" y="([\d.]+)"/g)].map(([, x, y]) => [x, Number(y)] as const);
    for (const [at, [x, y]] of boxes.entries()) {
      expect(y).toBeGreaterThanOrEqual(0);
      for (const [otherX, otherY] of boxes.slice(at + 1))
        if (x === otherX) expect(Math.abs(y - otherY)).toBeGreaterThan(80);
    }
  });

  test("loads nothing and runs nothing", () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`);
    expect(page.replace(/<[^>]*content="[^"]*"[^>]*>/, "")).not.toMatch(
      /<(script|link|img|iframe|object|embed|base|form)\b/i,
    );
    expect(page).not.toMatch(/\s(src|srcset|action|on\w+)=|@import|url\(/i);
    for (const [, target = ""] of page.matchAll(/href="([^"]*)"/g)) expect(target).toMatch(/^#/);
  });

  test("other people's text stays text", () => {
    const harmless = hostile(troubled) as Report;
    const links = Object.fromEntries(Object.entries(past.links).map(([link, one]) => [`${link}${evil}`, one]));
    const page = healthHtml(harmless, { alerts: hostile(past.alerts) as typeof past.alerts & object, links });
    expect(page).not.toMatch(/<script|<img/i);
    expect(page).not.toMatch(/[\u202e\u0000\ud800]/);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    for (const svg of svgs(page)) expect(XMLValidator.validate(svg)).toBe(true);
    const tags = (text: string) => (text.match(/<[a-z!][^>]*>/gi) ?? []).map((tag) => tag.replace(/"[^"]*"|\d+/g, ""));
    expect(tags(page)).toEqual(tags(healthHtml(troubled, past)));
  });

  test("is the same for the same report, and changes nothing in it", () => {
    const before = structuredClone(troubled);
    expect(healthHtml(troubled, past)).toBe(page);
    expect(troubled).toEqual(before);
    expect(healthHtml(well)).toContain("every link works, and turns others away");
  });

  test("a report without links, with links that left the file, with a thousand", () => {
    const { document } = well;
    expect(plain(healthHtml({ ...well, document: { ...document, links: [] } }))).toContain("no links");
    expect(plain(healthHtml({ ...well, sides: [] }))).toContain("no link of this report is in the file any more");
    let reads = 0;
    const sides = Array.from({ length: 1000 }, (_, at) =>
      Object.defineProperty({ ...well.sides[0]! }, "link", {
        get() {
          reads++;
          return `link-${at}`;
        },
        enumerable: true,
      }),
    );
    const links = sides.map(({ link }) => ({ ...document.links[0]!, link }));
    reads = 0;
    const page = healthHtml({ ...well, sides, document: { ...document, links } });
    // The picture has two dozen rows; work that grows with the square of the links reads each of them a thousand times.
    expect(reads / sides.length).toBeLessThan(100);
    expect(plain(page)).toContain("976 more in the list below");
    expect(page).toContain("<strong>link-999</strong>");
  });
});

describe("the metrics", () => {
  test("are OpenMetrics, with one verdict for each link", () => {
    const samples = parsed(healthMetrics(troubled, past));
    const of = (name: string, labels: Record<string, string>) =>
      samples.find(
        (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
      )?.value;
    for (const { link, verdict } of troubled.document.links) {
      const mine = samples.filter((one) => one.name === "crosstrust_link_verdict" && one.labels.link === link);
      expect(mine).toHaveLength(verdicts.length);
      expect(mine.filter(({ value }) => value === 1).map(({ labels }) => labels.verdict)).toEqual([verdict]);
    }
    expect(of("crosstrust_link_hop_milliseconds", { link: "billing-to-s3", step: "exchange" })).toBe(212);
    expect(of("crosstrust_link_hop_milliseconds", { link: "entra-app" })).toBeUndefined();
    expect(of("crosstrust_links", { verdict: "works" })).toBe(2);
    expect(of("crosstrust_findings", { severity: "security" })).toBe(1);
    expect(of("crosstrust_health_timestamp_seconds", {})).toBe(Date.parse(troubled.document.at) / 1000);
    expect(of("crosstrust_health_duration_seconds", {})).toBe(1.84);
    expect(of("crosstrust_link_since_timestamp_seconds", { link: "etl-to-s3" })).toBe(Date.UTC(2026, 9, 2, 11) / 1000);
  });

  test("names that try to end a label or a line are read back as they are", () => {
    const names = ['a"b', "a\\", 'a\nb{c="d"} 1', "a # EOF", "a,b}"];
    const links = names.map((link) => ({ ...well.document.links[0]!, link }));
    const samples = parsed(healthMetrics({ ...well, document: { ...well.document, links } }));
    expect([...new Set(samples.map(({ labels }) => labels.link).filter(Boolean))]).toEqual(names);
  });

  test("the parser of this test is strict", () => {
    const good = healthMetrics(well);
    for (const bad of [
      good.replace("# EOF\n", ""),
      `${good}x 1\n`,
      good.replace(" gauge", " guage"),
      good.replace('="', "="),
    ])
      expect(() => parsed(bad)).toThrow();
  });
});

describe("as commands", () => {
  test("a real check becomes a page and metrics, and both are of its document", async () => {
    const b = await bench();
    await b.apply(example);
    const health = await b.health(example);
    const body = document(
      { tool: "0", world: "sandbox", command: "health", exit: 0 },
      healthBody("acme", health, knownAfter),
    );
    const report = reportOf(body, federationOf(example));
    expect(report.sides[0]).toMatchObject({
      from: { title: "reports@acme-prod" },
      issuer: "accounts.google.com",
      to: { title: "role reports-reader" },
      may: ["AmazonS3ReadOnlyAccess"],
    });
    expect(plain(healthHtml(report))).toContain("every link works, and turns others away");
    expect(parsed(healthMetrics(report)).length).toBeGreaterThan(10);
  });

  test("--html beside the answer, --metrics in its place, and what cannot be is a wrong command line", async () => {
    const { readFileSync, statSync } = await import("node:fs");
    const { ct, cwd } = await stage();
    await ct("apply --quiet");
    const ran = await ct("health --quiet --html report.html --json");
    expect([ran.exit, JSON.parse(ran.out).verdict]).toEqual([0, "works"]);
    const page = readFileSync(`${cwd}/report.html`, "utf8");
    expect(page).toContain("reports-to-s3");
    expect(statSync(`${cwd}/report.html`).mode & 0o777).toBe(0o644);
    expect(parsed((await ct("health --quiet --metrics")).out).length).toBeGreaterThan(10);
    for (const wrong of ["--metrics --json", "--html nowhere/x.html", "--html .", "--html federation.yaml"]) {
      const { exit, out } = await ct(`health --quiet ${wrong}`);
      expect([wrong, exit, out]).toEqual([wrong, 64, ""]);
    }
    expect((await crosstrust("plan --html x", { cwd })).exit).toBe(64);
  });
});

describe("the function", () => {
  test("renders its last report: nothing is checked, nobody frames it, nobody keeps it", async () => {
    const b = await bench();
    await b.apply(example);
    const get = (format?: unknown) =>
      lastReport({ query: format === undefined ? {} : { format }, world: b.world(), caller: "operator@example.com" });
    expect((await get("html")).status).toBe(404);
    process.env.CROSSTRUST_FILE = join(folderWith(example), "federation.yaml");
    onTestFinished(() => void delete process.env.CROSSTRUST_FILE);
    await healthOf({
      ...{ query: {}, body: {}, world: b.world() },
      ...{ federation: federationOf(example), caller: "operator@example.com" },
    });
    expect(await b.callsOf(async () => void (await get("html")))).toEqual([]);
    const { status, body, headers } = await get("html");
    expect(status).toBe(200);
    expect(body).toContain("<strong>reports-to-s3</strong>");
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "crosstrust-verdict": "works",
    });
    expect(headers?.["content-security-policy"]).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/);
    expect(parsed((await get("metrics")).body).length).toBeGreaterThan(10);
    expect(JSON.parse((await get()).body)).toMatchObject({ command: "health", verdict: "works" });
    for (const wrong of ["pdf", ["html", "json"], { a: 1 }, ""]) expect((await get(wrong)).status).toBe(400);
  });
});

/** Findings are data: a page with one of each severity names them all. */
test("every severity has a word of its own on the page", () => {
  const severities: readonly Finding["severity"][] = ["error", "security", "warning", "hint"];
  const findings = severities.map((severity) => ({ ...troubled.document.findings[0]!, severity }));
  const text = plain(healthHtml({ ...troubled, document: { ...troubled.document, findings } }));
  for (const severity of severities) expect(text).toContain(` ${severity} `);
});
