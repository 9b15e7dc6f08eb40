import fc from "fast-check";
import type { Memory, Notice } from "../../src/model.ts";
import { remember } from "../../src/watch/remember.ts";
import { type Bench, federationOf, manyLinks } from "../support/bench.ts";
import { Somebody } from "../support/somebody.ts";
import { type Figure, withBench } from "./figures.ts";

/** What somebody does to a role by hand, and undoes later. */
interface Incident {
  readonly name: string;
  readonly begin: (somebody: Somebody, role: string) => Promise<unknown>;
  readonly end: (somebody: Somebody, role: string) => Promise<unknown>;
}

const administrator = "arn:aws:iam::aws:policy/AdministratorAccess";
const trusts = new Map<string, string>();

/** Replaces the trust, and remembers what stood there. */
const retrust =
  (change: (trust: string) => string) =>
  async (somebody: Somebody, role: string): Promise<unknown> => {
    const trust = decodeURIComponent(String((await somebody.role(role)).AssumeRolePolicyDocument));
    trusts.set(role, trust);
    return somebody.document(JSON.parse(change(trust)), role);
  };
const restored = (somebody: Somebody, role: string) => somebody.document(JSON.parse(trusts.get(role) ?? "{}"), role);

const incidents: readonly Incident[] = [
  {
    name: "a trust that refuses the workload",
    begin: retrust((trust) => trust.replace(/"crosstrust\/acme\/[^"]*"/, '"somebody-else"')),
    end: restored,
  },
  {
    name: "AdministratorAccess attached",
    begin: (somebody, RoleName) => somebody.iam("AttachRolePolicy", { RoleName, PolicyArn: administrator }),
    end: (somebody, RoleName) => somebody.iam("DetachRolePolicy", { RoleName, PolicyArn: administrator }),
  },
  {
    name: "a longer session",
    begin: (somebody, RoleName) => somebody.iam("UpdateRole", { RoleName, MaxSessionDuration: 7200 }),
    end: (somebody, RoleName) => somebody.iam("UpdateRole", { RoleName, MaxSessionDuration: 3600 }),
  },
  {
    name: "a policy detached",
    begin: (somebody, RoleName) => somebody.iam("DetachRolePolicy", { RoleName, PolicyArn: readOnly }),
    end: (somebody, RoleName) => somebody.iam("AttachRolePolicy", { RoleName, PolicyArn: readOnly }),
  },
  {
    name: "a trust without a subject",
    begin: (somebody, role) => retrust((trust) => trust)(somebody, role).then(() => somebody.trust(undefined, role)),
    end: restored,
  },
];
const readOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

/** Runs of a schedule, one after the other, and what was said in each. */
class Schedule {
  private memory: Memory | undefined;
  private readonly b: Bench;
  private readonly text: string;

  constructor(b: Bench, text: string) {
    this.b = b;
    this.text = text;
  }

  async run(): Promise<readonly Notice[]> {
    const health = await this.b.health(this.text);
    const { links } = federationOf(this.text);
    const { memory, notices } = remember(this.memory, { health, links, every: 30 });
    this.memory = memory;
    return notices;
  }
}

/** What each incident is called where nothing else happens: the two runs that confirm it say so. */
async function namesOf(b: Bench, text: string): Promise<readonly string[]> {
  const names: string[] = [];
  const somebody = new Somebody(b);
  for (const { begin, end } of incidents) {
    const schedule = new Schedule(b, text);
    await schedule.run();
    await begin(somebody, "role-0");
    const said = [...(await schedule.run()), ...(await schedule.run())];
    names.push(said.map(({ alert }) => alert.cause.what).join(" and "));
    await end(somebody, "role-0");
  }
  return names;
}

interface Going {
  readonly kind: number;
  readonly role: string;
  readonly until: number;
}

/**
 * A month with a run every half hour, over links that somebody breaks and mends now and then, while calls fail now and
 * then. Catches an alert for a fault, two alerts for one incident, and an alert that is named like another incident.
 */
export async function month(seed: number, runs = 1440): Promise<Figure> {
  const dice = fc.sample(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { seed, numRuns: runs * 4 });
  const links = 3;
  const text = manyLinks(links);
  return withBench(async (b) => {
    b.haste = 2000;
    await b.apply(text);
    const names = await namesOf(b, text);
    const somebody = new Somebody(b);
    const schedule = new Schedule(b, text);
    const tally = { incidents: 0, opened: 0, closed: 0, unnamed: 0 };
    const quiet = new Map<number, number>();
    let going: Going[] = [];
    const pick = (tick: number, at: number): number => dice[tick * 4 + at] ?? 0;
    for (let tick = 0; tick < runs; tick++) {
      b.sandbox.set({ offsetSeconds: tick * 1800 });
      b.sandbox.faults.set([]);
      for (const { kind, role } of going.filter(({ until }) => until === tick))
        await incidents[kind]?.end(somebody, role);
      going = going.filter(({ until }) => until > tick);
      const kind = Math.floor(pick(tick, 1) * incidents.length);
      const role = `role-${Math.floor(pick(tick, 2) * links)}`;
      const free = (quiet.get(kind) ?? 0) <= tick && !going.some((one) => one.role === role);
      if (pick(tick, 0) < 1 / 25 && free && tick < runs - 60) {
        const until = tick + 6 + Math.floor(pick(tick, 3) * 30);
        going.push({ kind, role, until });
        quiet.set(kind, until + 6);
        tally.incidents++;
        await incidents[kind]?.begin(somebody, role);
      }
      const faults = ["error500", "reset", "truncate", "html", "throttle"] as const;
      b.sandbox.faults.set(
        faults.map((fault, at) => ({
          service: "*",
          operation: "*",
          fault,
          probability: 0.004,
          seed: seed + tick * 10 + at,
        })),
      );
      for (const { state, alert } of await schedule.run()) {
        if (state === "closed") tally.closed++;
        else tally.opened++;
        const mine = going.some((one) => alert.cause.what === names[one.kind]);
        if (state !== "closed" && !mine) tally.unnamed++;
      }
    }
    const distinct = new Set(names).size === incidents.length;
    const { incidents: all, opened, closed, unnamed } = tally;
    return {
      name: `a month of ${runs} scheduled checks of ${links} links, one call in fifty failing, ${all} incidents of ${incidents.length} kinds`,
      target: "one alert for each incident, named for what happened; closed when it is over; none for a fault",
      measured: `${opened} opened, ${closed} closed, ${unnamed} named for something else; the kinds are called ${names.join(", ")}`,
      good: distinct && opened === all && closed === all && unnamed === 0,
    };
  });
}
