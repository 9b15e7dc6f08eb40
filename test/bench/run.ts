import { applyPlan, makePlan, proveLinks } from "../../src/crosstrust.ts";
import type { World } from "../../src/model.ts";
import { players } from "../../src/parties/players.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { Bench, manyLinks } from "../support/bench.ts";
import { many } from "./many.ts";
import { print, type Ratio, time } from "./report.ts";
import { coldStarts } from "./start.ts";

// `npm run bench`. Each promise about speed as a ratio of two things measured in turn, in one run.

/** Runs `work` over a new sandbox whose every call takes 50 ms more. */
async function slowSandbox<T>(work: (b: Bench) => Promise<T>): Promise<T> {
  const attached = await attach({ players });
  try {
    const b = new Bench(attached.url, attached.sandbox as Sandbox);
    const fault = [{ service: "*", operation: "*", fault: "slow", seconds: 0.05 }];
    const headers = { "content-type": "application/json" };
    await fetch(`${attached.url}/_sandbox/faults`, { method: "PUT", headers, body: JSON.stringify(fault) });
    return await work(b);
  } finally {
    await attached.close();
  }
}

/** The same world, one call after the other. */
function oneByOne(world: World): World {
  let last: Promise<unknown> = Promise.resolve();
  const http: World["http"] = (request) => {
    const answer = last.then(() => world.http(request));
    last = answer.catch(() => {});
    return answer;
  };
  return { ...world, http };
}

async function applied(b: Bench, world: World, text: string): Promise<void> {
  const ask = b.ask(text);
  const planned = await makePlan(ask, world);
  const { findings, live } = await applyPlan(planned, false, world);
  if (findings.length > 0) throw new Error(findings[0]?.says);
  const all = new Map([...planned.observed.live, ...live]);
  const { federation, only } = ask;
  const traces = await proveLinks(
    {
      ...{ federation, expansion: planned.expansion, live: all, only, patience: 20_000, grantMe: false },
      unread: planned.observed.failed,
    },
    world,
  );
  if (!traces.every(({ hops }) => hops.every(({ result }) => result === "ok"))) throw new Error("a link does not work");
}

async function applyOfTwenty(pairs: number): Promise<Ratio> {
  const text = manyLinks(20);
  const measured: number[] = [];
  const reference: number[] = [];
  let calls = 0;
  for (let pair = 0; pair < pairs; pair++) {
    measured.push(
      await slowSandbox((b) => time(() => applied(b, b.world(), text)).finally(() => void (calls = b.calls.length))),
    );
    reference.push(await slowSandbox((b) => time(() => applied(b, oneByOne(b.world()), text))));
  }
  const what = `apply of 20 new links, 50 ms added to every call (${calls} calls), against the same calls one after the other`;
  return { what, measured, reference, below: 0.25 };
}

const fast = print([await applyOfTwenty(3), ...(await coldStarts(9))]);
const large = await many();
process.exitCode = fast && large ? 0 : 1;
