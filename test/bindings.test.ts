import { describe, expect, test } from "vitest";
import { editBindings } from "../src/parties/google/bindings.ts";
import { type Bench, bench, example, reports } from "./support/bench.ts";

// One member in or out of a policy that other people write too: theirs must survive whatever happens in between.

const role = "roles/iam.serviceAccountOpenIdTokenCreator";
const target = { project: "acme-prod", on: `serviceAccounts/${reports}` };
const path = `iam/v1/projects/acme-prod/serviceAccounts/${reports}`;
const ann = "user:ann@example.com";
const ben = "user:ben@example.com";
const condition = { title: "nights", expression: "request.time.getHours() < 6" };

interface Policy {
  readonly etag: string;
  readonly version: number;
  readonly bindings: readonly { role: string; members: readonly string[]; condition?: unknown }[];
}

const policyOf = async (b: Bench): Promise<Policy> =>
  (await b.google("POST", `${path}:getIamPolicy?options.requestedPolicyVersion=3`)).body as unknown as Policy;
const write = (b: Bench, bindings: Policy["bindings"]) =>
  b.google("POST", `${path}:setIamPolicy`, { policy: { version: 3, bindings } });
const writes = async (b: Bench, work: () => Promise<unknown>): Promise<number> =>
  (await b.callsOf(work)).filter(({ operation }) => operation === "SetIamPolicy").length;

const foreign = [
  { role: "roles/iam.workloadIdentityUser", members: [ann, ben] },
  { role, members: [ben], condition },
  { role, members: [ben] },
];

async function stage(): Promise<Bench> {
  const b = await bench();
  await b.apply(example);
  await write(b, foreign);
  return b;
}

describe("a member in a policy that is not ours alone", () => {
  test("is added beside everybody else's bindings, conditional ones included, and version 3 is kept", async () => {
    const b = await stage();
    expect(await editBindings(b.world(), target, { role, add: [ann] })).toBe(true);
    const { bindings, version } = await policyOf(b);
    expect(version).toBe(3);
    expect(bindings).toEqual([foreign[0], foreign[1], { role, members: [ben, ann] }]);
  });

  // Catches a program that writes the policy it has just read.
  test("is written once: the second time nothing is, neither in nor out", async () => {
    const b = await stage();
    await editBindings(b.world(), target, { role, add: [ann] });
    expect(await writes(b, () => editBindings(b.world(), target, { role, add: [ann] }))).toBe(0);
    await editBindings(b.world(), target, { role, remove: [ann] });
    expect(await writes(b, () => editBindings(b.world(), target, { role, remove: [ann] }))).toBe(0);
    expect((await policyOf(b)).bindings).toEqual(foreign);
  });

  // Catches a program that takes a conditional binding for its own.
  test("is not the same member under a condition", async () => {
    const b = await stage();
    await write(b, [{ role, members: [ann], condition }]);
    expect(await editBindings(b.world(), target, { role, remove: [ann] })).toBe(false);
    await editBindings(b.world(), target, { role, add: [ann] });
    expect((await policyOf(b)).bindings).toEqual([
      { role, members: [ann], condition },
      { role, members: [ann] },
    ]);
  });

  test("the last member takes its binding along, and only its own", async () => {
    const b = await stage();
    await editBindings(b.world(), target, { role, remove: [ben] });
    expect((await policyOf(b)).bindings).toEqual(foreign.slice(0, 2));
  });

  test("somebody who writes in between loses nothing: the whole of it starts again", async () => {
    const b = await stage();
    const world = b.world();
    let raced = false;
    const http: typeof world.http = async (request) => {
      if (request.url.includes(":setIamPolicy") && !raced) {
        raced = true;
        await write(b, [...foreign, { role: "roles/viewer", members: [ann] }]);
      }
      return world.http(request);
    };
    expect(await editBindings({ ...world, http }, target, { role, add: [ann] })).toBe(true);
    const roles = (await policyOf(b)).bindings.map((one) => one.role);
    expect(roles).toEqual([foreign[0]?.role, role, role, "roles/viewer"]);
  });

  test.each([
    ["409 ABORTED in other words", 409, "ABORTED", "try again"],
    ["412", 412, "FAILED_PRECONDITION", "the etag does not match"],
  ])("%s starts it again, and five of them end it", async (_, status, code, message) => {
    const b = await stage();
    const world = b.world();
    const sleep = async () => {};
    const refused = (times: number): typeof world.http => {
      let left = times;
      return async (request) => {
        if (!request.url.includes(":setIamPolicy") || left-- <= 0) return world.http(request);
        return { status, headers: {}, body: Buffer.from(JSON.stringify({ error: { status: code, message } })) };
      };
    };
    const clock = { now: world.clock.now, sleep };
    const edit = { role, add: [ann] };
    expect(await editBindings({ ...world, clock, http: refused(4) }, target, edit)).toBe(true);
    await editBindings(world, target, { role, remove: [ann] });
    await expect(editBindings({ ...world, clock, http: refused(5) }, target, edit)).rejects.toMatchObject({
      class: "race",
    });
  });

  test("a lost answer is looked up, not repeated blindly", async () => {
    const b = await stage();
    b.haste = 100;
    b.sandbox.faults.set([{ service: "google.iam", operation: "SetIamPolicy", nth: 1, fault: "reset-after" }]);
    expect(await writes(b, () => editBindings(b.world(), target, { role, add: [ann] }))).toBe(1);
    expect((await policyOf(b)).bindings.at(-1)).toEqual({ role, members: [ben, ann] });
  });

  // Catches two edits of one run that race each other for the etag.
  test("ten edits of one run take turns: none is lost, none is refused", async () => {
    const b = await stage();
    const members = Array.from({ length: 10 }, (_, at) => `user:u${at}@example.com`);
    const world = b.world();
    const calls = await b.callsOf(() =>
      Promise.all(members.map((member) => editBindings(world, target, { role, add: [member] }))),
    );
    expect(calls.every(({ status }) => status === 200)).toBe(true);
    expect((await policyOf(b)).bindings.at(-1)?.members).toEqual([ben, ...members]);
  });
});
