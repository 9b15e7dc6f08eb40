import { describe, expect, test } from "vitest";
import type { Delivered } from "../src/sandbox/fake.ts";
import { type Answer, type Asked, fly, healthFunction, textOf, uncovered } from "./support/flow.ts";
import type { Says } from "./support/listener.ts";

// workflows/health.yaml, every step of it (docs/workflows.md).

const only =
  (which: (asked: Asked) => boolean, says: Says, { answer } = healthFunction(120)): Answer =>
  (asked) =>
    which(asked) ? says : answer(asked);
const isBatches = ({ method }: Asked): boolean => method === "GET";
const isPart = ({ body }: Asked): boolean => body?.part !== undefined;
const isGather = ({ body }: Asked): boolean => body?.parts !== undefined;
const isDirect = (asked: Asked): boolean => asked.method === "POST" && !isPart(asked) && !isGather(asked);

describe("verdicts", () => {
  test("few links: one call checks all of them, as without a workflow", async () => {
    const { state, result, health, asked, logs } = await fly("health", { health: healthFunction(3).answer });
    expect([state, result]).toEqual([
      "SUCCEEDED",
      { verdict: "works", run: "run-1", at: "2026-11-01T10:00:00.000Z", links: 3, counts: { works: 3 }, exit: 0 },
    ]);
    expect(health.map(({ method, body }) => [method, body])).toEqual([
      ["GET", undefined],
      ["POST", {}],
    ]);
    expect(logs).toHaveLength(1);
    // The audience is the URL itself.
    expect(new Set(asked.map((auth) => (auth.type === "OIDC" ? auth.audience : "")))).toHaveLength(1);
    expect(asked[0]).toMatchObject({ type: "OIDC", audience: expect.stringMatching(/^http:\/\/127/) });
  });

  test("links that are named: one call with them, and batches are not asked for", async () => {
    const { result, health } = await fly("health", { argument: { links: ["link-1"] } });
    expect(health.map(({ body }) => body)).toEqual([{ links: ["link-1"] }]);
    expect(result).toMatchObject({ verdict: "works", links: 1 });
  });

  test("many links: each in one part, the parts numbered from 0, then gathered", async () => {
    const { answer, all } = healthFunction(120, (link) => (link === "link-77" ? "drifted" : "works"));
    const { result, health } = await fly("health", { health: answer });
    expect(result).toEqual({
      verdict: "drifted",
      run: "run-1",
      at: expect.any(String),
      links: 120,
      counts: { works: 119, drifted: 1 },
      exit: 2,
    });
    const parts = health.filter(isPart).map(({ body }) => body);
    expect(parts.map(({ part, run }) => [part, run]).sort()).toEqual([
      [0, "run-1"],
      [1, "run-1"],
      [2, "run-1"],
    ]);
    expect(parts.flatMap(({ links }) => links).sort()).toEqual([...all].sort());
    expect(health.at(-1)?.body).toEqual({ run: "run-1", parts: 3 });
  });

  test.each<readonly [string, string]>([
    ["works", "INFO"],
    ["unproved", "INFO"],
    ["drifted", "WARNING"],
    ["absent", "WARNING"],
    ["unknown", "WARNING"],
    // ERROR is what the alert over the workflow waits for, and the function has told of the link already.
    ["broken", "WARNING"],
    ["open", "WARNING"],
  ])("%s is an answer, and its log line is %s", async (verdict, severity) => {
    const { state, logs } = await fly("health", { health: healthFunction(2, () => verdict).answer });
    expect(state).toBe("SUCCEEDED");
    expect(logs.map((line) => line.severity)).toEqual([severity]);
    expect(logs[0]?.data).toEqual(
      new Map<string, unknown>([
        ["event", "crosstrust.workflow"],
        ["run", "run-1"],
        ["verdict", verdict],
        ["links", 2n],
        ["counts", new Map([[verdict, 2n]])],
      ]),
    );
  });

  test("the size of a batch: the argument's, else the variable's, else 50", async () => {
    const sizes = async (flow: object) =>
      (await fly("health", { health: healthFunction(10).answer, ...flow })).health[0]?.query.get("size");
    expect(await sizes({})).toBe("50");
    expect(await sizes({ env: { CROSSTRUST_BATCH: "5" } })).toBe("5");
    expect(await sizes({ env: { CROSSTRUST_BATCH: "5" }, argument: { batch: 3 } })).toBe("3");
  });

  test("a thousand links in parts come to the same as one direct answer", async () => {
    const verdictOf = (link: string): string =>
      link.endsWith("13") ? "broken" : link.endsWith("7") ? "drifted" : "works";
    const parts = await fly("health", { health: healthFunction(1000, verdictOf).answer });
    const direct = healthFunction(1000, verdictOf);
    const { body } = direct.answer({ method: "POST", query: new URLSearchParams(), body: {} }) as {
      body: { verdict: string; links: { verdict: string }[] };
    };
    const counts: Record<string, number> = {};
    for (const { verdict } of body.links) counts[verdict] = (counts[verdict] ?? 0) + 1;
    expect(parts.result).toMatchObject({ verdict: body.verdict, counts, links: 1000 });
    expect(parts.health.filter(isPart)).toHaveLength(20);
    expect(parts.waited).toBe(0);
  });

  test("at most ten parts are under way at a time", async () => {
    let [under, most, round] = [0, 0, Promise.withResolvers<void>()];
    const { answer } = healthFunction(300);
    const slow: Answer = async (asked) => {
      if (!isPart(asked)) return answer(asked);
      most = Math.max(most, ++under);
      // They are answered together, when ten have come, so that an eleventh has the time to come too.
      const mine = round;
      if (under === 10) setTimeout(mine.resolve, 20);
      await mine.promise;
      if (--under === 0) round = Promise.withResolvers<void>();
      return answer(asked);
    };
    await fly("health", { health: slow, argument: { batch: 10 } });
    expect(most).toBe(10);
  });

  test("a part that never comes leaves its links unknown, and stops no other", async () => {
    const { answer } = healthFunction(120);
    const { result, health, waited } = await fly("health", {
      health: (asked) => (isPart(asked) && asked.body.part === 1 ? { status: 503 } : answer(asked)),
    });
    expect(result).toMatchObject({ verdict: "unknown", counts: { works: 70, unknown: 50 } });
    expect(health.filter((asked) => isPart(asked) && asked.body.part === 1)).toHaveLength(7);
    expect(waited).toBe(5 + 10 + 20 + 40 + 60 + 60);
  });

  test("another run holds the lease: it waits, and comes to its turn", async () => {
    const { answer } = healthFunction(2);
    let busy = 3;
    const { result, waited } = await fly("health", {
      health: (asked) =>
        isDirect(asked) && busy-- > 0 ? { status: 202, body: { state: "another run is in progress" } } : answer(asked),
    });
    expect([result.verdict, waited]).toEqual(["works", 35]);
  });
});

