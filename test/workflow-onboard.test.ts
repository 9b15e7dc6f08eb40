import { describe, expect, test } from "vitest";
import {
  type Answer,
  type Asked,
  applied,
  envelope,
  fingerprints,
  fly,
  healthFunction,
  plan,
  textOf,
  uncovered,
} from "./support/flow.ts";
import type { Says } from "./support/listener.ts";

// workflows/onboard.yaml, every step of it (docs/workflows.md).

const { first, second } = fingerprints;
const finding = (code: string) => [{ code, severity: "error", says: "no" }];
const isApply = ({ body }: Asked): boolean => body?.plan !== undefined;

/** Plans, and applies what was planned. */
const provision: Answer = (asked) => (isApply(asked) ? applied() : plan());
const onApply =
  (says: Says): Answer =>
  (asked) =>
    isApply(asked) ? says : plan();
/** Verdicts one after the other, the last one from then on. */
const verdicts = (...list: readonly string[]): Answer => {
  const rest = [...list];
  return (asked) => {
    const verdict = (rest.length > 1 ? rest.shift() : rest[0]) ?? "works";
    return healthFunction(2, () => verdict).answer(asked);
  };
};

describe("onboarding", () => {
  test("plans, applies exactly that plan, and checks", async () => {
    const { state, result, provision: asked, health } = await fly("onboard", { provision });
    expect([state, result]).toEqual(["SUCCEEDED", { plan: first, changed: 2, verdict: "works", tries: 1 }]);
    expect(asked.map(({ body }) => body)).toEqual([{}, { plan: first }]);
    expect(health.map(({ body }) => body)).toEqual([{}]);
  });

  test("with links that are named: in the plan and in the checks; a fingerprint has its own", async () => {
    const { provision: asked, health } = await fly("onboard", { provision, argument: { links: ["link-1"] } });
    expect(asked.map(({ body }) => body)).toEqual([{ links: ["link-1"] }, { plan: first }]);
    expect(health.map(({ body }) => body)).toEqual([{ links: ["link-1"] }]);
  });

  test("nothing to change: nothing is applied, and the links are checked all the same", async () => {
    const nothing = () => plan({ exit: 0, changes: [{ address: "aws:role/c", verb: "keep" }] });
    const { result, provision: asked } = await fly("onboard", { provision: nothing });
    expect(result).toEqual({ plan: first, changed: 0, verdict: "works", tries: 1 });
    expect(asked.map(({ body }) => body)).toEqual([{}]);
  });

  test("a plan that has grown stale is made anew, and the new one is applied", async () => {
    let round = 0;
    const moving: Answer = ({ body }) => {
      if (body.plan === undefined)
        return plan(round++ === 0 ? {} : { fingerprint: second, changes: [{ address: "a", verb: "update" }] });
      return body.plan === first
        ? { ...(plan({ fingerprint: second }) as object), status: 409 }
        : applied({ fingerprint: second });
    };
    const { result, provision: asked } = await fly("onboard", { provision: moving });
    expect(result).toEqual({ plan: second, changed: 1, verdict: "works", tries: 1 });
    expect(asked.map(({ body }) => body.plan)).toEqual([undefined, first, undefined, second]);
  });

  test("stale three times is told, and no fourth round is made", async () => {
    const stale: Answer = (asked) =>
      isApply(asked) ? { ...(plan({ fingerprint: second }) as object), status: 409 } : plan();
    const { error, provision: asked, health } = await fly("onboard", { provision: stale });
    expect(error).toMatchObject({ code: 409, tags: ["CrosstrustError", "StalePlanError"] });
    expect([asked.length, health.length]).toEqual([6, 0]);
  });

  test.each([2, 3, 75])("an apply that ends with %i is followed by checks", async (exit) => {
    const { result, waited } = await fly("onboard", {
      provision: onApply(applied({ exit })),
      health: verdicts("unknown", "broken", "works"),
    });
    expect([result.verdict, result.tries, waited]).toEqual(["works", 3, 5 + 10]);
  });

  test("unproved is settled too", async () => {
    const { result } = await fly("onboard", { provision, health: verdicts("drifted", "unproved") });
    expect(result).toMatchObject({ verdict: "unproved", tries: 2 });
  });

  test("links that do not settle: ten minutes, waits that grow, the last verdict", async () => {
    const { state, error, waited, health } = await fly("onboard", { provision, health: verdicts("unknown", "broken") });
    expect([state, error]).toEqual([
      "FAILED",
      {
        code: 504,
        message: "the links do not settle",
        tags: ["CrosstrustError", "NotSettledError"],
        verdict: "broken",
        tries: health.length,
      },
    ]);
    expect([waited, health.length]).toEqual([5 + 10 + 20 + 40 + 8 * 60, 13]);
  });
});

