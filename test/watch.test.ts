import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { healthOf } from "../src/functions/health.ts";
import { lastReport } from "../src/functions/report.ts";
import type { Memory, World } from "../src/model.ts";
import { bucketStore } from "../src/parties/google/storage.ts";
import { CloudError } from "../src/run/retry.ts";
import type { FaultRule } from "../src/sandbox/faults.ts";
import { type Bench, bench, example, federationOf, reports } from "./support/bench.ts";
import { fourOf, tlsServer } from "./support/chain.ts";
import { Somebody } from "./support/somebody.ts";

// The health function as a schedule runs it, its memory in the sandbox's Cloud Storage, time moved by the sandbox's clock.

let b: Bench;
let lines: Record<string, unknown>[];
let ahead: number;
const saved = { ...process.env };

beforeEach(async () => {
  await ready(await bench());
});
afterEach(() => {
  vi.restoreAllMocks();
  process.env = { ...saved };
});

async function ready(made: Bench): Promise<void> {
  b = made;
  b.haste = 500;
  b.storeOf = (world) => bucketStore("gs://acme-crosstrust/state", world);
  await b.apply(example);
  ahead = 0;
  lines = [];
  vi.restoreAllMocks();
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
}

/** Minutes pass. */
const pass = (minutes: number): void => {
  ahead += minutes * 60;
  b.sandbox.set({ offsetSeconds: ahead });
};

async function call(method: "GET" | "POST", world: World = b.world(), body: unknown = {}) {
  // A fresh world believes its own clock until the first answer has told it the sandbox's.
  await world.credentials({ party: "google", scope: "acme-prod" });
  const rest = { query: {}, federation: federationOf(example), caller: "scheduler@example.com" };
  const reply = method === "GET" ? await lastReport({ ...rest, world }) : await healthOf({ ...rest, world, body });
  return { ...reply, document: JSON.parse(reply.body) };
}

const alerts = () => lines.filter(({ event }) => event === "crosstrust.alert").map(({ alert }) => alert as Alerted);
type Alerted = { id: string; state: string; links: readonly string[]; cause: { what: string } };
const stateOf = async (): Promise<Memory> => JSON.parse((await b.world().store.read("health-memory")) ?? "{}");

const role = "aws.role/111122223333/reports-reader";
/** Somebody empties the trust policy of who may come in. */
function shutOut(): () => void {
  const before = b.sandbox.state.get<{ trust: string }>(role);
  b.sandbox.state.put(role, { ...before, trust: before?.trust.replaceAll("aws-trust-1", "somebody-else") });
  return () => b.sandbox.state.put(role, before);
}

const faulty = (seed: number): FaultRule[] =>
  (["error500", "reset", "reset-after", "truncate", "html", "throttle"] as const).map((fault, at) => ({
    ...{ service: "*", operation: "*", fault, probability: 0.02 / 6, seed: seed * 10 + at },
  }));

describe("a day, a run every five minutes", () => {
  // F6 of the fact sheet, on the product itself. Catches whoever takes one bad answer, or none, for news.
  test("one call in fifty fails, and nothing is said; then a link breaks and is mended", async () => {
    b.sandbox.faults.set(faulty(1));
    const verdicts = new Set<string>();
    for (let tick = 0; tick < 288; tick++) {
      pass(5);
      const { status, document } = await call("POST");
      expect(status).toBe(200);
      verdicts.add(document.verdict);
    }
    expect([alerts(), [...verdicts].filter((one) => !["works", "unknown"].includes(one))]).toEqual([[], []]);
    expect((await stateOf()).links["reports-to-s3"]?.history.length).toBe(48);
    const mend = shutOut();
    for (let tick = 0; tick < 6; tick++) {
      pass(5);
      await call("POST");
    }
    expect(alerts().map(({ state }) => state)).toEqual(["opened"]);
    mend();
    for (let tick = 0; tick < 4; tick++) {
      pass(5);
      await call("POST");
    }
    expect(alerts().map(({ state, links }) => [state, links])).toEqual([
      ["opened", ["reports-to-s3"]],
      ["closed", ["reports-to-s3"]],
    ]);
    expect(new Set(alerts().map(({ id }) => id)).size).toBe(1);
    expect(lines.filter(({ event }) => event === "crosstrust.watch").length).toBe(298);
    const text = JSON.stringify(lines);
    for (const secret of b.sandbox.keys.issued) expect(text).not.toContain(secret);
  });
});

