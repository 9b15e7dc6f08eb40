import { describe, expect, test } from "vitest";
import { type Bench, bench } from "./support/bench.ts";
import { stage } from "./support/cli.ts";

// `destroy LINK` takes away and does nothing else: what the other links lack is for apply, with its consents.

const one = (subject: string, bucket: string, name: string) => `  ${name}:
    from: { oidc: { issuer: https://idp.example.com, clientId: aud1, subject: ${subject} } }
    to:   { google: { project: acme-prod, pool: partners, poolProvider: prov } }
    may:  [ { role: roles/storage.objectViewer, resources: [ //storage.googleapis.com/projects/_/buckets/${bucket} ] } ]
`;
const file = `crosstrust: 1\nname: acme\nlinks:\n${one("u1", "b-one", "one")}${one("u2", "b-two", "two")}`;
const role = (subject: string, name: string) => `  ${name}:
    from: { oidc: { issuer: https://idp.example.com, clientId: aud1, subject: ${subject} } }
    to:   { aws: { account: 111122223333, role: shared } }
    may:  [ arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess ]
`;
const shared = `crosstrust: 1\nname: acme\nlinks:\n${role("u1", "one")}${role("u2", "two")}`;
const pool = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners";
const living = async (b: Bench) => (await b.google("GET", pool)).body.state;

describe("destroy LINK", () => {
  test("after another one: nothing of the first comes back, and with the last one all is gone", async () => {
    const { b, ct } = await stage(file);
    expect((await ct("apply --quiet")).exit).toBe(0);
    expect((await ct("destroy one --quiet")).exit).toBe(0);
    const { exit, out } = await ct("destroy two --quiet");
    expect([exit, out]).toEqual([0, expect.not.stringContaining("repaired")]);
    expect(await living(b)).toBe("DELETED");
    expect((await ct("destroy two --quiet")).out).toContain("nothing of two is there");
  });

  test("where a role of both would let the first one in again, nothing is written", async () => {
    const { b, ct } = await stage(shared);
    expect((await ct("apply --quiet")).exit).toBe(0);
    expect((await ct("destroy one --quiet")).exit).toBe(0);
    const before = b.calls.length;
    const { exit, out } = await ct("destroy two --quiet");
    expect([exit, out]).toEqual([64, expect.stringContaining("take the links that are gone out of the file first")]);
    expect(b.calls.slice(before).filter(({ write }) => write)).toEqual([]);
    expect((await ct("destroy --quiet")).exit).toBe(0);
  });

  test.each([
    ["nothing was ever made", async () => undefined, /created|adopted|brought back/],
    [
      "somebody made a pool by that name",
      async (b: Bench) =>
        void (await b.google("POST", `${pool.replace("/partners", "")}?workloadIdentityPoolId=partners`, {})),
      /created|adopted|brought back/,
    ],
  ])("%s: it makes and takes over nothing", async (_, before, wrong) => {
    const { b, ct } = await stage(file);
    await before(b);
    const from = b.calls.length;
    const { exit, out } = await ct("destroy two --quiet");
    expect([exit, out]).toEqual([0, expect.not.stringMatching(wrong)]);
    expect(b.calls.slice(from).filter(({ write }) => write)).toEqual([]);
  });

  test("what somebody deleted is not brought back, and what somebody took the mark off is not taken over", async () => {
    const { b, ct } = await stage(file);
    await ct("apply --quiet");
    await b.google("DELETE", pool);
    expect((await ct("destroy two --quiet")).out).not.toContain("brought back");
    expect(await living(b)).toBe("DELETED");
    await b.google("POST", `${pool}:undelete`, {});
    for (const at of [pool, `${pool}/providers/prov`])
      await b.google("PATCH", `${at}?updateMask=description`, { description: "theirs" });
    expect((await ct("destroy two --quiet")).out).not.toContain("adopted");
    expect((await b.google("GET", pool)).body.description).toBe("theirs");
  });
});

test("what had to stay is said to stay, and why", async () => {
  const { b, ct } = await stage(file);
  await ct("apply --quiet");
  const theirs = {
    oidc: { issuerUri: "https://two.example.com" },
    attributeMapping: { "google.subject": "assertion.sub" },
  };
  await b.google("POST", `${pool}/providers?workloadIdentityPoolProviderId=theirs`, theirs);
  const { out } = await ct("destroy --quiet");
  expect(out).toMatch(/stays +google pool {2}partners/);
  expect(out).toContain("warning[GOOGLE-FOREIGN-POOL-PROVIDER]");
  expect(await living(b)).toBe("ACTIVE");
});

test("in one process, as the functions do it", async () => {
  const b = await bench();
  await b.apply(file);
  await b.apply(file, { only: ["one"], destroy: true });
  const { planned } = await b.apply(file, { only: ["two"], destroy: true });
  expect(planned.plan.changes.map(({ verb }) => verb).filter((verb) => verb !== "keep" && verb !== "delete")).toEqual(
    [],
  );
});
