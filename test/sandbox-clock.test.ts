import { describe, expect, test } from "vitest";
import { nextRun, scheduleOf } from "../src/parties/google/sandbox/schedule.ts";
import { type Bench, bench, example, folderWith } from "./support/bench.ts";
import { start } from "./support/cli.ts";
import { eventually } from "./support/guard.ts";
import { listener } from "./support/listener.ts";
import { echo, project, runStage } from "./support/run.ts";

// One clock for the sandbox, for what is deployed to it, and for what its schedulers do.

const minute = 60_000;
const hour = 60 * minute;

/** Every time of a schedule in a span, as texts in UTC. */
function timesOf(text: string, from: string, hours: number, timeZone = "Etc/UTC"): readonly string[] {
  const schedule = scheduleOf(text);
  const [since, until] = [Date.parse(from), Date.parse(from) + hours * hour];
  const found: string[] = [];
  for (let after = since; schedule; ) {
    const at = nextRun(schedule, { timeZone, since }, { after, until });
    if (at === undefined) break;
    found.push(new Date(at).toISOString().slice(5, 16));
    after = at;
  }
  return found;
}

describe("when a schedule strikes", () => {
  test.each([
    ["0 * * * *", ["03-02T01:00", "03-02T02:00", "03-02T03:00"], 3],
    [
      "7-59/20 0-1 * * *",
      ["03-02T00:07", "03-02T00:27", "03-02T00:47", "03-02T01:07", "03-02T01:27", "03-02T01:47"],
      24,
    ],
    ["30 9 * * mon-fri", ["03-02T09:30", "03-03T09:30", "03-04T09:30", "03-05T09:30", "03-06T09:30"], 168],
    ["0 0 * * 7", ["03-08T00:00"], 168],
    ["0 0 4 MAR *", ["03-04T00:00"], 168],
    // Both the day of the month and the day of the week are narrowed: either is enough.
    ["0 0 5 * sat", ["03-05T00:00", "03-07T00:00"], 168],
    ["every 90 minutes", ["03-02T01:30", "03-02T03:00"], 4],
    ["every 2 hours", ["03-02T02:00", "03-02T04:00"], 4],
    ["every day 06:15", ["03-02T06:15", "03-03T06:15"], 48],
    ["every monday,wed 06:15", ["03-02T06:15", "03-04T06:15"], 168],
  ])("%s", (text, times, hours) => {
    // A Monday, at midnight: a moment itself is not after itself.
    expect(timesOf(text, "2026-03-02T00:00:00Z", hours)).toEqual(times);
  });

  test("is told by the clocks of its time zone, also where they change", () => {
    const around = (zone: string) => timesOf("0 12 * * *", "2026-03-28T00:00:00Z", 48, zone);
    expect(around("Europe/Berlin")).toEqual(["03-28T11:00", "03-29T10:00"]);
    expect(around("Asia/Kolkata")).toEqual(["03-28T06:30", "03-29T06:30"]);
  });

  test.each(["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "5-1 * * * *", "*/0 * * * *"])(
    "%j is no schedule",
    (text) => expect(scheduleOf(text)).toBeUndefined(),
  );
});

const jobs = "cloudscheduler/v1/projects/acme-prod/locations/us-central1/jobs";
const move = async (b: Bench, offsetSeconds: number, more = {}) => {
  const answer = await fetch(`${b.url}/_sandbox/clock`, {
    method: "PUT",
    body: JSON.stringify({ offsetSeconds, ...more }),
  });
  return { status: answer.status, body: (await answer.json()) as { runs?: number; error?: string } };
};

describe("Cloud Scheduler", () => {
  async function stage(schedule: string, more: object = {}) {
    const b = await bench();
    const { url, heard } = await listener(() => ({ status: 200 }));
    const make = (id: string, text: string, fields: object = {}) =>
      b.google("POST", jobs, {
        name: `projects/acme-prod/locations/us-central1/jobs/${id}`,
        schedule: text,
        httpTarget: { uri: `${url}/${id}` },
        ...fields,
      });
    expect((await make("first", schedule, more)).status).toBe(200);
    const at = () => heard.map(({ path, headers }) => [path, headers["x-cloudscheduler-scheduletime"] ?? ""] as const);
    return { b, make, at };
  }

  test("runs a job at each of its times that the clock passes, and shows it that time", async () => {
    const { b, at } = await stage("0 * * * *");
    const before = Date.now();
    expect((await move(b, 5 * 3600)).body.runs).toBe(5);
    const times = at().map(([, time]) => Date.parse(time));
    for (const time of times) {
      // The moment itself, and what its own call has taken.
      expect(time % hour).toBeLessThan(minute);
      expect(time).toBeGreaterThan(before);
    }
    expect(new Set(times.map((time) => Math.floor(time / hour))).size).toBe(5);
    // Nothing is done twice, and going back does nothing.
    expect((await move(b, 5 * 3600)).body.runs).toBe(0);
    expect((await move(b, 0)).body.runs).toBe(0);
    const { lastAttemptTime, status } = (await b.google("GET", `${jobs}/first`)).body;
    expect([status, Date.parse(String(lastAttemptTime)) >= (times.at(-1) ?? 0)]).toEqual([{ code: 0 }, true]);
  });

  test("runs several jobs in the order of their times, and none that is paused or deleted", async () => {
    const { b, make, at } = await stage("0 * * * *");
    for (const id of ["half", "paused", "gone"]) await make(id, "30 * * * *");
    await b.google("POST", `${jobs}/paused:pause`, {});
    await b.google("DELETE", `${jobs}/gone`);
    await move(b, 4 * 3600);
    const paths = at().map(([path]) => path);
    expect(paths).toHaveLength(8);
    for (const [index, path] of paths.entries()) expect(path).not.toBe(paths[index + 1]);
    expect(new Set(paths)).toEqual(new Set(["/first", "/half"]));
  });

  test("is left out on request, and refuses more runs than one move may wait for", async () => {
    const { b, at } = await stage("* * * * *");
    const far = await move(b, 30 * 86_400);
    expect([far.status, far.body.error]).toEqual([400, expect.stringContaining("smaller steps")]);
    expect(b.sandbox.settings.offsetSeconds).toBe(0);
    expect((await move(b, 30 * 86_400, { jobs: "skip" })).body.runs).toBe(0);
    expect([b.sandbox.settings.offsetSeconds, at()]).toEqual([30 * 86_400, []]);
  });

  test.each([{ schedule: "61 * * * *" }, { schedule: "every now and then" }, { timeZone: "Europe/Nowhere" }])(
    "refuses a job with %j",
    async (fields) => {
      const b = await bench();
      const name = "projects/acme-prod/locations/us-central1/jobs/x";
      const job = { name, schedule: "0 * * * *", httpTarget: { uri: "http://127.0.0.1:1" }, ...fields };
      const { status, body } = await b.google("POST", jobs, job);
      expect([status, body.error]).toMatchObject([400, { message: "Schedule or time zone is invalid." }]);
    },
  );

  test("runs them in real time, too, while the sandbox is served in the foreground", async () => {
    const cwd = folderWith(example);
    const { match } = await start(["sandbox", "--port", "0"], { cwd, until: /http:\/\/127\.0\.0\.1:\d+/ });
    const served = { url: match[0] } as Bench;
    const session = await fetch(`${match[0]}/_sandbox/credentials?party=google&scope=acme-prod`);
    const { secrets } = (await session.json()) as { secrets: { accessToken: string } };
    const { url, heard } = await listener(() => ({ status: 200 }));
    const name = "projects/acme-prod/locations/us-central1/jobs/tick";
    await fetch(`${match[0]}/google/${jobs}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secrets.accessToken}` },
      body: JSON.stringify({ name, schedule: "* * * * *", httpTarget: { uri: url } }),
    });
    // To two seconds before the next full minute of its clock: that one comes by itself.
    const ahead = minute - (Date.now() % minute) - 2000;
    await move(served, (ahead < 0 ? ahead + minute : ahead) / 1000);
    const before = heard.length;
    await eventually(() => expect(heard.length).toBeGreaterThan(before));
  });
});