describe("a refusal", () => {
  test.each<readonly [number, string]>([
    [65, "AWS-SUB-MISSING"],
    [73, "GOOGLE-FOREIGN"],
    [77, "GOOGLE-NOT-PERMITTED"],
    [75, "GOOGLE-API-DISABLED"],
    [1, "TOOL"],
  ])("of the plan, exit %i, names its first finding", async (exit, code) => {
    const { error, provision: asked } = await fly("onboard", {
      provision: () => plan({ exit, findings: finding(code) }),
    });
    expect(error).toEqual({
      code: exit,
      message: `the plan is refused, ${code}`,
      tags: ["CrosstrustError", "PlanRefusedError"],
      finding: code,
    });
    expect(asked.filter(isApply)).toEqual([]);
  });

  test("of the plan, without a finding", async () => {
    const { error } = await fly("onboard", { provision: () => plan({ exit: 77 }) });
    expect(error).toEqual({
      code: 77,
      message: "the plan is refused, and no finding says why",
      tags: ["CrosstrustError", "PlanRefusedError"],
    });
  });

  test("of the application: 409 with the same plan, and 200 with an exit that does not pass", async () => {
    const conflict = { ...(plan({ exit: 73, findings: finding("AWS-FOREIGN") }) as object), status: 409 };
    const { error } = await fly("onboard", { provision: onApply(conflict) });
    expect(error).toMatchObject({ code: 73, tags: ["CrosstrustError", "ApplyRefusedError"], finding: "AWS-FOREIGN" });
    expect(error.message).toBe("the plan is not applied, AWS-FOREIGN");
    const denied = applied({ exit: 77, findings: finding("AWS-NOT-PERMITTED") });
    const { error: late, health } = await fly("onboard", { provision: onApply(denied) });
    expect(late).toMatchObject({
      code: 77,
      tags: ["CrosstrustError", "ApplyRefusedError"],
      finding: "AWS-NOT-PERMITTED",
    });
    expect([late.message, health]).toEqual(["the plan is not applied, AWS-NOT-PERMITTED", []]);
  });

  test.each([400, 403, 413, 415, 422])("of the function itself, %i", async (status) => {
    const { error } = await fly("onboard", { provision: onApply({ status, body: { error: "no" } }) });
    expect(error).toMatchObject({ code: status, tags: ["CrosstrustError", "RefusedError"] });
  });
});

const failures: readonly (readonly [string, Says, object])[] = [
  ["429", { status: 429 }, { code: 429, tags: ["CrosstrustError", "UnreachableError"] }],
  ["500", { status: 500 }, { code: 500, tags: ["CrosstrustError", "UnreachableError"] }],
  ["503", { status: 503 }, { code: 503, tags: ["CrosstrustError", "UnreachableError"] }],
  ["a timeout", "never", { code: 0, tags: ["CrosstrustError", "UnreachableError"] }],
  ["a reset", "reset", { code: 0, tags: ["CrosstrustError", "UnreachableError"] }],
  [
    "202 for ever",
    { status: 202, body: { state: "another run is in progress" } },
    { code: 202, tags: ["CrosstrustError", "BusyError"] },
  ],
  ["401", { status: 401 }, { code: 401, tags: ["CrosstrustError", "RefusedError"] }],
  ["somebody's web page", { status: 200, body: "<html>" }, { code: 502, tags: ["CrosstrustError", "MalformedError"] }],
  ["an empty answer", { status: 200 }, { code: 502, tags: ["CrosstrustError", "MalformedError"] }],
  [
    "a map without the key",
    { status: 200, body: envelope },
    { code: 502, tags: ["CrosstrustError", "MalformedError"] },
  ],
];