describe("what somebody did to a role", () => {
  const administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
  const ways: readonly (readonly [string, (somebody: Somebody) => Promise<unknown>, string, string])[] = [
    [
      "AdministratorAccess attached",
      (one) => one.iam("AttachRolePolicy", { RoleName: "reports-reader", PolicyArn: administrator }),
      "drifted, grants more",
      "may AdministratorAccess",
    ],
    [
      "a longer session",
      (one) => one.iam("UpdateRole", { RoleName: "reports-reader", MaxSessionDuration: 7200 }),
      "drifted",
      "maxSession",
    ],
  ];

  // Catches an alert that says "drifted" of a harmless edit and of an administrator alike.
  test.each(ways)("%s is one alert that names it, and one that closes", async (_, edit, what, part) => {
    const before = b.sandbox.state.get<object>(role);
    await edit(new Somebody(b));
    for (let tick = 0; tick < 3; tick++) {
      pass(5);
      await call("POST");
    }
    b.sandbox.state.put(role, before);
    for (let tick = 0; tick < 3; tick++) {
      pass(5);
      await call("POST");
    }
    const told = lines.filter(({ event }) => event === "crosstrust.alert");
    expect(told.map(({ alert }) => [(alert as Alerted).state, (alert as Alerted).cause.what])).toEqual([
      ["opened", what],
      ["closed", what],
    ]);
    expect(told[0]?.message).toContain(`(role/111122223333/reports-reader: ${part})`);
  });

  test("an administrator beside a harmless edit is an alert of its own, and the edit stays open", async () => {
    const before = b.sandbox.state.get<object>(role);
    const [admin, longer] = ways;
    await longer?.[1](new Somebody(b));
    for (let tick = 0; tick < 2; tick++) {
      pass(5);
      await call("POST");
    }
    await admin?.[1](new Somebody(b));
    for (let tick = 0; tick < 3; tick++) {
      pass(5);
      await call("POST");
    }
    expect(alerts().map(({ state, cause }) => `${state} ${cause.what}`)).toEqual([
      "opened drifted",
      "opened drifted, grants more",
    ]);
    b.sandbox.state.put(role, before);
  });
});

describe("one run", () => {
  test("the report says since when, when it last was good, and when the next is due", async () => {
    const first = (await call("POST")).document;
    expect(first).toMatchObject({ stateSaved: true, links: [{ since: first.at, lastGood: first.at }] });
    expect(Date.parse(first.nextExpectedBy) - Date.parse(first.at)).toBe(15 * 60_000);
    shutOut();
    pass(5);
    const second = (await call("POST")).document;
    pass(5);
    const third = (await call("POST")).document;
    expect(third.links[0]).toMatchObject({ verdict: "broken", since: second.at, lastGood: first.at });
  });

  // Catches an alert for each finding: the judge and the refusals find the same hole, each in its own words.
  test("one hole is one alert, at once", async () => {
    const before = b.sandbox.state.get<object>(role);
    const Action = "sts:AssumeRoleWithWebIdentity";
    const Statement = [{ Effect: "Allow", Principal: { Federated: "accounts.google.com" }, Action }];
    b.sandbox.state.put(role, { ...before, trust: JSON.stringify({ Version: "2012-10-17", Statement }) });
    expect((await call("POST")).document.verdict).toBe("open");
    expect(lines.filter(({ event }) => event === "crosstrust.alert").map(({ severity }) => severity)).toEqual([
      "CRITICAL",
    ]);
    b.sandbox.state.put(role, before);
    for (let tick = 0; tick < 2; tick++) {
      pass(5);
      await call("POST");
    }
    expect(alerts().map(({ state }) => state)).toEqual(["opened", "closed"]);
  });

  test("a key that somebody made since the last run is one alert, and one more line when it is gone", async () => {
    await call("POST");
    const path = `iam/v1/projects/acme-prod/serviceAccounts/${reports}/keys`;
    const { body } = await b.google("POST", path, {});
    for (let tick = 0; tick < 2; tick++) {
      pass(5);
      const { document } = await call("POST");
      expect(document.findings).toMatchObject([{ code: "GOOGLE-USER-KEY", severity: "security" }]);
      expect(document.verdict).toBe("works");
    }
    expect(alerts().map(({ state, cause }) => [state, cause.what])).toEqual([["opened", "GOOGLE-USER-KEY"]]);
    await b.google("DELETE", `iam/v1/${body.name}`);
    pass(5);
    await call("POST");
    expect(alerts().map(({ state }) => state)).toEqual(["opened", "closed"]);
  });

  // T13: whoever may write the memory must not be able to hide anything with it, nor the verdict of the day.
  test("a verdict does not come from the memory, whatever somebody wrote there", async () => {
    await call("POST");
    const good = await b.world().store.read("health-memory");
    const mend = shutOut();
    for (const text of [good ?? "", "{}", "not json", "[]"]) {
      await b.world().store.write("health-memory", text);
      expect((await call("POST")).document.verdict).toBe("broken");
    }
    const bad = (await b.world().store.read("health-memory")) ?? "";
    mend();
    await b.world().store.write("health-memory", bad);
    expect((await call("POST")).document.verdict).toBe("works");
  });

  test("without its store it still tells how the links fare, and that it forgets", async () => {
    b.sandbox.faults.set([{ service: "google.storage", operation: "*", fault: "error500" }]);
    const { status, document } = await call("POST");
    expect([status, document.verdict, document.stateSaved]).toEqual([200, "works", false]);
  });

  test("a check of some links is neither remembered nor kept waiting", async () => {
    await call("POST");
    const before = await stateOf();
    const until = Date.now() + 600_000;
    await b.world().store.write("health-lease", JSON.stringify({ holder: "another instance", until }));
    expect((await call("POST", b.world(), { links: ["reports-to-s3"] })).status).toBe(200);
    expect(await stateOf()).toEqual(before);
    expect((await call("POST")).status).toBe(202);
  });

  test("killed at every call: no alert, and after the lease's time the next run goes on", async () => {
    let held = 0;
    for (let last = 1, whole = false; !whole; last++) {
      let left = last;
      const world = b.world();
      // Dead is dead: nothing that it would still do at its end reaches anybody.
      const http: World["http"] = (request) => (left-- > 0 ? world.http(request) : dead());
      const dying = { ...world, http };
      const store = bucketStore("gs://acme-crosstrust/state", dying);
      await call("POST", { ...dying, store }).catch(() => {});
      whole = left > 0;
      if ((await call("POST")).status === 202) held++;
      pass(11);
      const { status, document } = await call("POST");
      expect([status, document.verdict, document.stateSaved]).toEqual([200, "works", true]);
    }
    expect(held).toBeGreaterThan(5);
    expect([alerts(), (await stateOf()).alerts, (await stateOf()).outbox]).toEqual([[], [], []]);
  });

  test("no report in time: GET says so", async () => {
    await call("POST");
    expect((await call("GET")).headers).not.toHaveProperty("crosstrust-stale");
    pass(16);
    for (const forget of [false, true]) {
      if (forget) await b.world().store.remove("health-memory");
      const { headers, document, status } = await call("GET");
      expect([status, headers?.["crosstrust-stale"]]).toEqual([200, "true"]);
      expect(document.findings[0].code).toBe("HEALTH-STALE");
    }
    await call("POST");
    expect((await call("GET")).headers).not.toHaveProperty("crosstrust-stale");
  });
});