const failures: readonly (readonly [string, Says, object, number])[] = [
  ["429", { status: 429 }, { code: 429, tags: ["CrosstrustError", "UnreachableError"] }, 7],
  ["500", { status: 500 }, { code: 500, tags: ["CrosstrustError", "UnreachableError"] }, 7],
  ["503", { status: 503 }, { code: 503, tags: ["CrosstrustError", "UnreachableError"] }, 7],
  ["a timeout", "never", { code: 0, tags: ["CrosstrustError", "UnreachableError"] }, 7],
  ["a reset", "reset", { code: 0, tags: ["CrosstrustError", "UnreachableError"] }, 7],
  [
    "202 for ever",
    { status: 202, body: { state: "another run is in progress" } },
    { code: 202, tags: ["CrosstrustError", "BusyError"] },
    7,
  ],
  ["403", { status: 403 }, { code: 403, tags: ["CrosstrustError", "RefusedError"] }, 1],
  [
    "somebody's web page",
    { status: 200, body: "<html>" },
    { code: 502, tags: ["CrosstrustError", "MalformedError"] },
    7,
  ],
  [
    "JSON that is cut off",
    { status: 200, headers: { "content-type": "application/json" }, body: '{"verdict": "wo' },
    { code: 502, tags: ["CrosstrustError", "MalformedError"] },
    7,
  ],
  ["a JSON list", { status: 200, body: [1] }, { code: 502, tags: ["CrosstrustError", "MalformedError"] }, 7],
  [
    "a map without the key",
    { status: 200, body: { crosstrust: 1 } },
    { code: 502, tags: ["CrosstrustError", "MalformedError"] },
    7,
  ],
];

describe.each<readonly [string, (asked: Asked) => boolean, string, object]>([
  ["the batches", isBatches, "reading the batches failed, ", {}],
  ["a direct check", isDirect, "checking the links failed, ", { argument: { links: ["link-1"] } }],
  ["the gathering", isGather, "gathering the parts failed, ", {}],
])("%s", (_, which, message, flow) => {
  // 202 is for work that is asked for by POST.
  const its = failures.filter(([name]) => which !== isBatches || name !== "202 for ever");

  test.each(its)("%s: FAILED, and clearly", async (_name, says, error, calls) => {
    const { state, error: raised, health, logs, waited } = await fly("health", { health: only(which, says), ...flow });
    expect([state, raised]).toEqual(["FAILED", { message: expect.stringContaining(message), ...error }]);
    expect([health.filter(which).length, waited]).toEqual([calls, calls === 1 ? 0 : 5 + 10 + 20 + 40 + 60 + 60]);
    // One line, with the error, so that one alert is enough.
    expect(logs).toMatchObject([{ severity: "ERROR" }]);
  });
});

