import { afterAll, beforeAll, expect, test } from "vitest";
import type { World } from "../src/model.ts";
import { Faulted, type Scene, scenes, textOf } from "./support/faulted.ts";

// A destroy that ends at any of its calls: the next plan calls what is left unfinished, and the next destroy ends it.
// Catches a program that takes away the parts of a thing before it says so on the thing.

let faulted: Faulted;
beforeAll(async () => {
  faulted = await Faulted.open();
});
afterAll(() => faulted.end());

class Killed extends Error {}

/** From the nth call on nothing reaches the clouds any more. */
const killedAt =
  (nth: number) =>
  (world: World): World => {
    let calls = 0;
    const http: World["http"] = (request) => {
      calls++;
      if (calls >= nth) throw new Killed("killed");
      return world.http(request);
    };
    return { ...world, http };
  };

const counting = (count: { calls: number }) => (world: World) => ({
  ...world,
  http: (request: Parameters<World["http"]>[0]) => {
    count.calls++;
    return world.http(request);
  },
});

test.each(["aws-to-google", "google-to-aws", "oidc-to-aws"] as const)(
  "%s: destroy that is killed at a call leaves what is unfinished",
  async (example) => {
    const scene = scenes.find(({ name }) => name === "destroy") as Scene;
    const { shape } = await faulted.whole(example, scene);
    await faulted.prepare(example, scene);
    const count = { calls: 0 };
    await faulted.run("destroy", textOf(example), { change: counting(count) });
    const wrong: string[] = [];
    // Every third of them, the last one included: `npm run figures` kills at every call.
    for (let nth = count.calls; nth >= Math.ceil(count.calls / 3); nth -= 3) {
      await faulted.prepare(example, scene);
      await faulted.run("destroy", textOf(example), { change: killedAt(nth) });
      const plan = await faulted.run("plan", textOf(example));
      const health = await faulted.run("health", textOf(example));
      const again = await faulted.run("destroy", textOf(example));
      if (/drifted|both the file/.test(plan.text)) wrong.push(`${nth}: ${plan.text}`);
      if (/\b(drifted|broken|OPEN)\b/.test(health.text)) wrong.push(`${nth}: ${health.text}`);
      if (again.exit !== 0 || faulted.shape !== shape) wrong.push(`${nth}: again ${again.exit} ${again.text}`);
    }
    expect(wrong).toEqual([]);
  },
);
