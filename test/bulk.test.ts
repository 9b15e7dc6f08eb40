import { describe, expect, test } from "vitest";
import { kinds } from "../src/crosstrust.ts";
import type { Kind, Live, Resource } from "../src/model.ts";
import { parties } from "../src/parties/index.ts";
import { expand } from "../src/plan/expand.ts";
import { account, type Bench, bench, federationOf, manyLinks } from "./support/bench.ts";
import { Somebody } from "./support/somebody.ts";

// A thousand links are read in a few pages (aws.md 9.1). The two calls of the bulk read have different gaps, so what
// comes out of them is held against the single reads, role by role.

const count = 25;
const inline = "{ allow: [ s3:GetObject ], resources: [ arn:aws:s3:::acme/* ] }";
const file = manyLinks(count)
  .replace("role: role-3 }", `role: role-3, maxSession: 4h, boundary: "arn:aws:iam::aws:policy/PowerUserAccess" }`)
  .replaceAll("may:  [ arn", `may:  [ ${inline}, arn`);

const role = kinds.find(({ name }) => name === "aws:role") as Kind;
const wanted = (): readonly Resource[] =>
  expand(federationOf(file).links, parties).resources.filter(({ address }) => address.startsWith("aws:role/"));

async function applied(): Promise<Bench> {
  const b = await bench();
  await b.apply(file);
  return b;
}

const iamCalls = async (b: Bench): Promise<readonly string[]> =>
  (await b.callsOf(() => b.plan(file)))
    .filter(({ service }) => service === "aws.iam")
    .map(({ operation }) => operation);

describe("many roles at once", () => {
  test("are what each of them is when read alone, hand edits included", async () => {
    const b = await applied();
    const who = new Somebody(b);
    await who.trust({ StringLike: { "accounts.google.com:sub": "*" } }, "role-1");
    await who.iam("DetachRolePolicy", {
      ...{ RoleName: "role-2", PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" },
    });
    await who.iam("DeleteRolePermissionsBoundary", { RoleName: "role-3" });
    await who.iam("UntagRole", { RoleName: "role-4", TagKeys: ["crosstrust:owner"] });
    await who.iam("UpdateRole", { RoleName: "role-5", MaxSessionDuration: 7200 });
    const together = await role.readMany?.(wanted(), b.world());
    expect(together?.size).toBe(count);
    // What would be remembered is asked for with an owner: here somebody else's, so that all of it is.
    const told = (live: Live | undefined) =>
      live?.state === "present" ? { ...live, former: live.former?.("other") } : live;
    for (const one of wanted())
      expect(told(together?.get(one.address))).toEqual(told(await role.read(one, [], b.world())));
  });

  test("cost a few calls, and a role that is gone is asked for by name", async () => {
    const b = await applied();
    const calls = await iamCalls(b);
    expect(calls.length).toBeLessThan(10);
    expect(calls).not.toContain("GetRole");
    for (const Policy of ["DetachRolePolicy", "DeleteRolePolicy"]) {
      const [details] = (await new Somebody(b).iam("GetAccountAuthorizationDetails", {})).RoleDetailList as {
        RolePolicyList: { PolicyName: string }[];
      }[];
      const input =
        Policy === "DetachRolePolicy"
          ? { PolicyArn: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }
          : { PolicyName: details?.RolePolicyList[0]?.PolicyName };
      await new Somebody(b).iam(Policy, { RoleName: "role-0", ...input });
    }
    await new Somebody(b).iam("DeleteRole", { RoleName: "role-0" });
    const { plan } = await b.plan(file);
    expect(plan.changes.filter(({ verb }) => verb === "create").map(({ address }) => address)).toEqual([
      `aws:role/${account}/role-0`,
    ]);
  });

  // Catches a program that takes a page it may not read, or half of the pages, for "there are no more roles".
  test("where it is not permitted each is read alone; where it fails nothing is concluded", async () => {
    const b = await applied();
    b.haste = 1000;
    b.sandbox.faults.set([{ service: "aws.iam", operation: "GetAccountAuthorizationDetails", fault: "html" }]);
    const alone = await b.plan(file);
    expect(alone.plan.changes.filter(({ verb }) => verb !== "keep")).toEqual([]);
    b.sandbox.faults.set([{ service: "aws.iam", operation: "GetAccountAuthorizationDetails", fault: "error500" }]);
    const { plan } = await b.plan(file);
    expect(plan.changes.filter(({ address }) => address.startsWith("aws:role/"))).toEqual([]);
    expect(plan.findings.some(({ asks }) => asks === "untold")).toBe(true);
  });
});

// Catches a check of one link that reads the whole file's: divided over many instances, a run would cost its square.
test("a check of some links reads what they need, however many the file has", async () => {
  const b = await bench();
  const text = manyLinks(60);
  await b.apply(text);
  const counted = async (only: readonly string[]) => (await b.callsOf(() => b.health(text, { only }))).length;
  const one = await counted(["link-3"]);
  expect(one).toBeLessThan(25);
  expect(await counted(["link-3", "link-4"])).toBeLessThan(2 * one + 1);
  const { links, verdict, findings } = await b.health(text, { only: ["link-3"] });
  expect([verdict, links.map(({ link }) => link), findings]).toEqual(["works", ["link-3"], []]);
});

test("and sees that they drifted, and what they share with others", async () => {
  const b = await bench();
  const shared = manyLinks(3).replaceAll("worker-1", "worker-0");
  await b.apply(shared);
  await new Somebody(b).iam("UpdateRole", { RoleName: "role-1", MaxSessionDuration: 7200 });
  const path = "iam/v1/projects/acme-prod/serviceAccounts/worker-0@acme-prod.iam.gserviceaccount.com";
  expect((await b.google("POST", `${path}:disable`, {})).status).toBe(200);
  const { links } = await b.health(shared, { only: ["link-1"] });
  expect(links.map(({ link, changes }) => [link, changes.map(({ address }) => address).sort()])).toEqual([
    ["link-1", ["aws:role/111122223333/role-1", "google:serviceAccount/acme-prod/worker-0"]],
  ]);
});
