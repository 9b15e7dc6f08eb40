import { describe, expect, test } from "vitest";
import type { Health } from "../../src/model.ts";
import { healthText } from "../../src/say/health.ts";
import { type Deployment, deployment, programsOf } from "../support/edits.ts";
import { has, witnessed } from "../support/witness.ts";
import * as aws from "./edits/aws.ts";
import * as google from "./edits/google.ts";
import type { Row, Table } from "./edits/row.ts";

// Edits that let somebody in, made in the clouds with the unmodified aws CLI and gcloud, and what the next check of the
// health must give for each. None of them may end with the line that says that others are turned away.

const tables: readonly Table[] = [
  aws.fromGoogle,
  aws.fromOwnIssuer,
  aws.fromSharedIssuer,
  google.fromAws,
  google.fromOwnIssuer,
  google.fromSharedIssuer,
  google.fromEntra,
];

test("at least forty edits are listed", () => {
  expect(tables.flatMap(({ rows }) => rows).length).toBeGreaterThanOrEqual(40);
});

const reassuring = "turns others away";
const textOf = (health: Health): string => healthText(health, "sandbox", { colour: false, again: "" });

/** What health gives, as far as the row says something of it. */
function given(health: Health, { codes }: Row) {
  const found: readonly string[] = health.findings.map(({ code }) => code);
  const witnesses = health.findings.flatMap(({ witness }) => witness ?? []);
  const withClaims = witnesses.some(({ claims }) => claims !== undefined);
  return {
    verdict: health.verdict,
    exit: health.exit,
    codes: codes.filter((code) => found.includes(code)),
    witness: withClaims ? "claims" : witnesses.length > 0 ? "named" : "none",
  };
}

async function check(made: Deployment, row: Row): Promise<void> {
  const { verdict, exit, codes, witness } = row;
  made.restore();
  await made.edit(row.run, row.files);
  const health = await made.health();
  expect(given(health, row)).toEqual({ verdict, exit, codes, witness });
  expect(textOf(health)).not.toContain(reassuring);
  for (const one of health.findings.filter((finding) => finding.witness?.claims !== undefined)) {
    const outsider = one.witness?.outsider;
    expect([outsider, await made.replay(one, row)]).toEqual([outsider, true]);
  }
}

for (const { title, base, rows } of tables)
  describe(title, () => {
    const before = base.before ?? [];
    const needed = programsOf([...before, ...rows.flatMap(({ run }) => run)]);
    const made = deployment(base, needed.some(has));

    witnessed(...programsOf(before))("nothing is edited: works, and others are turned away", async () => {
      made.restore();
      const health = await made.health();
      expect([health.verdict, health.exit]).toEqual(["works", 0]);
      expect(textOf(health)).toContain(reassuring);
    });

    for (const row of rows) {
      const programs = programsOf([...before, ...row.run]);
      const title = `${row.edit}: ${row.verdict}${row.pending ? `, pending because ${row.pending}` : ""}`;
      const listed = witnessed(...programs);
      (row.pending ? listed.fails : listed)(title, () => check(made, row));
    }
  });

describe("a policy of the customer's own that a link attaches", () => {
  const made = deployment(aws.fromSharedIssuer.base, has("aws"));

  witnessed("aws")("gets a new default version: the next scheduled run has news of it", async () => {
    const versions = async () =>
      (await made.health()).inventory?.filter(({ code }) => code === "AWS-POLICY-VERSION").map(({ of }) => of);
    const before = await versions();
    await made.edit([aws.newDefaultVersion]);
    expect([before, await versions()]).toEqual([[expect.stringMatching(/ v1$/)], [expect.stringMatching(/ v2$/)]]);
  });
});