const dead = (): never => {
  const about = { class: "interrupted", service: "", operation: "", code: "", status: 0 } as const;
  throw new CloudError({ ...about, message: "killed" });
};

describe("the webhook", () => {
  const host = "hooks.example.com";
  const url = `https://${host}/services/T000/B000/secret-part`;

  test("is told once of each change, again where it did not answer, and never fails the run", async () => {
    const { root, a, b: inner, leaf } = await fourOf(host);
    const got: { text: string; type: string | undefined }[] = [];
    let status = 200;
    const port = await tlsServer(leaf.pem + inner.pem + a.pem, leaf.key, (request, response) => {
      let body = "";
      request.on("data", (part) => (body += part));
      request.on("end", () => {
        if (status === 200) got.push({ text: JSON.parse(body).text, type: request.headers["content-type"] });
        response.writeHead(status).end("ok");
      });
    });
    await ready(await bench({ hosts: new Map([[host, port]]), anchors: [root.pem] }));
    process.env.CROSSTRUST_WEBHOOK = url;
    await call("POST");
    const mend = shutOut();
    status = 500;
    for (let tick = 0; tick < 3; tick++) {
      pass(5);
      expect((await call("POST")).document).toMatchObject({ verdict: "broken", stateSaved: true });
    }
    expect([got, alerts().length, (await stateOf()).outbox.map(({ to }) => to)]).toEqual([[], 1, [["webhook"]]]);
    status = 200;
    for (let tick = 0; tick < 2; tick++) {
      pass(5);
      await call("POST");
    }
    expect(got).toEqual([{ text: expect.stringContaining("opened"), type: "application/json" }]);
    mend();
    for (let tick = 0; tick < 3; tick++) {
      pass(5);
      await call("POST");
    }
    expect([got.length, got[1]?.text]).toEqual([2, expect.stringContaining("closed")]);
    expect(alerts().map(({ state }) => state)).toEqual(["opened", "closed"]);
    expect([JSON.stringify(lines).includes("secret-part"), (await stateOf()).outbox]).toEqual([false, []]);
  });

  test.each([
    "http://hooks.example.com/x",
    "https://169.254.169.254/x",
    "https://user@hooks.example.com/x",
    "nonsense",
  ])("%s is never posted to, and the run holds", async (wrong) => {
    process.env.CROSSTRUST_WEBHOOK = wrong;
    shutOut();
    await call("POST");
    pass(5);
    expect((await call("POST")).document).toMatchObject({ verdict: "broken", stateSaved: true });
    expect(lines.some(({ message }) => String(message).startsWith("the webhook is not reached"))).toBe(true);
  });
});
