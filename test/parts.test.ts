import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { serveLocally } from "../functions/local.ts";
import { type Bench, bench, folderWith, manyLinks } from "./support/bench.ts";
import { audience, mint, scheduler } from "./support/deployed.ts";
import { Somebody } from "./support/somebody.ts";

// A run that is divided over many instances comes to what one instance would have come to.

const text = manyLinks(7);
const saved = { ...process.env };
let b: Bench;
let url: string;

beforeEach(async () => {
  b = await bench();
  await b.apply(text);
  const store = mkdtempSync(join(tmpdir(), "crosstrust-parts-"));
  Object.assign(process.env, {
    ...{ NODE_ENV: "production", CROSSTRUST_SANDBOX: b.url, CROSSTRUST_STORE: store },
    ...{ CROSSTRUST_FILE: join(folderWith(text), "federation.yaml") },
    ...{ CROSSTRUST_AUDIENCE: audience, CROSSTRUST_CALLERS: scheduler },
  });
  const served = await serveLocally("health", 0);
  url = served.url;
  onTestFinished(() => {
    served.close();
    rmSync(store, { recursive: true, force: true });
  });
});
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
  Object.assign(process.env, saved);
});

async function call(body?: unknown, query = "") {
  const headers = { authorization: `Bearer ${await mint(b)}`, "content-type": "application/json" };
  const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`${url}/${query}`, init);
  // biome-ignore lint/suspicious/noExplicitAny: what it holds is what is tested
  const said: any = await answer.json();
  return { status: answer.status, verdict: answer.headers.get("crosstrust-verdict"), body: said };
}

const batches = async (size: number): Promise<string[][]> =>
  (await call(undefined, `?format=batches&size=${size}`)).body.batches;

/** All batches but some, then the gathering. */
async function divided(run: string, without: readonly number[] = []) {
  const all = await batches(2);
  for (const [part, links] of all.entries()) {
    if (without.includes(part)) continue;
    const { status, body } = await call({ links, run, part });
    expect([status, body]).toMatchObject([200, { run, part, deployment: "acme", counts: expect.any(Object) }]);
    expect(body).not.toHaveProperty("links");
  }
  return call({ run, parts: all.length });
}

const report = async () => (await call(undefined)).body;
const verdicts = (links: readonly { link: string; verdict: string }[]) =>
  links.map(({ link, verdict }) => [link, verdict]);

describe("a divided run", () => {
  test("batches hold every link once, in the order of the file", async () => {
    const found = await batches(3);
    expect(found.map((one) => one.length)).toEqual([3, 3, 1]);
    expect(found.flat()).toEqual(Array.from({ length: 7 }, (_, at) => `link-${at}`));
    for (const size of ["0", "201", "x", "-1", "1e1", ""])
      expect((await call(undefined, `?format=batches&size=${size}`)).status).toBe(400);
  });

  test("comes to the verdict, the links and the findings of an undivided one, and is stored as it", async () => {
    await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } }, "role-3");
    const whole = (await call({})).body;
    const { status, verdict, body } = await divided("run-1");
    expect([status, verdict, body.verdict, body.links]).toEqual([200, whole.verdict, whole.verdict, 7]);
    expect(body.counts).toEqual({ works: 6, [whole.verdict]: 1 });
    const stored = await report();
    expect(verdicts(stored.links)).toEqual(verdicts(whole.links));
    const codes = (all: readonly { code: string }[]) => all.map(({ code }) => code).sort();
    expect(codes(stored.findings)).toEqual(codes(whole.findings));
    expect(body.exit).toBe(whole.exit);
  });

  test("is remembered: the second bad run raises the alert, once, and a good one closes it", async () => {
    const said: string[] = [];
    const write = process.stdout.write;
    process.stdout.write = ((line: string) => said.push(String(line)) > 0) as never;
    try {
      await divided("run-0");
      await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } }, "role-3");
      for (const run of ["run-1", "run-2", "run-3"]) await divided(run);
      await b.apply(text);
      for (const run of ["run-4", "run-5"]) await divided(run);
    } finally {
      process.stdout.write = write;
    }
    const lines = said.flatMap((line) => line.split("\n")).filter((line) => line.includes('"crosstrust.alert"'));
    const states = lines.map((line) => JSON.parse(line).alert).filter(({ links }) => links.includes("link-3"));
    expect(states.map(({ state }) => state)).toEqual(["opened", "closed"]);
  });

  // Catches a gathering that takes silence for good news.
  test("links of a part that did not arrive are unknown, and the verdict is not works", async () => {
    const { verdict, body } = await divided("run-1", [1]);
    expect([verdict, body.verdict, body.counts]).toEqual(["unknown", "unknown", { works: 5, unknown: 2 }]);
    const stored = await report();
    expect(stored.links[2].hops[0].saw).toBe("its part of the run did not arrive");
  });

  test("parts of another run are not counted, and what was gathered is gone", async () => {
    await divided("run-1");
    const { body } = await call({ run: "run-2", parts: 4 });
    expect(body.counts).toEqual({ unknown: 7 });
  });

  // Catches a gathering whose answer was lost, and which the next try takes for a run without any shares.
  test("gathered again it gives the same answer, and remembers nothing twice", async () => {
    const first = await divided("run-1");
    const stored = await report();
    expect(await call({ run: "run-1", parts: 4 })).toEqual(first);
    expect(await report()).toEqual(stored);
  });

  test("shares are taken side by side, also while something else runs", async () => {
    const all = await batches(2);
    const answers = await Promise.all(all.map((links, part) => call({ links, run: "run-1", part })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await call({ run: "run-1", parts: 4 })).body.counts).toEqual({ works: 7 });
  });

  test.each([
    [{ run: "run-1", part: 0 }, 400],
    [{ run: "run-1", part: 0, links: [] }, 400],
    [{ run: "../../x", part: 0, links: ["link-0"] }, 400],
    [{ run: "run-1", part: -1, links: ["link-0"] }, 400],
    [{ run: "run-1", part: 1.5, links: ["link-0"] }, 400],
    [{ run: "run-1", parts: 1001 }, 400],
    [{ run: "run-1", parts: 0 }, 400],
    [{ run: "run-1", parts: 1, links: ["link-0"] }, 400],
    [{ run: "run-1", part: 0, links: ["stranger"] }, 403],
  ])("%j is refused", async (body, status) => {
    expect((await call(body)).status).toBe(status);
  });
});

// Catches a program that believes whatever stands in its store, or ends with a stack where it cannot be parsed.
test.each(["{", "null", "[]", '{"links":1}', '{"verdict":"works"}'])("a note that says %s is none", async (note) => {
  const store = process.env.CROSSTRUST_STORE ?? "";
  await divided("run-0");
  writeFileSync(join(store, "health-part-run-1-0.json"), note);
  writeFileSync(join(store, "health-part-run-1-gathered.json"), note);
  const { status, verdict } = await divided("run-1", [0]);
  expect([status, verdict]).toEqual([200, "unknown"]);
  writeFileSync(join(store, "health-last.json"), note);
  expect((await call()).status).toBe(404);
});
