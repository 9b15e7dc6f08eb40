import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bench } from "./support/bench.ts";
import { type Example, examples, Faulted, faults, type Scene, scenes, type Trial, textOf } from "./support/faulted.ts";

// Operations of the examples x faults x {once, always} x {apply, plan, edit, destroy, health}, a seeded sample of each
// command (SEED); `npm run figures` tries them all. Catches a program that takes a failed read for "absent" or "nothing to
// do", deletes what alone remembers a grant, or believes the second answer to a write that it sent twice.

const seed = Number(process.env.SEED ?? 12345);
/** Those that take real time are tried by the figures alone. */
const quick = faults.filter((fault) => fault !== "slow" && fault !== "stall");
const each = 5;

let faulted: Faulted;
beforeAll(async () => {
  faulted = await Faulted.open();
});
afterAll(() => faulted.end());

/** Some trials of one example and command. */
function sampled(example: Example, scene: Scene, operations: readonly string[]): readonly Trial[] {
  const trial = fc.record({
    operation: fc.constantFrom(...operations),
    fault: fc.constantFrom(...quick),
    times: fc.constantFrom("once" as const, "always" as const),
  });
  const at = seed + scenes.indexOf(scene) * 100 + examples.indexOf(example);
  return fc.sample(trial, { numRuns: each, seed: at }).map(({ operation: call, fault, times }) => {
    const [service = "", operation = ""] = call.split(" ");
    return { example, scene: scene.name, service, operation, fault, times };
  });
}

describe.each(["aws-to-google", "google-to-aws", "oidc-to-aws"] as const)("faults in %s", (example) => {
  test.each(scenes)("$name: nothing false is said, and nothing is left once it is run again", async (scene) => {
    const { shape, operations } = await faulted.whole(example, scene);
    const wrong: string[] = [];
    for (const trial of sampled(example, scene, operations)) {
      const { wrong: found } = await faulted.trial(trial, shape);
      if (found.length > 0) wrong.push(`${trial.service} ${trial.operation} ${trial.fault} ${trial.times}: ${found}`);
    }
    expect(wrong).toEqual([]);
  });
});

// What was found first: each of them left a grant for good, or was called what it was not.
test.each<[string, Omit<Trial, "times">]>([
  [
    "the policy of a bucket cannot be read in destroy",
    {
      example: "aws-to-google",
      scene: "destroy",
      service: "google.storage",
      operation: "GetBucketIamPolicy",
      fault: "error500",
    },
  ],
  [
    "the policy of a bucket cannot be written in destroy",
    {
      example: "aws-to-google",
      scene: "destroy",
      service: "google.storage",
      operation: "SetBucketIamPolicy",
      fault: "error500",
    },
  ],
  [
    "a pool provider cannot be read in destroy",
    {
      example: "aws-to-google",
      scene: "destroy",
      service: "google.iam",
      operation: "GetWorkloadIdentityPoolProvider",
      fault: "error500",
    },
  ],
  [
    "a role cannot be deleted in destroy, and its OIDC provider stays ours",
    { example: "oidc-to-aws", scene: "destroy", service: "aws.iam", operation: "DeleteRole", fault: "error500" },
  ],
  [
    "roles cannot be listed in destroy, and the OIDC provider of one that is left stays ours",
    {
      example: "oidc-to-aws",
      scene: "destroy with a leftover",
      service: "aws.iam",
      operation: "GetAccountAuthorizationDetails",
      fault: "error500",
    },
  ],
  [
    "a pool cannot be read in health",
    {
      example: "aws-to-google",
      scene: "health",
      service: "google.iam",
      operation: "GetWorkloadIdentityPool",
      fault: "error500",
    },
  ],
  [
    "an account cannot be read in health, and whoever its role admits is not called somebody else",
    {
      example: "google-to-aws",
      scene: "health",
      service: "google.iam",
      operation: "GetServiceAccount",
      fault: "error500",
    },
  ],
  [
    "accounts cannot be listed while one is left",
    {
      example: "google-to-aws",
      scene: "plan of a leftover",
      service: "google.iam",
      operation: "ListServiceAccounts",
      fault: "error500",
    },
  ],
  [
    "an issuer serves a page of a proxy",
    { example: "oidc-to-aws", scene: "plan", service: "oidc", operation: "GetDiscovery", fault: "html" },
  ],
])("%s", async (_, trial) => {
  const scene = scenes.find(({ name }) => name === trial.scene) as Scene;
  const { shape } = await faulted.whole(trial.example, scene);
  const { said, wrong } = await faulted.trial({ ...trial, times: "always" }, shape);
  expect(wrong).toEqual([]);
  expect(said.exit).toBe(scene.command === "plan" && scene.before === "more" ? 75 : said.exit);
  expect([75, 0]).toContain(said.exit);
});

test.each<[string, Omit<Trial, "times">]>([
  [
    "the answer to the deletion of a pool is lost",
    {
      example: "aws-to-google",
      scene: "destroy",
      service: "google.iam",
      operation: "DeleteWorkloadIdentityPool",
      fault: "reset-after",
    },
  ],
  [
    "the answer to the deletion of a pool provider is a page of a proxy",
    {
      example: "aws-to-google",
      scene: "destroy",
      service: "google.iam",
      operation: "DeleteWorkloadIdentityPoolProvider",
      fault: "html",
    },
  ],
  [
    "the answer to the detachment of a policy is lost",
    {
      example: "google-to-aws",
      scene: "apply of an edit",
      service: "aws.iam",
      operation: "DetachRolePolicy",
      fault: "reset-after",
    },
  ],
  [
    "an issuer's keys are empty once",
    { example: "oidc-to-aws", scene: "health", service: "oidc", operation: "GetKeys", fault: "empty" },
  ],
])("%s: the command ends well all the same", async (_, trial) => {
  const scene = scenes.find(({ name }) => name === trial.scene) as Scene;
  const { shape } = await faulted.whole(trial.example, scene);
  const { said, wrong } = await faulted.trial({ ...trial, times: "once" }, shape);
  expect([said.exit, wrong]).toEqual([0, []]);
});

// Catches a program that takes the past for "not there": a pool provider would live on in a deleted pool.
test.each(["GetWorkloadIdentityPoolProvider", "GetIamPolicy", "GetServiceAccount", "GetWorkloadIdentityPool"])(
  "%s shows the past right after an apply: once it does no more, destroy leaves nothing",
  async (operation) => {
    const b = await bench();
    b.haste = 1000;
    const text = textOf("aws-to-google");
    await b.apply(text);
    b.sandbox.faults.set([{ service: "google.iam", operation, fault: "stale-read", seconds: 60 }]);
    await b.apply(text, { destroy: true });
    b.sandbox.faults.set([]);
    await b.apply(text, { destroy: true });
    const living = ["google.account/", "google.pool/", "google.poolProvider/"].flatMap((prefix) =>
      b.sandbox.state.list<{ deletedAt?: number }>(prefix).filter(([, one]) => one.deletedAt === undefined),
    );
    expect(living.map(([key]) => key)).toEqual([]);
    const [bucket] = b.sandbox.state.list<{ policy: { bindings: readonly unknown[] } }>("google.bucket/");
    expect(bucket?.[1].policy.bindings).toEqual([]);
  },
);
