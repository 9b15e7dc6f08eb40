import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rememberRun } from "../src/crosstrust/memory.ts";
import type { Code, Finding, Health, Hop, Link, LinkHealth, Memory, Store } from "../src/model.ts";
import { bucketStore } from "../src/parties/google/storage.ts";
import { leased } from "../src/run/lease.ts";
import { directoryStore } from "../src/run/store.ts";
import { noticeLine, noticeText } from "../src/say/alerts.ts";
import { healthText } from "../src/say/health.ts";
import { causesOf } from "../src/watch/causes.ts";
import { dated, recalled } from "../src/watch/memory.ts";
import { healthMissing, nextExpectedBy } from "../src/watch/missing.ts";
import { remember } from "../src/watch/remember.ts";
import { bench, folderWith } from "./support/bench.ts";
import { healthAt, linksOf, live, liveOne, minute, type Seen, seen, start, timeOf } from "./support/ticks.ts";

// What outlives a run: docs/decisions/007-memory.md; reliability-and-security.md, 4.3 (T12, T13) and 6.6.

const states = (all: readonly { state: string }[]): string => all.map(({ state }) => state).join(" ");

describe("what is remembered", () => {
  test("two runs in a row that agree open an alert, two close it", () => {
    const { said, last } = liveOne(["works", "no A-CODE", "no A-CODE", "no A-CODE", "works", "works", "works"]);
    expect(said.map(states)).toEqual(["", "", "opened", "", "", "closed", ""]);
    expect(said[2]?.[0]?.alert).toMatchObject({
      ...{ cause: { what: "A-CODE", where: "aws 111122223333" }, since: timeOf(1), links: ["link-0"] },
      severity: "error",
    });
    expect(said[5]?.[0]?.alert.id).toBe(said[2]?.[0]?.alert.id);
    expect(last.alerts).toEqual([]);
  });

  test("a stranger let in is said at once, and takes two good runs to be over", () => {
    const { said } = liveOne(["works", "open", "works", "works"]);
    expect(said.map(states)).toEqual(["", "opened", "", "closed"]);
    expect(said[1]?.[0]?.alert.severity).toBe("security");
  });

  test("what could not be told between two refusals delays the alert, and takes nothing back", () => {
    expect(liveOne(["works", "no A-CODE", "unknown", "unknown", "no A-CODE"]).said.map(states).at(-1)).toBe("opened");
    const { said } = liveOne(["no A-CODE", "no A-CODE", "works", "unknown", "unknown", "works"]);
    expect(said.map(states)).toEqual(["", "opened", "", "", "", "closed"]);
  });

  // Catches a memory that takes blindness for recovery, or for trouble.
  test("unknown moves no alert, no verdict, no since, no last good", () => {
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), (before, blind) => {
        const plain = liveOne([...before, "works"]);
        const dark = liveOne([...before, "works", ...Array.from({ length: blind }, (): Seen => "unknown")]);
        expect(dark.last.alerts).toEqual(plain.last.alerts);
        expect(dark.all).toEqual(plain.all);
        const strip = ({ links }: Memory) => ({ ...links["link-0"], history: [] });
        expect(strip(dark.last)).toEqual(strip(plain.last));
      }),
    );
  });

  test("single bad runs never alert, however often", () => {
    const single = fc.tuple(fc.constantFrom<Seen>("no A-CODE", "no B-CODE", "drifted"), fc.nat({ max: 2 }));
    fc.assert(
      fc.property(fc.array(single, { maxLength: 40 }), (flaps) => {
        const runs = flaps.flatMap(([bad, blind]) => [
          "works" as Seen,
          ...Array.from({ length: blind }, (): Seen => "unknown"),
          bad,
        ]);
        expect(liveOne([...runs, "works"]).all).toEqual([]);
      }),
    );
  });

  // Catches damping by the reason: a link refused for another reason each time would never be told of.
  test("a cause that changes its face is still an alert", () => {
    const { last, all } = liveOne(["no A-CODE", "no B-CODE", "no A-CODE", "no B-CODE", "no A-CODE"]);
    expect([last.alerts.length, states(all)]).toEqual([2, "opened opened"]);
  });

  test("many links with one cause are one alert; one that joins later is said, one that leaves is not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), (count) => {
        const all = (one: Seen) => Object.fromEntries(linksOf(count).map(({ name }) => [name, one]));
        const { said, last } = live([all("works"), all("no A-CODE"), all("no A-CODE"), all("no A-CODE")], count);
        expect(said.map(states)).toEqual(["", "", "opened", ""]);
        expect(last.alerts.map(({ links }) => links.length)).toEqual([count]);
        const mended = live([all("drifted"), all("drifted"), all("works"), all("works")], count);
        expect(states(mended.all)).toBe("opened closed");
      }),
      { numRuns: 20 },
    );
    const two = (a: Seen, b: Seen) => ({ "link-0": a, "link-1": b });
    const [good, bad] = ["works", "no A-CODE"] as const;
    const runs = [two(bad, good), two(bad, good), two(bad, bad), two(bad, bad), two(good, bad), two(good, bad)];
    const { said, last } = live(runs, 2);
    expect(said.map(states)).toEqual(["", "opened", "", "grew", "", ""]);
    expect(last.alerts.map(({ links }) => links)).toEqual([["link-1"]]);
  });

  test("whatever happens: one open alert for each cause, each opened once, and all closed after two good runs", () => {
    const run = fc.record({ "link-0": seen, "link-1": seen, "link-2": fc.constantFrom<Seen>("open", "works") });
    fc.assert(
      fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
        const good = { "link-0": "works", "link-1": "works", "link-2": "works" } as const;
        const { kept, all, last } = live([...runs, good, good], 3);
        for (const { alerts } of kept) {
          expect(new Set(alerts.map(({ cause }) => JSON.stringify(cause))).size).toBe(alerts.length);
        }
        const opened = all.filter(({ state }) => state === "opened").map(({ alert }) => alert.id);
        const closed = all.filter(({ state }) => state === "closed").map(({ alert }) => alert.id);
        expect(new Set(opened).size).toBe(opened.length);
        expect([last.alerts, closed.toSorted()]).toEqual([[], opened.toSorted()]);
      }),
    );
  });

  test("since and last good are those of the confirmed state", () => {
    const { kept } = liveOne(["works", "works", "no A-CODE", "unknown", "no A-CODE", "works", "works"]);
    const short = kept.map(({ links }) => [
      links["link-0"]?.verdict,
      links["link-0"]?.since,
      links["link-0"]?.good?.at,
    ]);
    expect(short).toEqual([
      ["works", timeOf(0), timeOf(0)],
      ["works", timeOf(0), timeOf(1)],
      ["works", timeOf(0), timeOf(1)],
      ["works", timeOf(0), timeOf(1)],
      ["broken", timeOf(2), timeOf(1)],
      ["broken", timeOf(2), timeOf(5)],
      ["works", timeOf(5), timeOf(6)],
    ]);
    const shown = dated(healthAt(4, { "link-0": "no A-CODE" }), kept[4] as Memory).links[0];
    expect([shown?.since, shown?.lastGood]).toEqual([timeOf(2), timeOf(1)]);
  });

  test("a link that the file lost takes its alert along; 48 verdicts are kept", () => {
    const gone = live([{ "link-0": "drifted" }, { "link-0": "drifted" }, {}], 1);
    expect([states(gone.all), gone.last.links]).toEqual(["opened closed", {}]);
    const long = liveOne(Array.from({ length: 100 }, () => "works" as const));
    expect(long.last.links["link-0"]?.history.length).toBe(48);
  });

  // Catches the run that was overtaken while its lease ran out, and would undo what the faster one knows.
  test("a run older than what is remembered changes nothing", async () => {
    const store = directoryStore(join(folderWith(""), "store"));
    const world = { ...(await bench()).world(), store };
    const keep = (tick: number, one: Seen) => {
      const run = { health: healthAt(tick, { "link-0": one }), links: linksOf(1), every: 5 };
      return rememberRun(world, run, { name: "memory", to: ["log"] });
    };
    const newer = await keep(9, "works");
    expect(await keep(8, "open")).toEqual(newer);
  });

  test("what is no memory is none, and a memory survives being written", () => {
    for (const text of [undefined, "", "{", "[]", '{"at":1}']) expect(recalled(text)).toBeUndefined();
    const { last } = liveOne(["works", "open", "unknown"]);
    expect(recalled(JSON.stringify(last))).toEqual(last);
  });
});

