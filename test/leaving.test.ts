import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Answer } from "../src/cli/answer.ts";
import { controlPlane } from "../src/cli/commands/control.ts";
import type { Context } from "../src/cli/context.ts";
import { type Bench, bench, example, folderWith } from "./support/bench.ts";
import { stage } from "./support/cli.ts";
import { control, controlled, controlStage } from "./support/control.ts";

// Whoever leaves takes away links, control plane and deployment in some order. Each order ends with nothing left, and
// removing needs nothing that is only used.

let folder: string;
beforeEach(() => {
  folder = folderWith(controlled);
});

/** `onboard --control`, as the command does it, over a sandbox in this process. */
function controlCommand(b: Bench, destroy: boolean): Promise<Answer> {
  const flags = { file: join(folder, "federation.yaml"), quiet: true, yes: true };
  const context: Context = { flags, paper: { colour: false, again: "" }, world: b.world(), close: async () => {} };
  return controlPlane(context, { destroy });
}

const accounts = (b: Bench, method: "POST" | "DELETE") =>
  Promise.all(
    Object.values(control).map((email) =>
      method === "DELETE"
        ? b.google("DELETE", `iam/v1/projects/acme-ops/serviceAccounts/${email}`)
        : b.google("POST", "iam/v1/projects/acme-ops/serviceAccounts", { accountId: email.split("@")[0] }),
    ),
  );

const steps = {
  // Of what offboard takes away, the functions' own accounts are what others use.
  offboard: (b: Bench) => accounts(b, "DELETE"),
  destroy: (b: Bench) => b.apply(controlled, { destroy: true }),
  control: async (b: Bench) => {
    const { text } = await controlCommand(b, true);
    expect(text).not.toContain("nothing was written");
  },
};
type Step = keyof typeof steps;

/** Roles, policies and OIDC providers of AWS, and accounts of Google that are not deleted. */
const left = (b: Bench): readonly string[] =>
  b.sandbox.state
    .list<{ email?: string; deletedAt?: unknown; deleted?: unknown }>("")
    .filter(([key]) => /^aws\.(role|policy|oidc)/.test(key))
    .map(([key]) => key);

describe("leaving ends with nothing left", () => {
  const orders: readonly (readonly Step[])[] = [
    ["offboard", "destroy", "control"],
    ["offboard", "control", "destroy"],
    ["destroy", "offboard", "control"],
    ["destroy", "control", "offboard"],
    ["control", "destroy", "offboard"],
    ["control", "offboard", "destroy"],
  ];
  // What AWS does not let go while it is used goes when it is asked for once more.
  test.each(orders.map((order) => [order.join(", "), order] as const))("%s", async (_, order) => {
    const b = await controlStage();
    await b.apply(controlled);
    expect(left(b).length).toBeGreaterThan(3);
    for (const step of order) await steps[step](b);
    if (order.indexOf("control") < order.indexOf("destroy")) {
      const { exit, text } = await controlCommand(b, true);
      expect([exit, text]).toEqual([0, expect.any(String)]);
    }
    expect(left(b)).toEqual([]);
    const { text, exit } = await controlCommand(b, true);
    expect([exit, text]).toEqual([0, expect.stringContaining("nothing to destroy")]);
    expect(text).not.toContain("could not be read");
  });
});

describe("removing needs nothing that is only used", () => {
  test("a service account that is only used, and was deleted", async () => {
    const used = example.replace(
      "serviceAccount: reports",
      "serviceAccount: reports@acme-prod.iam.gserviceaccount.com",
    );
    const s = await stage(used);
    const at = "iam/v1/projects/acme-prod/serviceAccounts";
    await s.b.google("POST", at, { accountId: "reports" });
    expect((await s.ct("apply")).exit).toBe(0);
    await s.b.google("DELETE", `${at}/reports@acme-prod.iam.gserviceaccount.com`);
    expect([(await s.ct("destroy")).exit, left(s.b)]).toEqual([0, []]);
  });

  test("an issuer that does not answer any more", async () => {
    const s = await stage(readFileSync("examples/oidc-to-aws.yaml", "utf8"));
    expect((await s.ct("apply")).exit).toBe(0);
    s.b.sandbox.faults.set([{ service: "oidc", operation: "*", fault: "reset" }]);
    expect([(await s.ct("destroy")).exit, left(s.b)]).toEqual([0, []]);
  });
});

describe("a sandbox that was emptied under a file with a control plane", () => {
  test("plan and apply say what is missing before anything is written, and onboard --control plans it", async () => {
    const b = await bench();
    await accounts(b, "POST");
    const s = await stage(controlled);
    const plan = await s.ct("plan");
    expect([plan.exit, plan.out]).toEqual([2, expect.stringContaining("CONTROL-MISSING")]);
    expect(plan.out).toMatch(/fix +crosstrust onboard .*--control/);
    const calls = await s.b.callsOf(async () => {
      const apply = await s.ct("apply");
      expect([apply.exit, apply.out]).toEqual([64, expect.stringContaining("nothing was written")]);
    });
    expect(calls.filter(({ write }) => write)).toEqual([]);
    const made = await controlCommand(b, false);
    expect([made.exit, made.text]).toEqual([0, expect.stringContaining("acme-boundary")]);
    const links = await b.plan(controlled);
    expect(links.plan.findings.map(({ code }) => code)).not.toContain("CONTROL-MISSING");
  });
});
