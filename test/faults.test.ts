import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FaultRule } from "../src/sandbox/faults.ts";
import { type Bench, bench, example, patient, timeByPauses } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// Whatever goes wrong on the way, nothing false is said: a fault can only ever give "unknown" (fact sheet
// reliability-and-security, 2.1), and rerunning converges.

const issuer = readFileSync(new URL("../examples/oidc-to-aws.yaml", import.meta.url), "utf8");

const kinds = [
  "throttle",
  "error500",
  "reset",
  "reset-after",
  "slow",
  "stall",
  "truncate",
  "empty",
  "html",
  "stale-read",
] as const;

/** Deadlines that what stalls runs into soon. On a slow machine other calls may, too: that is one more fault. */
const hasty = { connect: 300, firstByte: 300, idle: 200, whole: 1000, bytes: 1024 * 1024 };

async function hurried(): Promise<Bench> {
  const b = await bench();
  b.haste = 50;
  return b;
}

/** Nothing goes wrong any more, and no deadline is in reach. */
function calm(b: Bench): void {
  b.sandbox.faults.set([]);
  b.limits = patient;
}

const rules = (fault: FaultRule["fault"], seed: number, probability: number): FaultRule[] => [
  { service: "*", operation: "*", fault, probability, seed, seconds: fault === "slow" ? 0.5 : 2 },
];

const alive = (b: Bench): { roles: number; accounts: number } => ({
  roles: b.sandbox.state.list("aws.role/").length,
  accounts: b.sandbox.state
    .list<{ deletedAt?: number }>("google.account/")
    .filter(([, one]) => one.deletedAt === undefined).length,
});

// Issuers are read over TLS, by us and by the sandbox's STS: what goes wrong there is no more a verdict than elsewhere.
describe.each(kinds)("%s on one call in five of an issuer's link", (fault) => {
  test("apply converges, nothing is made twice, and a working link is never called broken or open", async () => {
    const b = await hurried();
    b.limits = hasty;
    b.sandbox.faults.set(rules(fault, 7, 0.2));
    for (let run = 0; run < 3; run++) await b.apply(issuer, { patience: 500 });
    calm(b);
    await b.apply(issuer);
    expect(b.sandbox.state.list("aws.").map(([key]) => key.split("/")[0])).toEqual(["aws.oidcProvider", "aws.role"]);
    expect((await b.health(issuer)).verdict).toBe("works");
    b.limits = hasty;
    for (const seed of [1, 2]) {
      b.sandbox.faults.set(rules(fault, seed, 0.2));
      const { verdict } = await b.health(issuer);
      expect(["works", "unknown", ...(fault === "stale-read" ? ["drifted", "broken"] : [])]).toContain(verdict);
    }
  });
});

describe.each(kinds)("%s on one call in four", (fault) => {
  test("apply converges within three runs, and nothing is made twice", async () => {
    for (const seed of [1, 2]) {
      const b = await hurried();
      b.limits = hasty;
      b.sandbox.faults.set(rules(fault, seed, 0.25));
      for (let run = 0; run < 3; run++) await b.apply(example, { patience: 500 });
      calm(b);
      await b.apply(example);
      expect(alive(b)).toEqual({ roles: 1, accounts: 1 });
      const health = await b.health(example);
      expect([health.verdict, health.findings]).toEqual(["works", []]);
    }
  });

  test("a working link is never called broken or open", async () => {
    const b = await hurried();
    await b.apply(example);
    b.limits = hasty;
    for (const seed of [1, 2]) {
      b.sandbox.faults.set(rules(fault, seed, 0.25));
      const { verdict } = await b.health(example);
      expect(["works", "unknown", ...(fault === "stale-read" ? ["drifted", "broken"] : [])]).toContain(verdict);
    }
  });

  // Catches a program that reads an empty answer as "absent", or a refusal's place-holder as "refused".
  test("a broken and an open link are never said to work", async () => {
    const b = await hurried();
    await b.apply(example);
    const somebody = new Somebody(b);
    const equals = { "accounts.google.com:oaud": "aws-trust-1" };
    for (const sub of [{ StringEquals: { ...equals, "accounts.google.com:sub": "1" } }, { StringEquals: equals }]) {
      calm(b);
      await somebody.trust(sub);
      b.limits = hasty;
      for (const seed of [1, 2]) {
        b.sandbox.faults.set(rules(fault, seed, 0.25));
        expect((await b.health(example)).verdict).not.toBe("works");
      }
    }
  });
});

describe("total outage", () => {
  test("every answer a 503: unknown, and the load stays bounded", async () => {
    const b = await hurried();
    await b.apply(example);
    b.sandbox.faults.set([{ service: "*", operation: "*", fault: "error500" }]);
    const calls = await b.callsOf(async () => expect((await b.health(example)).verdict).toBe("unknown"));
    expect(calls.length).toBeLessThan(60);
  });

  test("an empty 200 is never an absent role: plan says could not tell", async () => {
    const b = await hurried();
    await b.apply(example);
    b.sandbox.faults.set([{ service: "aws.iam", operation: "*", fault: "empty" }]);
    const { plan } = await b.plan(example);
    expect(plan.changes.map(({ address, verb }) => `${address} ${verb}`)).toEqual([
      "google:serviceAccount/acme-prod/reports keep",
    ]);
    expect(plan.findings.map(({ code, asks }) => [code, asks])).toContainEqual(["MALFORMED-ANSWER", "untold"]);
  });
});

describe("propagation", () => {
  test("apply waits until both sides see it, and says so", async () => {
    const b = await bench();
    timeByPauses(b);
    b.sandbox.set({ propagationSeconds: 2 });
    const { traces } = await b.apply(example, { patience: 60_000 });
    expect(traces[0]?.hops.map(({ result }) => result)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(b.progress.filter(({ state }) => state === "waiting").length).toBeGreaterThan(0);
  });
});
