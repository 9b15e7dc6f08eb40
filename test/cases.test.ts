import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { titles } from "../src/cli/commands/plan.ts";
import { noConsents } from "../src/crosstrust.ts";
import { lintFile } from "../src/file/lint.ts";
import { readFederation } from "../src/file/read.ts";
import type { Address, Consents, Finding, Leftovers, Live } from "../src/model.ts";
import { parties, shapes } from "../src/parties/index.ts";
import { expand } from "../src/plan/expand.ts";
import { order } from "../src/plan/order.ts";
import { planOf } from "../src/plan/plan.ts";
import { knownAfter } from "../src/plan/refs.ts";
import { placedText } from "../src/say/findings.ts";
import { document, planBody } from "../src/say/json.ts";
import { planText } from "../src/say/plan.ts";

// Golden cases: federation.yaml and live.json -> plan.txt, plan.json, findings.txt. Where they differ the actual text is
// left beside the expected one. UPDATE=1 rewrites the expected ones: read the difference before you commit it.

const folder = join(import.meta.dirname, "cases");

interface Given {
  readonly live: Record<Address, Live>;
  readonly leftovers?: Leftovers["found"];
  readonly consents?: Partial<Consents>;
}

function outcome(name: string): Readonly<Record<string, string>> {
  const read = (file: string) => readFileSync(join(folder, name, file));
  const given = (
    existsSync(join(folder, name, "live.json")) ? JSON.parse(read("live.json").toString()) : { live: {} }
  ) as Given;
  const consents = { ...noConsents, ...given.consents };
  const { federation, findings } = readFederation("federation.yaml", read("federation.yaml"), shapes);
  if (!federation) return { "findings.txt": told(findings) };
  const linted = lintFile({ federation, parties, allowPrivileged: consents.allowPrivileged, maxLinks: 1000 });
  const expansion = expand(federation.links, parties);
  const all = [...linted, ...expansion.findings, ...order(expansion.resources).findings];
  if (all.some(({ severity }) => severity === "error")) return { "findings.txt": told(all) };
  const kinds = parties.flatMap((party) => party.kinds);
  const observed = {
    live: new Map(Object.entries(given.live) as [Address, Live][]),
    leftovers: {
      found: given.leftovers ?? [],
      scopes: ["google acme-prod", "aws 111122223333 /crosstrust/"],
      findings: [],
    },
  };
  const plan = planOf({
    deployment: federation.name,
    desired: expansion.resources,
    named: expansion.resources,
    observed,
    links: federation.links,
    consents,
    kinds,
    findings: linted,
    only: [],
    swept: true,
    command: "apply",
    takes: false,
    tool: "0",
  });
  const view = {
    file: federation.file,
    world: "sandbox" as const,
    plan,
    links: titles(federation),
    scopes: observed.leftovers.scopes,
    words: "",
    command: "plan" as const,
  };
  return {
    "plan.txt": `${planText(view, { colour: false, again: "" })}\n`,
    "plan.json": document(
      { tool: "0", world: "sandbox", command: "plan", exit: 0 },
      planBody(plan, undefined, knownAfter),
    ),
  };
}

const told = (findings: readonly Finding[]): string => `${placedText(findings, { colour: false, again: "" })}\n`;

describe("golden cases", () => {
  test.each(readdirSync(folder).sort())("%s", (name) => {
    const actual = outcome(name);
    for (const file of ["plan.txt", "plan.json", "findings.txt"]) {
      const expected = join(folder, name, file);
      const beside = `${expected}.actual`;
      rmSync(beside, { force: true });
      const text = actual[file];
      if (process.env.UPDATE && text !== undefined) writeFileSync(expected, text);
      const wanted = existsSync(expected) ? readFileSync(expected, "utf8") : undefined;
      if (text !== wanted && text !== undefined) writeFileSync(beside, text);
      expect(text, `${name}/${file}`).toBe(wanted);
    }
  });
});
