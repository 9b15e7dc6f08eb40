import { describe, expect, test } from "vitest";
import { applyPlan } from "../src/crosstrust.ts";
import { claimantsOf, claimsIn, withClaim, withoutClaim } from "../src/parties/google/federation/pool-claims.ts";
import { ownDescription } from "../src/parties/google/mark.ts";
import { exitOf } from "../src/verdict/exit.ts";
import { type Bench, bench } from "./support/bench.ts";

// Several deployments may name one pool. Each has a claim of its own in the pool's description, and takes that claim alone
// away when it leaves; the last one out deletes the pool, unless something of somebody else is in it.

const at = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";
const bucket = "storage/storage/v1/b/acme-reports/iam";

/** A file of its own deployment, with a pool provider and an account of its own; the pool and the bucket are shared. */
const file = (name: string, pool = "partners") => `crosstrust: 1
name: ${name}
links:
  ${name}-to-gcs:
    from: { aws: { account: 123456789000, role: ${name}-role } }
    to:   { google: { project: acme-prod, pool: ${pool}, poolProvider: aws-${name}, serviceAccount: ${name}-sink } }
    may:
      - { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/acme-reports ] }
`;

/** Grants to principals of the pool directly, where only the pool provider's mark remembers what is its own. */
const direct = (name: string) => file(name).replace(`, serviceAccount: ${name}-sink`, "");

/** A sandbox in which the pauses between a write and the look at it are short, but longer than a call. */
const hasty = async (): Promise<Bench> => Object.assign(await bench(), { haste: 5 });

const poolOf = async (b: Bench) => (await b.google("GET", at)).body as { state: string; description: string };
const claimants = async (b: Bench) => [...claimantsOf((await poolOf(b)).description)].sort();
const members = async (b: Bench): Promise<readonly string[]> =>
  ((await b.google("GET", bucket)).body.bindings as { members: string[] }[] | undefined)?.flatMap(
    (one) => one.members,
  ) ?? [];

const findingsOf = ({ planned, applied }: Awaited<ReturnType<Bench["apply"]>>) =>
  [...planned.plan.findings, ...applied.findings]
    .filter(({ severity }) => severity === "error")
    .map(({ code, says }) => `${code} ${says}`);

const settled = async (b: Bench, text: string) => {
  const { plan } = await b.plan(text);
  return plan.changes.filter(({ verb }) => verb !== "keep").map(({ verb, address }) => `${verb} ${address}`);
};

