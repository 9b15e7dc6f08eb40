import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { bench, example, folderWith } from "../support/bench.ts";
import { type Deploying, killedAt, runIn, things } from "../support/deploying.ts";
import { witnessed } from "../support/witness.ts";

// The whole way with the real gcloud: from nothing to a check that the schedule has started, killed on the way, and
// taken down again (`npm run figures` kills it at every step). Everything it asks for is asked of the sandbox.

const stage = async (): Promise<Deploying> => ({ b: await bench(), cwd: folderWith(example) });

describe("deploy", () => {
  witnessed("gcloud")(
    "killed and run again, it ends with what one run makes; again writes nothing; offboard leaves nothing",
    async () => {
      const all = await stage();
      const { b, cwd } = all;
      const before = await things(b);
      expect(await killedAt(all, "deploy --sandbox --yes", /\d+\/\d+ {2}role/)).not.toContain("made or changed");
      const whole = await runIn(all, "onboard --deploy --sandbox --yes");
      expect([whole.exit, whole.err]).toEqual([0, expect.any(String)]);
      expect(whole.out).toMatch(
        /works {5}reports-to-s3\n.*works {3}scheduler, workflow, function and every link; every 5/,
      );
      expect(readFileSync(join(cwd, "federation.yaml"), "utf8")).toContain("checker: ct-acme-check@acme-prod");
      const stored = b.calls.filter(
        ({ service, operation }) => service === "google.storage" && operation === "InsertObject",
      );
      expect(stored.length).toBeGreaterThan(0);
      const made = await things(b);
      for (const name of ["ct-acme-clock", "crosstrust-acme-health", "crosstrust-acme-onboard", "crosstrust-acme-runs"])
        expect(made.filter((key) => key.includes(name)).length).toBeGreaterThan(0);

      const again = await b.callsOf(async () => {
        const ran = await runIn(all, "deploy --sandbox --yes");
        expect([ran.exit, ran.out]).toEqual([
          0,
          expect.stringContaining("nothing to do: all 26 things are as they should be"),
        ]);
      });
      expect(again.filter(({ write }) => write)).toEqual([]);
      expect(again.length).toBeGreaterThan(10);
      expect(await things(b)).toEqual(made);

      await killedAt(all, "offboard --sandbox --yes", /\d+\/\d+ {2}function/);
      const off = await runIn(all, "offboard --sandbox --yes");
      expect([off.exit, off.out]).toEqual([0, expect.stringContaining("taken away")]);
      const left = (await things(b)).filter((key) => !before.includes(key));
      // The links are not deploy's: their account stays until `destroy`.
      expect(left).toEqual(["reports@acme-prod.iam.gserviceaccount.com"]);
    },
  );

  witnessed("gcloud")(
    "a step that fails names itself, the command, and how to go on; no terminal to ask on is a usage error",
    async () => {
      const all = await stage();
      const { b } = all;
      const faults = [{ service: "google.cloudscheduler", operation: "CreateJob", probability: 1, fault: "throttle" }];
      const answer = await fetch(`${b.url}/_sandbox/faults`, {
        method: "PUT",
        body: JSON.stringify([
          { service: "google.iam", operation: "CreateRole", probability: 1, fault: "throttle" },
          ...faults,
        ]),
      });
      expect(answer.status).toBe(200);
      const path = "cloudresourcemanager/v1/projects/acme-prod";
      const { body } = await b.google("POST", `${path}:getIamPolicy`, {});
      const bindings = (body.bindings as { role: string }[]).filter(({ role }) => role !== "roles/owner");
      const viewer = { role: "roles/viewer", members: ["user:operator@example.com"] };
      await b.google("POST", `${path}:setIamPolicy`, { policy: { ...body, bindings: [...bindings, viewer] } });
      const { exit, err } = await runIn(all, "deploy --sandbox --yes");
      expect(exit).toBe(77);
      expect(err).toContain("1/26  apis");
      expect(err).toContain("failed   gcloud services enable run.googleapis.com");
      expect(err).toContain("what was done stays: run the command again, and it goes on from here");
    },
  );
});