describe.each<readonly [string, (says: Says) => object]>([
  ["planning", (says) => ({ provision: () => says })],
  ["applying the plan", (says) => ({ provision: onApply(says) })],
  ["checking the links", (says) => ({ provision, health: () => says })],
])("%s", (what, flow) => {
  test.each(failures)("%s: FAILED, and clearly", async (_, says, error) => {
    const { state, error: raised, waited } = await fly("onboard", flow(says));
    expect([state, raised]).toEqual(["FAILED", { message: expect.stringContaining(`${what} failed, `), ...error }]);
    expect(waited).toBe((error as { code: number }).code === 401 ? 0 : 5 + 10 + 20 + 40 + 60 + 60);
  });

  test.each<Says>([{ status: 429 }, { status: 500 }, { status: 503 }, { status: 202, body: {} }, "never", "reset"])(
    "%j twice: it goes on",
    async (says) => {
      let times = 2;
      const unwell =
        (answer: Answer, which: (asked: Asked) => boolean): Answer =>
        (asked) =>
          which(asked) && times-- > 0 ? says : answer(asked);
      const { result, waited } = await fly("onboard", {
        provision: unwell(
          provision,
          (asked) => what !== "checking the links" && isApply(asked) === (what !== "planning"),
        ),
        health: unwell(healthFunction(3).answer, () => what === "checking the links"),
      });
      expect([result, waited]).toEqual([{ plan: first, changed: 2, verdict: "works", tries: 1 }, 5 + 10]);
    },
  );
});

describe("other answers", () => {
  test.each<readonly [string, Says, string]>([
    ["a plan without changes", { status: 200, body: { ...envelope, exit: 2, fingerprint: first } }, "planning"],
    ["a plan whose changes are no list", plan({ changes: 7 }), "planning"],
    ["a change without a verb", plan({ changes: [{ address: "a" }] }), "planning"],
    ["a plan without an exit", plan({ exit: undefined }), "planning"],
  ])("%s is a MalformedError", async (_, says, what) => {
    const { error } = await fly("onboard", { provision: () => says });
    expect(error).toEqual({
      code: 0,
      message: `${what} failed, the answer lacks a key`,
      tags: ["CrosstrustError", "MalformedError"],
    });
  });

  test("409 with something else than a plan", async () => {
    const { error } = await fly("onboard", { provision: onApply({ status: 409, body: "<html>" }) });
    expect(error).toEqual({
      code: 0,
      message: "applying the plan failed, the answer lacks a key",
      tags: ["CrosstrustError", "MalformedError"],
    });
  });

  test("variables that are not set, and an argument that is none", async () => {
    const { error } = await fly("onboard", { env: { CROSSTRUST_PROVISION_URL: "" } });
    expect(error).toMatchObject({ code: 0, tags: ["CrosstrustError", "SetupError"] });
    expect((await fly("onboard", { argument: "all" })).error).toMatchObject({
      message: expect.stringMatching(/^the workflow failed, /),
      tags: ["CrosstrustError", "UnexpectedError"],
    });
  });
});

test("every step is reached by one of these, and a step that none reaches is seen", () => {
  expect(uncovered("onboard")).toEqual([]);
  const more = textOf("onboard").replace(
    "    - longer:\n",
    "    - never_reached:\n        next: longer\n    - longer:\n",
  );
  expect(uncovered("onboard", more)).toEqual(["settled/never_reached/next"]);
});

test("a step that is changed is noticed: another fingerprint, no limit of rounds, a verdict that is not looked at", async () => {
  const changed = (from: string, to: string): string => {
    expect(textOf("onboard")).toContain(from);
    return textOf("onboard").replace(from, to);
  };
  const other = await fly("onboard", {
    provision,
    source: changed("              plan: ${plan}\n", `              plan: ${second}\n`),
  });
  expect(other.provision[1]?.body).not.toEqual({ plan: first });
  const any = await fly("onboard", {
    provision,
    health: verdicts("broken"),
    source: changed('"exit"), 1) == 0', '"exit"), 1) == 3'),
  });
  expect(any.result).toMatchObject({ verdict: "broken" });
});