describe("two deployments that name the same pool", () => {
  test("both succeed one after the other without a consent, and the plan of the second joins", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    const { plan } = await b.plan(file("beta"));
    const pool = plan.changes.find(({ address }) => address === "google:pool/acme-prod/partners");
    expect(pool).toMatchObject({ verb: "adopt", differences: [], live: { joins: true } });
    expect(findingsOf(await b.apply(file("beta")))).toEqual([]);
    expect(await claimants(b)).toEqual(["acme", "beta"]);
    for (const name of ["acme", "beta"]) {
      expect(await settled(b, file(name))).toEqual([]);
      expect((await b.health(file(name))).verdict).toBe("works");
      const calls = await b.callsOf(() => b.apply(file(name)));
      expect(calls.filter(({ write, service }) => write && service !== "aws.sts").map((one) => one.operation)).toEqual(
        [],
      );
    }
  });

  test.each([
    ["acme", "beta"],
    ["beta", "acme"],
  ])(
    "%s leaves first: the pool and every grant of %s stay, and the last one out deletes the pool",
    async (first, last) => {
      const b = await hasty();
      const runs = await Promise.all([b.apply(file("acme")), b.apply(file("beta"))]);
      expect(runs.flatMap(findingsOf)).toEqual([]);
      expect(await claimants(b)).toEqual(["acme", "beta"]);
      const before = await members(b);
      expect(findingsOf(await b.apply(file(first), { destroy: true }))).toEqual([]);
      expect([(await poolOf(b)).state, await claimants(b)]).toEqual(["ACTIVE", [last]]);
      expect(await members(b)).toEqual(before.filter((one) => one.includes(`${last}-sink@`)));
      expect(await settled(b, file(last))).toEqual([]);
      expect((await b.health(file(last))).verdict).toBe("works");
      expect(findingsOf(await b.apply(file(last), { destroy: true }))).toEqual([]);
      expect([(await poolOf(b)).state, await members(b)]).toEqual(["DELETED", []]);
    },
  );

  test("principals of the pool that each grants what is its own both work, leave at once, and the pool is deleted", async () => {
    const b = await hasty();
    const own = (name: string) => direct(name).replace("acme-reports", `${name}-reports`);
    await b.apply(own("acme"));
    await b.apply(own("beta"));
    for (const name of ["acme", "beta"]) expect((await b.health(own(name))).verdict).toBe("works");
    const runs = await Promise.all(["acme", "beta"].map((name) => b.apply(own(name), { destroy: true })));
    expect(runs.flatMap(findingsOf)).toEqual([]);
    expect([(await poolOf(b)).state, await members(b)]).toEqual(["DELETED", []]);
  });

  test("a member of the other deployment on the same bucket is no leftover", async () => {
    const b = await hasty();
    await b.apply(direct("acme"));
    await b.apply(direct("beta"));
    const before = await members(b);
    expect(before).toHaveLength(2);
    for (const name of ["acme", "beta"]) {
      expect(await settled(b, direct(name))).toEqual([]);
    }
    await b.apply(direct("acme"), { destroy: true });
    expect(await members(b)).toEqual(before.filter((one) => one.includes("beta-role")));
  });

  test("the last one out leaves a pool in which somebody made a pool provider", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    await b.apply(file("beta"));
    const theirs = { aws: { accountId: "999999999999" } };
    await b.google("POST", `${at}/providers?workloadIdentityPoolProviderId=theirs`, theirs);
    await b.apply(file("acme"), { destroy: true });
    const { applied } = await b.apply(file("beta"), { destroy: true });
    expect(applied.findings.map(({ code }) => code)).toContain("GOOGLE-FOREIGN-POOL-PROVIDER");
    expect((await poolOf(b)).state).toBe("ACTIVE");
    expect((await b.google("GET", `${at}/providers/theirs`)).body.state).toBe("ACTIVE");
  });

  test("a pool that was adopted gets its description back when the last one leaves, in whatever order", async () => {
    const b = await hasty();
    await b.google("POST", `${at.replace("/partners", "")}?workloadIdentityPoolId=partners`, {
      description: "by hand",
    });
    await b.apply(file("acme"), { consents: { adopt: ["acme-to-gcs"] } });
    await b.apply(file("beta"));
    await b.apply(file("acme"), { destroy: true });
    expect(await claimants(b)).toEqual(["beta"]);
    await b.apply(file("beta"), { destroy: true });
    expect(await poolOf(b)).toMatchObject({ state: "ACTIVE", description: "by hand" });
  });

  // Catches a claim that stays for good: what a stale read does not show is not gone.
  test("a read that shows the past as the last one leaves does not keep the pool", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    await b.apply(file("beta"));
    await b.apply(file("acme"), { destroy: true });
    const operation = "GetWorkloadIdentityPool";
    b.sandbox.faults.set([{ service: "google.iam", operation, fault: "stale-read", nth: 2 }]);
    await b.apply(file("beta"), { destroy: true });
    b.sandbox.faults.set([]);
    await b.apply(file("beta"), { destroy: true });
    expect([(await poolOf(b)).state, await members(b)]).toEqual(["DELETED", []]);
  });

  test("a claim that somebody took off is said, and the pool stays", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    const planned = await b.plan(file("acme"), { destroy: true });
    await b.google("PATCH", `${at}?updateMask=description`, { description: "theirs now" });
    const { findings } = await applyPlan(planned, false, b.world());
    expect(findings.map(({ says }) => says)).toContainEqual(expect.stringContaining("took the claim"));
    expect(await poolOf(b)).toMatchObject({ state: "ACTIVE", description: "theirs now" });
  });

  test("a pool provider that both name stays a conflict", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    const planned = await b.plan(file("beta").replace("aws-beta", "aws-acme"));
    expect(planned.plan.findings.map(({ code, at: where }) => `${code} ${where.address}`)).toContain(
      "NOT-OURS google:poolProvider/acme-prod/partners/aws-acme",
    );
  });
});

describe("what a claim is not", () => {
  const marked = "[crosstrust/1 acme 0000000000000000 0000000000000000]";

  // Catches a join by the mere text of a mark: the pool may admit whomever its author likes.
  test("a mark on a pool that is not as it says lets nobody join", async () => {
    const b = await hasty();
    const parent = `${at.replace("/partners", "")}?workloadIdentityPoolId=partners`;
    await b.google("POST", parent, { description: `theirs ${marked}` });
    const { plan } = await b.plan(file("beta"));
    expect(plan.findings.find(({ code }) => code === "NOT-OURS")?.says).toContain("not as that deployment left it");
    expect(exitOf({ findings: plan.findings, changes: plan.changes })).toBe(73);
  });

  test("a pool that was switched off is not switched on by joining it", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    await b.google("PATCH", `${at}?updateMask=disabled`, { disabled: true });
    const { plan } = await b.plan(file("beta"));
    expect(exitOf({ findings: plan.findings, changes: plan.changes })).toBe(73);
  });

  test("a description without room for a claim is a finding, and nothing is written", async () => {
    const b = await hasty();
    await b.apply(file("acme"));
    const { description } = await poolOf(b);
    const long = `${"x".repeat(250 - description.length)} ${description}`;
    await b.google("PATCH", `${at}?updateMask=description`, { description: long });
    const { plan } = await b.plan(file("beta"));
    expect(plan.findings.find(({ code }) => code === "ADOPT-NO-ROOM")?.says).toMatch(
      /cannot be shared: .* room for a claim/,
    );
    expect(exitOf({ findings: plan.findings, changes: plan.changes })).toBe(73);
    expect((await poolOf(b)).description).toBe(long);
  });
});

