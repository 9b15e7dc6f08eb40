import { copyFileSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { planControl } from "../src/crosstrust/control.ts";
import { players } from "../src/parties/players.ts";
import { attach } from "../src/sandbox/attach.ts";
import { exitOf } from "../src/verdict/exit.ts";
import { Bench, federationOf, folderWith } from "./support/bench.ts";

// State and marks that a landed version wrote plan empty with this one. `test/upgrade/record.ts` recorded what stands in
// the folder of each commit. A later version adds a folder of its own and changes none.

interface Recorded {
  readonly verdict: string;
  readonly links: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "upgrade");
const commits = globSync(join(root, "*", "recorded.json")).map((file) => basename(dirname(file)));

/** A sandbox that goes on with a recorded state; its keys and certificates are new. */
async function resumed(commit: string, name: string): Promise<{ readonly b: Bench; readonly text: string }> {
  const text = readFileSync(join(root, commit, `${name}.yaml`), "utf8");
  const folder = folderWith(text);
  copyFileSync(join(root, commit, `${name}.jsonl`), join(folder, "state.jsonl"));
  const attached = await attach({ folder, players });
  onTestFinished(() => attached.close());
  if (!attached.sandbox) throw new Error("another process serves this folder");
  return { b: new Bench(attached.url, attached.sandbox), text };
}

describe.each(commits)("state that %s recorded", (commit) => {
  const recorded = JSON.parse(readFileSync(join(root, commit, "recorded.json"), "utf8")) as Record<string, Recorded>;

  // Catches a version that writes another mark, another spelling of a statement or another default for the same file.
  test.each(Object.keys(recorded))("of %s plans empty and keeps its verdict", async (name) => {
    const { b, text } = await resumed(commit, name);
    const planned = await b.plan(text);
    const { changes, findings } = planned.plan;
    const changed = changes.filter(({ verb }) => verb !== "keep");
    const differences = changed.map(({ address, verb, differences: of = [] }) => ({ address, verb, of }));
    expect(differences).toEqual([]);
    expect(findings.filter(({ severity }) => severity === "error").map(({ code, says }) => `${code} ${says}`)).toEqual(
      [],
    );
    expect(exitOf({ findings, changes })).toBe(0);

    const federation = federationOf(text);
    const { control } = federation;
    if (control) {
      const { plan } = await planControl({ federation, control }, b.world());
      const changes = plan.changes.filter(({ verb }) => verb !== "keep");
      // Managed policies are read since: the boundary lets through what they need, and no longer every service.
      const narrowed = "aws:managedPolicy/111122223333/acme-boundary";
      expect(changes.filter(({ address }) => address !== narrowed).map(({ address }) => address)).toEqual([]);
    }

    const health = await b.health(text);
    const verdicts = Object.fromEntries(health.links.map(({ link, verdict }) => [link, verdict]));
    expect({ verdict: health.verdict, links: verdicts }).toEqual(recorded[name]);
    expect(b.calls.filter(({ write }) => write).map(({ operation }) => operation)).toEqual([]);
  });
});

test("commit 4e778f4 recorded each of its examples", () => {
  const recorded = globSync(join(root, "4e778f4", "example-*.jsonl")).map((file) => basename(file, ".jsonl"));
  expect(recorded.sort()).toEqual([
    "example-aws-to-google",
    "example-azure-to-google",
    "example-both-ways",
    "example-entra-to-aws",
    "example-google-to-aws",
    "example-oidc-to-aws",
    "example-oidc-to-google",
  ]);
});
