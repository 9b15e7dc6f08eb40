import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { batchesOf, gathered, keepPart } from "../../src/functions/parts.ts";
import type { Health, Plan } from "../../src/model.ts";
import { players } from "../../src/parties/players.ts";
import { inParallel } from "../../src/run/retry.ts";
import { attach } from "../../src/sandbox/attach.ts";
import type { FaultRule } from "../../src/sandbox/faults.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { account, Bench, example, federationOf, manyLinks } from "../support/bench.ts";
import { killedRun, prepared, stories, takings, wholeRun } from "../support/crashes.ts";
import { killedGrant, wholeGrant, withoutMint } from "../support/grants.ts";
import { guard } from "../support/guard.ts";
import { runAndKill } from "../support/killer.ts";
import { sharedPairs } from "../support/pairs.ts";
import { Somebody } from "../support/somebody.ts";
import { mutants, strictVerdict } from "../support/tokens.ts";

export interface Figure {
  readonly name: string;
  readonly target: string;
  readonly measured: string;
  readonly good: boolean;
}

export async function withBench<T>(work: (b: Bench) => Promise<T>): Promise<T> {
  const attached = await attach({ players, issuerDeadline: guard, keyPair: sharedPairs() });
  try {
    return await work(new Bench(attached.url, attached.sandbox as Sandbox));
  } finally {
    await attached.close();
  }
}

const kept = ({ changes, findings }: Plan): boolean =>
  changes.every(({ verb }) => verb === "keep") && findings.every(({ severity }) => severity !== "error");

