import { describe, expect } from "vitest";
import { bench, example, folderWith } from "../support/bench.ts";
import { mint } from "../support/deployed.ts";
import { runIn } from "../support/deploying.ts";
import { reach } from "../support/reach.ts";
import { witnessed } from "../support/witness.ts";

// A week of scheduled checks through the deployment, in less than a minute: scheduler, workflow, function, links.

const day = 86_400;
const text = example.replace("links:", "schedule: 360\nlinks:");

describe("a simulated week", () => {
  witnessed("gcloud")(
    "every scheduled check runs and is kept; silence is told, and ends with the next check",
    async () => {
      const all = { b: await bench(), cwd: folderWith(text) };
      const { b } = all;
      const onboarded = await runIn(all, "onboard --deploy --sandbox --yes");
      expect([onboarded.exit, onboarded.out]).toEqual([0, expect.stringContaining("every link")]);

      const move = async (days: number) => {
        const body = JSON.stringify({ offsetSeconds: days * day });
        const answer = await fetch(`${b.url}/_sandbox/clock`, { method: "PUT", body });
        return [answer.status, ((await answer.json()) as { runs: number }).runs];
      };
      const flow = "ct-acme-flow@acme-prod.iam.gserviceaccount.com";
      const report = async () => {
        const { uniqueId } = b.sandbox.state
          .list<{ email: string; uniqueId: string }>("google.account/")
          .map(([, account]) => account)
          .find(({ email }) => email === flow) ?? { uniqueId: "" };
        const { number } = b.sandbox.state.get<{ number: string }>("google.project/acme-prod") ?? {};
        const url = `https://crosstrust-acme-health-${number}.us-central1.run.app`;
        const token = await mint(b, { aud: url, sub: uniqueId, email: flow });
        const headers = { authorization: `Bearer ${token}` };
        const answer = await reach(b.sandbox.host(undefined).deliver, url, { headers });
        expect([answer.status, answer.body]).toEqual([200, expect.any(String)]);
        return JSON.parse(answer.body);
      };
      const ended = () =>
        b.sandbox.state
          .list<{ state: string; error?: object; startTime: string }>("google.execution/")
          .map(([, execution]) => execution);

      const before = ended().length;
      expect(await move(7)).toEqual([200, 28]);
      const runs = ended().slice(before);
      expect(runs.map(({ state, error }) => [state, error])).toEqual(runs.map(() => ["SUCCEEDED", undefined]));
      const times = runs.map(({ startTime }) => Date.parse(startTime)).sort((one, other) => one - other);
      for (const [at, time] of times.slice(1).entries())
        expect(Math.abs(time - (times[at] ?? 0) - 6 * 3600_000)).toBeLessThan(60_000);
      const week = await report();
      expect(week).toMatchObject({ verdict: "works", exit: 0 });
      expect(Math.abs(Date.parse(week.at) - (times.at(-1) ?? 0))).toBeLessThan(60_000);

      // Nobody starts it any more: what is shown then says so.
      const job = "cloudscheduler/v1/projects/acme-prod/locations/us-central1/jobs/crosstrust-acme-health";
      expect((await b.google("POST", `${job}:pause`, {})).status).toBe(200);
      expect(await move(9)).toEqual([200, 0]);
      const stale = await report();
      expect(stale.at).toBe(week.at);
      expect(JSON.stringify(stale)).toContain("HEALTH-STALE");
      expect((await b.google("POST", `${job}:resume`, {})).status).toBe(200);
      expect(await move(9.5)).toEqual([200, 2]);
      const again = await report();
      expect(again).toMatchObject({ verdict: "works" });
      expect(JSON.stringify(again)).not.toContain("HEALTH-STALE");
    },
  );
});
