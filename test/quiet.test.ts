import { describe, expect, test } from "vitest";
import { loadFile } from "../src/cli/context.ts";
import { BadFile } from "../src/cli/exit.ts";
import { reviewLive } from "../src/crosstrust/review.ts";
import { parsePolicy } from "../src/judge/aws/policy.ts";
import { acceptLine, type Finding } from "../src/model.ts";
import { lintTrust } from "../src/parties/aws/trust/lint.ts";
import { everydayRow } from "./quiet/everyday.ts";
import type { Open, Pending, Right, Row, SetUp } from "./quiet/row.ts";
import { toAws } from "./quiet/set-ups.ts";
import { toAwsRows, writtenRows } from "./quiet/to-aws.ts";
import { toGoogleRows } from "./quiet/to-google.ts";
import { account, type Bench, bench, federationOf, folderWith } from "./support/bench.ts";
import { gets } from "./support/presenting.ts";
import { Somebody } from "./support/somebody.ts";

// Set-ups that Google, AWS, GitHub, GitLab and HashiCorp recommend. A right one that is reported as open teaches people to
// ignore the report; the half of it that lets somebody in must be reported always.

const rows: readonly Row[] = [...toGoogleRows, ...toAwsRows, everydayRow];

const fileOf = (links: string, accepts: readonly string[] = []): string =>
  `crosstrust: 1\nname: acme\nlinks:\n${links}${accepts.length > 0 ? `accept:\n${accepts.join("")}` : ""}`;

const acceptOf = ({ code, of = "" }: Finding): string =>
  `  - ${acceptLine(code, of)
    .replace(/^accept: \[ /, "")
    .replace(/ \]$/, "")
    .replace(", until: YYYY-MM-DD", "")
    .replace('"..."', '"documented so"')}\n`;

/** Every finding of `lint`, errors that end it included. */
function lintOf(text: string): readonly Finding[] {
  const file = `${folderWith(text)}/federation.yaml`;
  try {
    const { findings, reviewed } = loadFile(
      { file, sandbox: true, json: false, yes: true, quiet: true },
      { allowPrivileged: [], allowBroadSubject: [] },
      true,
    );
    return [...findings, ...reviewed];
  } catch (error) {
    if (error instanceof BadFile) return error.findings;
    throw error;
  }
}

const loud = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ severity, accepted }) => severity !== "hint" && !accepted)
    .map(({ severity, code }) => `${severity} ${code}`)
    .sort();

/** The file with one decision at its top for each security finding that lint has. */
function decided({ links }: SetUp): string {
  const open = lintOf(fileOf(links)).filter(({ severity }) => severity === "security");
  return fileOf(links, [...new Set(open.map(acceptOf))]);
}

/** Makes what the file says, as the row's surroundings are. */
async function made(setUp: SetUp): Promise<{ b: Bench; text: string }> {
  const b = await bench();
  await setUp.before?.(b);
  const text = decided(setUp);
  const { planned, applied } = await b.apply(text, { consents: { adopt: setUp.adopts ?? [] } });
  const asked = planned.plan.findings.filter(({ asks, accepted }) => asks !== undefined && !accepted);
  expect([asked, applied.findings]).toEqual([[], []]);
  return { b, text };
}

const tested = rows.filter(({ right, open, stopped = [] }) => right.length + open.length + stopped.length > 0);

describe.each(tested)("row $row, $title", ({ right, open, stopped = [] }) => {
  test.each(stopped)("lint stops: $title", ({ by, links }) => {
    expect(loud(lintOf(fileOf(links)))).toContain(`error ${by}`);
  });

  describe.each(right)("$title", (setUp: Right) => {
    test("lint says what the row says, and nothing once it is accepted", () => {
      const findings = lintOf(fileOf(setUp.links));
      expect(loud(findings)).toEqual([...setUp.lint].sort());
      for (const code of setUp.hints ?? []) expect(findings.map((one) => one.code)).toContain(code);
      expect(loud(lintOf(decided(setUp)))).toEqual(setUp.lint.filter((one) => !one.startsWith("security")).sort());
    });

    test(`health says ${setUp.verdict}`, async () => {
      const { b, text } = await made(setUp);
      const health = await b.health(text);
      expect([health.verdict, loud(health.findings).filter((one) => !one.startsWith("warning"))]).toEqual([
        setUp.verdict,
        [],
      ]);
      const live = await reviewLive(federationOf(text), b.world());
      expect(live.findings.filter(({ severity, accepted }) => /error|security/.test(severity) && !accepted)).toEqual(
        [],
      );
    });

    test("real-shaped tokens of the workload get in, and those of others do not", async () => {
      const { b, text } = await made(setUp);
      for (const claims of setUp.admits ?? [])
        expect([claims.sub, await gets(b, text, claims)]).toEqual([claims.sub, "yes"]);
      for (const claims of setUp.refuses ?? []) expect([claims.sub, await gets(b, text, claims)]).not.toContain("yes");
    });
  });

  describe.each(open)("$title", (half: Open) => {
    test.runIf(half.stopped)("lint stops the file", () => {
      const findings = lintOf(fileOf(half.stopped?.links ?? ""));
      expect(loud(findings)).toContain(`error ${half.stopped?.by}`);
    });

    test("health says open, with a witness", async () => {
      const { b, text } = await made(half);
      await half.edit?.(b);
      const health = await b.health(text);
      expect(health.verdict).toBe("open");
      const told = health.findings.filter(({ witness, accepted }) => witness && !accepted).map(({ code }) => code);
      expect(told).toContain(half.told);
    });
  });
});

describe("trust policies as they stand in accounts", () => {
  test.each(writtenRows)("row $row, $title", ({ policy, lint }) => {
    const parsed = parsePolicy(JSON.stringify(policy));
    const found = parsed ? lintTrust(parsed, { account, partition: "aws" }) : [];
    expect(found.map(({ severity, code }) => `${severity} ${code}`)).toEqual(lint);
  });

  const edited = writtenRows.filter(({ from }) => from !== undefined);
  test.each(edited)("row $row, $title: a made role edited to it is drift, and nobody else gets in", async (written) => {
    const { b, text } = await made({ title: "", links: toAws("reports", written.from ?? "") });
    await new Somebody(b).document(written.policy, "reports");
    const { verdict, findings } = await b.health(text);
    expect([verdict, findings.filter(({ witness }) => witness)]).toEqual(["drifted", []]);
  });
});

test("row 21, a pattern of a namespace: the finding names the namespace and the cluster", () => {
  const links = toAws(
    "importer",
    'oidc: { issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B", clientId: sts.amazonaws.com, subjectLike: "system:serviceaccount:shop:*" }',
  );
  const [found] = lintOf(fileOf(links)).filter(({ code }) => code === "BROAD-SUBJECT");
  expect(found?.says).toContain("the namespace shop of the cluster https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B");
});

// Catches a row that somebody drops: each is tested, or pending by the issue that makes it expressible.
test("each of the 28 rows is tested, or pending with the name of an issue", () => {
  const whole = rows.filter(({ right }) => right.length > 0).map(({ row }) => row);
  const pending = rows.flatMap(({ row, pending: some = [] }: Row) =>
    some.filter(({ issue, what }: Pending) => /^\d+$/.test(issue) && what !== "").map(() => row),
  );
  const covered = new Set([...whole, ...writtenRows.map(({ row }) => row), ...pending]);
  expect(Array.from({ length: 28 }, (_, at) => at + 1).filter((row) => !covered.has(row))).toEqual([]);
});