describe("causes", () => {
  const [link] = linksOf(1);
  const finding = (code: Code): Finding => ({
    ...{ code, severity: "security", at: {}, says: "", because: [], fix: [], links: ["link-0"] },
  });
  const causes = (one: Seen, more: Partial<LinkHealth>, findings: readonly Finding[] = []) => {
    const health = healthAt(0, { "link-0": one });
    const line = { ...(health.links[0] as LinkHealth), ...more };
    return causesOf(line, link as Link, { ...health, findings });
  };
  const no = (step: Hop["step"], code: string): Hop => ({ step, result: "no", ms: 1, saw: "", finding: code });

  test("the hole leads, and what it hides still counts", () => {
    const { lead, all } = causes("open", { hops: [no("exchange", "REFUSED"), no("refuse", "AUDIENCE-NOT-CHECKED")] });
    expect(lead.map(({ what }) => what)).toEqual(["AUDIENCE-NOT-CHECKED"]);
    expect(all.map(({ what }) => what)).toEqual(["AUDIENCE-NOT-CHECKED", "REFUSED"]);
  });

  test("of many findings about one place one leads, and always the same one", () => {
    const found = (["AWS-SUB-MISSING", "AWS-AUDIENCE-OPEN", "AWS-SUB-EXTRA"] as const).map(finding);
    for (const order of [found, found.toReversed()])
      expect(causes("drifted", {}, order).lead.map(({ what }) => what)).toEqual(["AWS-AUDIENCE-OPEN"]);
  });

  test("a mint that is refused is at the issuer's side, an exchange at the other", () => {
    const where = (step: Hop["step"]) => causes("no X", { hops: [no(step, "X")] }).lead[0]?.where;
    expect([where("mint"), where("exchange")]).toEqual(["google acme-prod", "aws 111122223333"]);
  });

  // Catches the alert that is told to be over because something worse happened.
  test("a drift that a hole hides is not mended", () => {
    const run = (tick: number, hole: boolean) => {
      const health = healthAt(tick, { "link-0": "drifted" });
      const line = health.links[0] as LinkHealth;
      const hops = [no("refuse", "SUBJECT-NOT-CHECKED")];
      return { ...health, links: [hole ? { ...line, verdict: "open" as const, hops } : line] };
    };
    let memory: Memory | undefined;
    const said = [false, false, true, true, true].flatMap((hole, tick) => {
      const step = remember(memory, { health: run(tick, hole), links: linksOf(1), every: 5 });
      memory = step.memory;
      return step.notices.map(({ state, alert }) => `${state} ${alert.cause.what}`);
    });
    expect(said).toEqual(["opened drifted", "opened SUBJECT-NOT-CHECKED"]);
  });
});