describe("a part", () => {
  test.each(failures)("%s: its links are unknown", async (_name, says, _error, calls) => {
    const { state, result, health } = await fly("health", {
      health: only((asked) => isPart(asked) && asked.body.part === 0, says),
    });
    expect([state, result.verdict, result.counts]).toEqual(["SUCCEEDED", "unknown", { unknown: 50, works: 70 }]);
    expect(health.filter((asked) => isPart(asked) && asked.body.part === 0)).toHaveLength(calls);
  });
});

describe("other answers", () => {
  test.each<readonly [string, (asked: Asked) => boolean, object, string, object]>([
    [
      "links that are no list",
      isDirect,
      { verdict: "works", at: "x", links: 7 },
      "checking the links",
      { argument: { links: ["link-1"] } },
    ],
    [
      "a link without a verdict",
      isDirect,
      { verdict: "works", at: "x", links: [{ link: "a" }] },
      "checking the links",
      { argument: { links: ["link-1"] } },
    ],
    ["no time", isDirect, { verdict: "works", links: [] }, "checking the links", { argument: { links: ["link-1"] } }],
    ["no counts", isGather, { verdict: "works", at: "x", links: 3 }, "gathering the parts", {}],
  ])("%s is a MalformedError", async (_, which, body, what, flow) => {
    const { error } = await fly("health", { health: only(which, { status: 200, body }), ...flow });
    expect(error).toEqual({
      code: 0,
      message: `${what} failed, the answer lacks a key`,
      tags: ["CrosstrustError", "MalformedError"],
    });
  });

  test("batches that are no list", async () => {
    const { error } = await fly("health", {
      health: only(isBatches, { status: 200, body: { batches: "all of them" } }),
    });
    expect(error.tags).toEqual(["CrosstrustError", "MalformedError"]);
  });

  test("a link or a size that the function refuses", async () => {
    const { error } = await fly("health", { argument: { links: ["no-such-link"] } });
    expect(error).toMatchObject({ code: 403, tags: ["CrosstrustError", "RefusedError"] });
    const { error: size } = await fly("health", { argument: { batch: 500 } });
    expect(size).toMatchObject({ code: 400, tags: ["CrosstrustError", "RefusedError"] });
  });

  test("nobody listens, and the account gives no token", async () => {
    const refused: Delivered = { failure: "refused", says: "nobody there" };
    const { error } = await fly("health", { send: () => refused });
    expect(error).toEqual({
      code: 0,
      message: "reading the batches failed, nobody there",
      tags: ["CrosstrustError", "UnreachableError"],
    });
    const large: Delivered = { failure: "too-large", says: "2 MB" };
    expect((await fly("health", { send: () => large })).error.tags).toEqual(["CrosstrustError", "UnexpectedError"]);
  });

  test("a log line that cannot be written takes no verdict away", async () => {
    const source = textOf("health").replace(
      "severity: ${severity}\n            json",
      "severity: WRONG\n            json",
    );
    const { state, result, logs } = await fly("health", { source });
    expect([state, result.verdict, logs]).toEqual(["SUCCEEDED", "works", []]);
  });

  test("a variable that is not set, and an argument that is none, are told as clearly", async () => {
    const { error } = await fly("health", { env: { CROSSTRUST_HEALTH_URL: "" } });
    expect(error).toEqual({
      code: 0,
      message: "the variable CROSSTRUST_HEALTH_URL is not set",
      tags: ["CrosstrustError", "SetupError"],
    });
    const { error: wrong, logs } = await fly("health", { argument: [1] });
    expect(wrong).toMatchObject({
      message: expect.stringMatching(/^the workflow failed, /),
      tags: ["CrosstrustError", "UnexpectedError"],
    });
    expect(logs).toMatchObject([{ severity: "ERROR" }]);
  });
});

test("every step is reached by one of these, and a step that none reaches is seen", () => {
  expect(uncovered("health")).toEqual([]);
  const more = textOf("health").replace("    - out:\n", "    - never_reached:\n        next: out\n    - out:\n");
  expect(uncovered("health", more)).toEqual(["main/never_reached/next"]);
});