/** What exists, by name and content, without what differs from run to run. */
const shape = ({ sandbox }: Bench): string =>
  JSON.stringify(
    sandbox.state
      .list<Record<string, unknown>>("")
      .filter(([key]) => /^(aws\.role|google\.account)\//.test(key))
      .map(([key, value]) => [key, { ...value, created: 0, policy: 0 }])
      .sort(),
  );

/** kill -9 before and after each call of an apply, then run it again. */
export async function crash(): Promise<Figure> {
  const text = manyLinks(5);
  return inFolder(text, async (cwd) => {
    const { calls, wanted } = await withBench(async (b) => {
      const run = await runAndKill(b.url, ["apply", "--quiet"], { cwd });
      return { calls: run.calls, wanted: shape(b) };
    });
    const points = Array.from({ length: calls }, (_, at) => at + 1).flatMap((at) =>
      (["before", "after"] as const).map((when) => ({ at, when })),
    );
    const fine = await inParallel(points, 4, (kill) =>
      withBench(async (b) => {
        await runAndKill(b.url, ["apply", "--quiet"], { cwd, kill });
        const drifted = (await b.plan(text)).plan.changes.some(({ cause }) => cause === "drifted" || cause === "both");
        await b.apply(text);
        const third = await b.callsOf(() => b.apply(text));
        return !drifted && shape(b) === wanted && third.every(({ write }) => !write);
      }),
    );
    const good = fine.filter(Boolean).length;
    return {
      name: `kill -9 before and after each of the ${calls} calls of an apply of 5 links, run again`,
      target: "all end in the same state, the third run writes nothing, nothing is called drifted",
      measured: `${good} of ${points.length}`,
      good: good === points.length,
    };
  });
}

export async function inFolder<T>(text: string, work: (cwd: string) => Promise<T>): Promise<T> {
  const cwd = mkdtempSync(join(tmpdir(), "crosstrust-figures-"));
  writeFileSync(join(cwd, "federation.yaml"), text);
  try {
    return await work(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** What crash.test.ts tries at some calls, at all of them. */
export async function crashes(): Promise<Figure> {
  let [good, all] = [0, 0];
  const everything = [...stories, ...takings];
  for (const story of everything)
    await inFolder(story.file, async (whole) => {
      const { points, wanted } = await withBench(async (b) => wholeRun(await prepared(b, story), story, whole));
      const wrong = await inParallel(points, 4, (kill) =>
        inFolder(story.file, (cwd) =>
          withBench(async (b) => killedRun(await prepared(b, story), story, { cwd, kill, wanted })),
        ),
      );
      all += points.length;
      good += wrong.filter((one) => one === undefined).length;
    });
  return {
    name: `kill -9 after each call of ${everything.length} commands between the first write and the last, run again`,
    target: "all end in the same state, the third run writes nothing, nothing is called drifted",
    measured: `${good} of ${all}`,
    good: good === all,
  };
}

/** What cli-edges.test.ts tries at some calls of `apply --grant-me`, at all of them. */
export async function grants(): Promise<Figure> {
  return inFolder(example, (cwd) =>
    withBench(async (b) => {
      await b.apply(example);
      withoutMint(b);
      const { points } = await wholeGrant(b, cwd);
      const tried = [];
      for (const kill of points) tried.push(await killedGrant(b, { cwd, kill }));
      const good = tried.filter(({ left }) => left === undefined).length;
      const between = tried.filter((one) => one.between).length;
      return {
        name: `kill -9 after each of the ${points.length} calls of apply --grant-me, then apply`,
        target: "the grant stands after at least one kill, and after no apply",
        measured: `${good} of ${points.length}; it stood after ${between} kills`,
        good: good === points.length && between > 0,
      };
    }),
  );
}

const randomLink = fc.record({
  who: fc.constantFrom("reports", "worker-1", "worker-2", "worker-3"),
  role: fc.constantFrom("one", "two", "three"),
  audience: fc.constantFrom("", ", audience: aws-trust-1", ", audience: aws-trust-2"),
  may: fc.subarray([
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    "{ allow: [ s3:GetObject, S3:listbucket ], resources: [ 'arn:aws:s3:::x/*', 'arn:aws:s3:::x' ] }".replace(
      "S3:l",
      "s3:L",
    ),
  ]),
});

/** Random files, applied; the plan after it is empty, twice. */
export async function emptyPlans(seed: number): Promise<Figure> {
  const files = fc.sample(fc.array(randomLink, { minLength: 1, maxLength: 6 }), { numRuns: 200, seed }).map((links) => {
    const entries = links.map(
      ({ who, role, audience, may }, at) =>
        `  link-${at}:\n    from: { google: { project: acme-prod, serviceAccount: ${who} } }\n` +
        `    to:   { aws: { account: ${account}, role: ${role}${audience} } }\n    may:  [ ${may.join(", ")} ]\n`,
    );
    return `crosstrust: 1\nname: acme\nlinks:\n${entries.join("")}`;
  });
  const empty = await inParallel(files, 4, (text) =>
    withBench(async (b) => {
      await b.apply(text);
      const plans = [(await b.plan(text)).plan, (await b.plan(text)).plan];
      return plans.every(kept) && (await b.health(text)).verdict === "works";
    }),
  );
  const good = empty.filter(Boolean).length;
  return {
    name: "random files of 1 to 6 links that share roles and accounts: applied, then planned twice and checked",
    target: "no change, every link works, in all",
    measured: `${good} of ${files.length}`,
    good: good === files.length,
  };
}

const kinds = [
  ...(["throttle", "error500", "reset", "reset-after", "slow"] as const),
  ...(["stall", "truncate", "empty", "html", "stale-read"] as const),
];

/** One call in five goes wrong, in ten ways. */
export const mixed = (seed: number): FaultRule[] =>
  kinds.map((fault, at) => ({
    ...{ service: "*", operation: "*", fault, probability: 0.022, seed: seed * 10 + at },
    seconds: fault === "stale-read" ? 2 : 0.6,
  }));

/** One call in five goes wrong, in ten ways; how many runs it takes until everything is there. */
export async function storm(seed: number): Promise<Figure> {
  const text = manyLinks(20);
  const seeds = Array.from({ length: 50 }, (_, at) => seed + at);
  const runs = await inParallel(seeds, 2, (one) =>
    withBench(async (b) => {
      b.haste = 50;
      b.limits = { connect: 300, firstByte: 400, idle: 300, whole: 1000, bytes: 4 * 1024 * 1024 };
      const rules = mixed(one);
      b.sandbox.faults.set(rules);
      for (let run = 1; run <= 3; run++) {
        await b.apply(text, { patience: 2000 });
        b.sandbox.faults.set([]);
        if (kept((await b.plan(text)).plan)) return once(b) ? run : 99;
        b.sandbox.faults.set(rules);
      }
      return 99;
    }),
  );
  const [first, all] = [runs.filter((run) => run === 1).length, runs.filter((run) => run <= 3).length];
  return {
    name: "apply of 20 links while one call in five goes wrong, in ten ways, 50 seeds",
    target: "50 within three runs, at least 45 in one, nothing made twice",
    measured: `${all} within three runs, ${first} in one`,
    good: all === 50 && first >= 45,
  };
}

/** Each of the twenty links has one role and one account. */
const once = ({ sandbox }: Bench): boolean =>
  sandbox.state.list("aws.role/").length === 20 && sandbox.state.list("google.account/").length === 20;

/** Mutated tokens against the strict verifier. */
export async function tokens(seed: number): Promise<Figure> {
  const all = mutants(seed, 10_000);
  const verdicts = await Promise.all(all.map(strictVerdict));
  const accepted = verdicts.filter((verdict) => verdict === "accepted").length;
  return {
    name: `mutations of a good token, held against the verifier of our functions' callers`,
    target: "none accepted",
    measured: `${accepted} of ${all.length} accepted`,
    good: accepted === 0,
  };
}

/** Eight at once, as eight operators would. */
export async function concurrency(): Promise<Figure> {
  const text = manyLinks(3);
  const trials = Array.from({ length: 50 }, (_, at) => at);
  const fine = await inParallel(trials, 2, () =>
    withBench(async (b) => {
      const outcomes = await Promise.all(Array.from({ length: 8 }, () => b.apply(text)));
      const made = b.calls.filter(({ operation, status }) => operation.startsWith("Create") && status === 200).length;
      const works = outcomes.every(({ applied }) => applied.findings.length === 0);
      return works && made === 6 && kept((await b.plan(text)).plan);
    }),
  );
  const good = fine.filter(Boolean).length;
  return {
    name: "8 applies of the same 3 links at once, 50 times",
    target: "all succeed, each thing is made once",
    measured: `${good} of ${trials.length}`,
    good: good === trials.length,
  };
}

/** Everything answers 500: how much a health check asks before it gives up. */
export async function outage(): Promise<Figure> {
  return withBench(async (b) => {
    const text = manyLinks(100);
    await b.apply(text);
    b.haste = 1000;
    const calm = (await b.callsOf(() => b.health(text))).length;
    b.sandbox.faults.set([{ service: "*", operation: "*", fault: "error500" }]);
    let verdict = "";
    const calls = (await b.callsOf(async () => void (verdict = (await b.health(text)).verdict))).length;
    return {
      name: "health of 100 links while every call answers 500",
      target: "verdict unknown, at most 1.2 times the calls of a calm run",
      measured: `${verdict}, ${(calls / calm).toFixed(2)} times (${calls} against ${calm})`,
      good: verdict === "unknown" && calls <= calm * 1.2,
    };
  });
}

/** A thousand links, divided into shares of a hundred and gathered, as the workflow does it; five are broken. */
export async function divided(): Promise<Figure> {
  return withBench(async (b) => {
    const text = manyLinks(1000);
    await b.apply(text, { patience: 0 });
    for (const at of [7, 77, 300, 512, 999])
      await new Somebody(b).trust({ StringEquals: { "accounts.google.com:sub": "1" } }, `role-${at}`);
    const whole = await b.health(text);
    const { links } = federationOf(text);
    const world = b.world();
    for (const [part, only] of batchesOf(links, 100).entries())
      await keepPart(world, { run: "figure", part }, await b.health(text, { only }));
    const { health } = await gathered(world, { run: "figure", parts: 10 }, links);
    const told = (one: Health) => JSON.stringify(one.links.map(({ link, verdict }) => [link, verdict]));
    const same = told(health) === told(whole) && health.verdict === whole.verdict;
    const broken = health.links.filter(({ verdict }) => verdict !== "works").length;
    return {
      name: "health of 1000 links, five of them broken, in ten shares that are gathered, against one undivided check",
      target: "the same verdict for each link and for all",
      measured: same ? `the same: ${health.verdict}, ${broken} that do not work` : "another one",
      good: same && broken === 5,
    };
  });
}