describe("what is said", () => {
  test("a line for policies and one for people, with no command for a chat in it", () => {
    const [notice] = liveOne(["open"]).all;
    if (!notice) throw new Error("nothing was said");
    const line = noticeLine("acme", notice);
    expect(line).toMatchObject({
      ...{ severity: "CRITICAL", event: "crosstrust.alert", deployment: "acme" },
      alert: { state: "opened", links: ["link-0"], since: timeOf(0), cause: { what: "SUBJECT-NOT-CHECKED" } },
    });
    expect(line.message).toContain("a stranger gets in");
    const where = "oidc https://idp.example.com/<!channel>&";
    const strange = { ...notice, alert: { ...notice.alert, cause: { what: "X", where } } };
    expect(noticeText("acme", strange)).toContain("&lt;!channel&gt;&amp;");
  });

  test("a link that fares badly, and not for the first time, is shown with its since", () => {
    const { last } = liveOne(["works", "no A-CODE", "no A-CODE"]);
    const text = (health: Health) => healthText(health, "sandbox", { colour: false, again: "" });
    expect(text(dated(healthAt(2, { "link-0": "no A-CODE" }), last))).toContain("since 2026-11-21 12:05");
    expect(text(dated(healthAt(1, { "link-0": "no A-CODE" }), liveOne(["works", "no A-CODE"]).last))).not.toContain(
      "since",
    );
    expect(text(dated(healthAt(2, { "link-0": "works" }), last))).not.toContain("since");
  });

  test("silence: no run for three periods, or nothing told of a link for as long", () => {
    const { last } = liveOne(["works"]);
    expect(nextExpectedBy(timeOf(0), 5)).toBe(timeOf(3));
    expect(healthMissing(last, start + 15 * minute)).toBeUndefined();
    expect(healthMissing(last, start + 15 * minute + 1)).toMatchObject({ code: "HEALTH-STALE", severity: "warning" });
    const dark = liveOne(["works", "unknown", "unknown", "unknown", "unknown"]).last;
    expect(healthMissing(dark, start + 20 * minute + 1)?.links).toEqual(["link-0"]);
  });
});