describe("claims in a description", () => {
  const mark = { owner: "acme", want: "0".repeat(16), put: "1".repeat(16) };
  const alone = withClaim("Text of people", mark);

  test("a pool of one deployment is written as before there were claims", () => {
    expect(alone).toBe(`Text of people [crosstrust/1 acme ${mark.want} ${mark.put}]`);
  });

  test("each order of joining and leaving gives the text of people back", () => {
    const both = withClaim(alone, { ...mark, owner: "beta" });
    const all = withClaim(both, { ...mark, owner: "gamma" });
    expect(claimantsOf(all)).toEqual(["acme", "beta", "gamma"]);
    expect(withClaim(all, { ...mark, owner: "beta" })).toBe(all);
    expect(withClaim(all, mark)).toBe(all);
    expect(claimantsOf(withoutClaim(all, "acme") ?? "")).toEqual(["beta", "gamma"]);
    expect(claimantsOf(withoutClaim(all, "beta") ?? "")).toEqual(["acme", "gamma"]);
    const last = withoutClaim(withoutClaim(all, "acme") ?? "", "gamma") ?? "";
    expect([claimsIn(last).human, claimantsOf(last), withoutClaim(last, "beta")]).toEqual([
      "Text of people",
      ["beta"],
      undefined,
    ]);
  });

  test("a description has room for the claims of seven deployments with the longest names", () => {
    const names = Array.from({ length: 8 }, (_, at) => `${at}`.padStart(20, "a"));
    const texts = names.map((_, at) =>
      names.slice(0, at + 1).reduce((text, owner) => withClaim(text, { ...mark, owner }), ownDescription),
    );
    expect(texts.map((text) => text.length <= 256)).toEqual([...Array(7).fill(true), false]);
  });

  test("what people wrote in the words of a claim counts for nothing without a mark", () => {
    expect(claimantsOf("see (crosstrust:claim beta)")).toEqual([]);
    expect(claimantsOf("")).toEqual([]);
  });

  test("the record of the time before adoption passes to the next holder", () => {
    const adopted = withClaim("by hand", { ...mark, adopted: true, was: "QUJD" });
    const left = withoutClaim(withClaim(adopted, { ...mark, owner: "beta" }), "acme") ?? "";
    expect(claimsIn(left).holder).toMatchObject({ owner: "beta", adopted: true, was: "QUJD" });
  });
});

// Catches a lost update: descriptions have no etag, so one who read before may write over what another wrote.
test("eight deployments that come and go at once lose no claim and no member, and leave nothing", async () => {
  const b = await bench();
  const names = ["amber", "beryl", "coral", "delta", "ember", "fjord", "grove", "haven"];
  const parent = at.replace("/partners", "");
  await b.google("POST", `${parent}?workloadIdentityPoolId=other`, { description: "somebody's" });
  const other = (await b.google("GET", `${parent}/other`)).body;
  const [stay, leave] = [names.slice(0, 4), names.slice(4)];
  const come = await Promise.all(names.map((name) => b.apply(direct(name))));
  expect(come.flatMap(findingsOf)).toEqual([]);
  expect(await claimants(b)).toEqual(names);
  await Promise.all([
    ...leave.map((name) => b.apply(direct(name), { destroy: true })),
    ...stay.map((name) => b.apply(direct(name))),
  ]);
  expect(await claimants(b)).toEqual(stay);
  for (const name of stay) expect((await members(b)).filter((one) => one.includes(`${name}-role`))).toHaveLength(1);
  const gone = await Promise.all(stay.map((name) => b.apply(direct(name), { destroy: true })));
  expect(gone.flatMap(findingsOf)).toEqual([]);
  expect([(await poolOf(b)).state, await members(b)]).toEqual(["DELETED", []]);
  expect((await b.google("GET", `${parent}/other`)).body).toEqual(other);
});