describe("what is deployed", () => {
  const clock = echo("first").map((file) =>
    file.name === "index.js"
      ? {
          ...file,
          text: `import { http } from "@google-cloud/functions-framework";
http("hello", (_, response) => {
  const time = new Date();
  response.json({ now: Date.now(), made: time.getTime(), year: Date().slice(11, 15), is: time instanceof Date,
    own: time.constructor === Date, given: new Date(5).getTime(), utc: Date.UTC(1970, 0, 2) });
});`,
        }
      : file,
  );

  test("has the sandbox's time at once, however it asks, and answers to both of its URLs after a move", async () => {
    const stage = await runStage();
    await stage.enable();
    const [runner, caller] = [await stage.account("runner"), await stage.account("caller")];
    const { body } = await stage.deploy(clock, { email: runner.email });
    await stage.grant(`serviceAccount:${caller.email}`);
    const { b } = stage;
    const { number } = b.sandbox.state.get<{ number: string }>(`google.project/${project}`) ?? {};
    const urls: readonly string[] = [body.status.url, `https://hello-${number}.us-central1.run.app`];
    const ask = async (url: string) => {
      const claims = { aud: url, sub: caller.uniqueId, email: caller.email, email_verified: true };
      const text = JSON.stringify({ issuer: "https://accounts.google.com", claims });
      const minted = await fetch(`${b.url}/_sandbox/mint`, { method: "POST", body: text });
      const { token } = (await minted.json()) as { token: string };
      const host = url.replace("https://", "");
      return stage.call("POST", `${host}/`, {}, { authorization: `Bearer ${token}` });
    };
    for (const offset of [0, 40 * 86_400, -3600, 7 * 86_400]) {
      await move(b, offset);
      for (const url of urls) {
        const { status, body: told } = await ask(url);
        expect(status).toBe(200);
        for (const time of [told.now, told.made]) expect(Math.abs(time - b.sandbox.now())).toBeLessThan(30_000);
        expect(told).toMatchObject({ is: true, own: true, given: 5, utc: 86_400_000 });
        expect(told.year).toBe(String(new Date(b.sandbox.now()).getFullYear()));
      }
    }
    // One process through all of it.
    expect(b.sandbox.programs.pids.size).toBe(1);
  });
});