/** Both stores, empty. The one in the cloud as a function has it, through the one retry layer. */
const stores: readonly (readonly [string, () => Promise<() => Store>])[] = [
  [
    "a directory",
    async () => {
      const folder = join(folderWith(""), "store");
      return () => directoryStore(folder);
    },
  ],
  [
    "a bucket",
    async () => {
      const b = await bench();
      b.haste = 1000;
      return () => bucketStore("gs://acme-crosstrust/state", b.world());
    },
  ],
];

describe.each(stores)("%s as a store", (_, make) => {
  test("reads what was written, and nothing where nothing is", async () => {
    const store = (await make())();
    expect([await store.read("a"), await store.open("a")]).toEqual([undefined, undefined]);
    await store.write("a", '{"ä":"\u{1F512}"}');
    expect(await store.read("a")).toBe('{"ä":"\u{1F512}"}');
    expect((await store.open("a"))?.text).toBe('{"ä":"\u{1F512}"}');
    await store.write("b/../c", "plain text");
    expect([await store.read("b/../c"), await store.read("c")]).toEqual(["plain text", undefined]);
    await store.remove("a");
    await store.remove("a");
    expect(await store.read("a")).toBeUndefined();
  });

  test("a swap is for one version alone", async () => {
    const store = (await make())();
    expect(await store.swap("a", "one", undefined)).toBe(true);
    expect(await store.swap("a", "two", undefined)).toBe(false);
    const first = await store.open("a");
    expect(await store.swap("a", "two", first?.version)).toBe(true);
    expect(await store.swap("a", "three", first?.version)).toBe(false);
    expect(await store.read("a")).toBe("two");
    await store.remove("a");
    expect(await store.swap("a", "four", first?.version)).toBe(false);
    expect(await store.read("a")).toBeUndefined();
  });

  test("eight writers at once: nothing that one of them added is lost", async () => {
    const open = await make();
    const add = async (writer: number) => {
      const store = open();
      for (let line = 0; line < 4; line++) {
        for (;;) {
          const held = await store.open("list");
          const text = `${held?.text ?? ""}${writer}.${line} `;
          if (await store.swap("list", text, held?.version)) break;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, writer) => add(writer)));
    const all = ((await open().read("list")) ?? "").trim().split(" ");
    expect([all.length, new Set(all).size]).toEqual([32, 32]);
  });

  test("a lease: one of two, again when it is given back, taken over when it has run out", async () => {
    const open = await make();
    const b = await bench();
    let ahead = 0;
    const clock = { now: () => start + ahead, sleep: async () => {} };
    const world = () => ({ ...b.world(), store: open(), clock });
    const lease = { name: "lease", ms: 10 * minute };
    /** Holds the lease until it is told to end. */
    const hold = async (value: string) => {
      let end = () => {};
      const before = await open().read("lease");
      const done = leased(world(), lease, () => new Promise<string>((resolve) => (end = () => resolve(value))));
      while ((await open().read("lease")) === before) await new Promise((resolve) => setTimeout(resolve, 5));
      return { done, end: () => end() };
    };
    const first = await hold("first");
    expect(await leased(world(), lease, async () => "second")).toEqual({ held: false });
    ahead = 10 * minute;
    const third = await hold("third");
    // The one that was overtaken ends, and must not give back what is another's by now.
    first.end();
    expect(await first.done).toEqual({ held: true, value: "first" });
    expect(await leased(world(), lease, async () => "fourth")).toEqual({ held: false });
    third.end();
    expect(await third.done).toEqual({ held: true, value: "third" });
    // Whoever holds it keeps it until each of the eight has its answer.
    let answered = 0;
    const all = Promise.withResolvers<void>();
    const known = () => {
      if (++answered === 8) all.resolve();
    };
    const many = Array.from({ length: 8 }, async () => {
      const { held } = await leased(world(), lease, () => {
        known();
        return all.promise;
      });
      if (!held) known();
      return held;
    });
    expect((await Promise.all(many)).filter(Boolean).length).toBe(1);
    await expect(leased(world(), lease, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await leased(world(), lease, async () => "again")).toEqual({ held: true, value: "again" });
  });
});

describe("killed in the middle", () => {
  test("a directory: a lock and half a document of a killed process hold nobody up", async () => {
    const folder = join(folderWith(""), "store");
    const store = directoryStore(folder);
    await store.write("a", "one");
    writeFileSync(join(folder, "a.json.x.new"), "ha");
    const lock = join(folder, "a.json.lock");
    writeFileSync(lock, "");
    const past = new Date(Date.now() - 60_000);
    utimesSync(lock, past, past);
    const all = [1, 2, 3, 4].map(async (at) => store.swap("a", `two ${at}`, (await store.open("a"))?.version));
    expect((await Promise.all(all)).filter(Boolean).length).toBe(1);
    expect([existsSync(lock), readdirSync(folder).filter((name) => name.includes("lock"))]).toEqual([false, []]);
  });

  // Catches a swap that is told it lost against itself, because its first answer never came.
  test.each(["reset-after", "truncate", "html", "empty", "reset", "error500", "throttle"] as const)(
    "a bucket: %s on the first upload and on the first read is still one swap that won",
    async (fault) => {
      const b = await bench();
      b.haste = 100;
      const store = bucketStore("gs://acme-crosstrust", b.world());
      for (const operation of ["InsertObject", "GetObject"]) {
        b.sandbox.faults.set([{ service: "google.storage", operation, nth: 1, fault }]);
        const held = await store.open("a");
        expect(await store.swap("a", `${held?.text ?? ""}${operation} `, held?.version)).toBe(true);
      }
      expect(await store.read("a")).toBe("InsertObject GetObject ");
    },
  );

  test("a bucket that is not named as one is refused", () => {
    for (const place of ["gs://", "gs:///x", "s3://bucket", "gs://UPPER"])
      expect(() => bucketStore(place, {} as never)).toThrow("gs://BUCKET");
  });
});
