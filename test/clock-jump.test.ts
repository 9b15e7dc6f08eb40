import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkHealth, makePlan } from "../src/crosstrust.ts";
import type { Health, World } from "../src/model.ts";
import { clockJump, noteClock } from "../src/run/clock-jump.ts";
import { exitOf } from "../src/verdict/exit.ts";
import { type Bench, bench, example } from "./support/bench.ts";

// A clock that is set while a command runs makes good tokens and signatures expire. What a service then refuses says nothing
// about the link, and the finding names the clock.

const hour = 3_600_000;

/** A world whose own clock can be set, in milliseconds ahead of what it was. */
function settable(b: Bench): { readonly world: World; readonly set: (ms: number) => void } {
  const { clock, ...rest } = b.world();
  let shift = 0;
  const set = (ms: number) => {
    shift = ms;
  };
  return { world: { ...rest, clock: { ...clock, now: () => clock.now() + shift } }, set };
}

/** The sandbox's clock, which the clock of every world follows. */
const setSandbox = (b: Bench, offsetSeconds: number) =>
  fetch(`${b.url}/_sandbox/clock`, { method: "PUT", body: JSON.stringify({ offsetSeconds }) });

const told = ({ links, findings }: Health) => ({
  verdicts: links.map(({ verdict }) => verdict),
  clock: findings.filter(({ code }) => code === "CLOCK-JUMPED").map(({ says }) => says),
  others: findings
    .filter(({ code, severity }) => severity === "error" && code !== "CLOCK-JUMPED")
    .map(({ code }) => code),
});

describe("a clock that is set in the middle of a run", () => {
  test.each([2 * hour, -2 * hour])("by %i ms: the signature that is refused for it is named as that", async (ms) => {
    const b = await bench();
    await b.apply(example);
    const { world, set } = settable(b);
    await makePlan(b.ask(example), world);
    set(ms);
    const { plan } = await makePlan({ ...b.ask(example), sweep: true }, world);
    const says = plan.findings.filter(({ code }) => code === "CLOCK-JUMPED").map((one) => one.says);
    expect(says[0]).toMatch(new RegExp(`^the clock of this machine jumped by ${ms / 1000} s while it ran: `));
    expect(plan.findings.map(({ code }) => code)).not.toContain("CREDENTIALS-REFUSED");
    expect(exitOf({ findings: plan.findings, changes: plan.changes })).toBe(75);
  });

  test.each(["google-to-aws", "oidc-to-aws", "aws-to-google", "azure-to-google"])(
    "between mint and exchange of %s: the link is unknown, and not broken for an expired token",
    async (name) => {
      const b = await bench();
      const text = readFileSync(join(import.meta.dirname, "..", "examples", `${name}.yaml`), "utf8");
      await b.apply(text);
      const world = b.world();
      let isSet = false;
      const late: World = {
        ...world,
        http: async (request) => {
          if (!isSet && /AssumeRoleWithWebIdentity|token-exchange/.test(String(request.body ?? ""))) {
            isSet = true;
            await setSandbox(b, 7200);
          }
          return world.http(request);
        },
      };
      const health = await checkHealth(b.ask(text), late);
      const { verdicts, clock, others } = told(health);
      expect([verdicts, others]).toEqual([["unknown"], []]);
      expect(clock[0]).toMatch(/jumped by 7(199|200|201) s while it ran: .*(?:[Ee]xpired|stale)/);
    },
  );

  test("set before the run, and not during it: the clock is not said to have jumped", async () => {
    const b = await bench();
    await setSandbox(b, 7200);
    await b.apply(example);
    const { verdicts, clock } = told(await b.health(example));
    expect([verdicts, clock]).toEqual([["works"], []]);
  });
});

test("a correction of a second is no jump, and a run that has no answer yet knows of none", async () => {
  const b = await bench();
  const { world, set } = settable(b);
  const by = (ms: number) => {
    set(ms);
    return clockJump(world);
  };
  noteClock(world, "before");
  expect(by(hour)).toBe(0);
  noteClock(world, "answered");
  expect([by(hour + 1000), by(2 * hour), by(0)]).toEqual([0, 3600, -3600]);
});
