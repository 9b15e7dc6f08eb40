import { describe, expect, test } from "vitest";
import { healthText } from "../../src/say/health.ts";
import { deployment, programsOf } from "../support/edits.ts";
import { has, witnessed } from "../support/witness.ts";
import * as aws from "./edits/aws.ts";
import * as google from "./edits/google.ts";
import type { Table } from "./edits/row.ts";

// Edits that let somebody in, made in the clouds with the unmodified aws CLI and gcloud, and what the next check of the
// health must give for each. None of them may end with the line that says that others are turned away.

const tables: readonly Table[] = [...Object.values(aws), ...Object.values(google)];

test("at least forty edits are listed", () => {
  expect(tables.flatMap(({ rows }) => rows).length).toBeGreaterThanOrEqual(40);
});

for (const { title, base, rows } of tables)
  describe(title, () => {
    const needed = [...programsOf(base.before ?? []), ...programsOf(rows.flatMap(({ run }) => run))];
    const made = deployment(base, needed.some(has));

    for (const row of rows)
      witnessed(...programsOf([...(base.before ?? []), ...row.run]))(`${row.edit}: ${row.verdict}`, async () => {
        made.restore();
        await made.edit(row.run, row.files);
        const health = await made.health();
        const codes = health.findings.map(({ code }) => code);
        const witnesses = health.findings.filter(({ witness }) => witness !== undefined);
        const withClaims = witnesses.filter(({ witness }) => witness?.claims !== undefined);
        const got = {
          verdict: health.verdict,
          exit: health.exit,
          codes: row.codes.filter((code) => codes.includes(code)),
          witness: withClaims.length > 0 ? "claims" : witnesses.length > 0 ? "named" : "none",
        };
        const { verdict, exit, codes: wanted, witness } = row;
        if (process.env.SHOW)
          console.log(row.edit, JSON.stringify({got, codes}), JSON.stringify(withClaims.map((one) => one.witness?.path)));
        expect(got).toEqual({ verdict, exit, codes: wanted, witness });
        expect(healthText(health, "sandbox", { colour: false, again: "" })).not.toContain("turns others away");
        for (const one of withClaims) {
          const outsider = one.witness?.outsider;
          expect([outsider, await made.replay(one, row)]).toEqual([outsider, true]);
        }
      });
  });
