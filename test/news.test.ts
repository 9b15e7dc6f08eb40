import { describe, expect, test } from "vitest";
import { type Finding, finding, type Health, type Memory } from "../src/model.ts";
import { noticeText } from "../src/say/alerts.ts";
import { recalled } from "../src/watch/memory.ts";
import { newsAfter } from "../src/watch/news.ts";
import { remember } from "../src/watch/remember.ts";
import { healthAt, linksOf, timeOf } from "./support/ticks.ts";

// A new member or key since the last scheduled run is one alert (contract, section 9): what counts as new, and when.

const at = { address: "google:serviceAccount/acme-prod/reports" } as const;
const key = (id: string): Finding =>
  finding("GOOGLE-USER-KEY", {
    severity: "security",
    at,
    links: ["link-0"],
    of: `${id} of reports`,
    says: "a key",
    beside: true,
  });
const person = (name: string, place = "acme-prod"): Finding =>
  finding("GOOGLE-SPEAKER-KNOWN", {
    severity: "hint",
    at: { address: `google:project/${place}` },
    links: ["link-0"],
    of: `user:${name} on projects/${place}`,
    says: "somebody",
  });

interface Tick {
  readonly findings?: readonly Finding[];
  readonly inventory?: readonly Finding[];
  readonly hidden?: readonly string[];
}

/** What is said in each run, and what is remembered in the end; the memory goes through its own text each time. */
function live(ticks: readonly Tick[]) {
  let memory: Memory | undefined;
  const said = ticks.map(({ findings = [], inventory = [], hidden = [] }, tick) => {
    const unwatched = hidden.map((what) => ({ what, fix: "" }));
    const health: Health = { ...healthAt(tick, { "link-0": "works" }), findings, inventory, unwatched };
    const run = remember(memory, { health, links: linksOf(1), every: 5 });
    memory = recalled(JSON.stringify(run.memory));
    return run.notices.map(({ state, alert }) => `${state} ${alert.cause.what} ${alert.cause.where}`);
  });
  return { said, memory };
}

const opened = "opened GOOGLE-USER-KEY google acme-prod";
const closed = "closed GOOGLE-USER-KEY google acme-prod";
const somebody = "opened GOOGLE-SPEAKER-KNOWN google acme-prod";

describe("what is to be decided", () => {
  test("is one alert at first sight, the first run included, and closes when it is gone", () => {
    expect(live([{ findings: [key("a")] }, { findings: [key("a")] }, {}]).said).toEqual([[opened], [], [closed]]);
    expect(live([{}, { findings: [key("a")] }]).said).toEqual([[], [opened]]);
  });

  test("adds to the alert that is open at its place, and keeps it open until all of it is gone", () => {
    const { said } = live([{ findings: [key("a")] }, { findings: [key("a"), key("b")] }, { findings: [key("b")] }, {}]);
    expect(said).toEqual([[opened], ["grew GOOGLE-USER-KEY google acme-prod"], [], [closed]]);
  });

  test("is no news where the file accepts it, where a witness makes links open, or without a value", () => {
    const accepted = { ...key("a"), accepted: { reason: "known" } };
    const open = { ...key("b"), witness: { outsider: "anybody", path: [], how: "judged" as const } };
    const { of: _, ...plain } = key("c");
    expect(live([{}, { findings: [accepted, open, plain] }]).said).toEqual([[], []]);
  });
});

describe("what is usual", () => {
  test("is no news in the first run, and said once when it is new", () => {
    const { said, memory } = live([
      { inventory: [person("jo")] },
      { inventory: [person("jo"), person("eve")] },
      { inventory: [person("jo"), person("eve")] },
      { inventory: [person("jo")] },
    ]);
    expect(said).toEqual([[], [somebody], [], []]);
    expect(memory?.alerts).toEqual([]);
  });

  test("is no news at a place that is looked at for the first time", () => {
    const { said } = live([{ inventory: [person("jo")] }, { inventory: [person("jo"), person("sam", "other-prod")] }]);
    expect(said).toEqual([[], []]);
  });

  test("is one alert, however many are new at one place", () => {
    const { said } = live([
      { inventory: [person("jo")] },
      { inventory: [person("jo"), person("eve"), person("mallory")] },
    ]);
    expect(said).toEqual([[], [somebody]]);
  });
});

describe("what could not be looked at", () => {
  test("is neither gone nor new when it can be looked at again", () => {
    const usual = { findings: [key("a")], inventory: [person("jo")] };
    const { said } = live([usual, { hidden: ["keys"] }, { hidden: ["keys"] }, usual]);
    expect(said).toEqual([[opened], [], [], []]);
  });

  test("from the beginning keeps no alert open", () => {
    const hidden = ["the policy of organizations/1"];
    const { said } = live([{ hidden }, { hidden, findings: [key("a")] }, { hidden }]);
    expect(said).toEqual([[], [opened], [closed]]);
  });

  test("for the moment keeps the alerts of its links", () => {
    const untold = finding("COULD-NOT-TELL", { asks: "untold", says: "no answer", links: ["link-0"] });
    const { said } = live([{ findings: [key("a")] }, { findings: [untold] }, { findings: [key("a")] }]);
    expect(said).toEqual([[opened], [], []]);
  });
});

// Catches two alerts for one key: one of its own, and one as the reason why a link drifted.
test("a key beside a link that drifted is no reason of the drift", () => {
  let memory: Memory | undefined;
  const said = [0, 1].flatMap((tick) => {
    const health: Health = { ...healthAt(tick, { "link-0": "drifted" }), findings: [key("a")] };
    const run = remember(memory, { health, links: linksOf(1), every: 5 });
    memory = run.memory;
    return run.notices.map(({ state, alert }) => `${state} ${alert.cause.what}`);
  });
  expect(said).toEqual(["opened GOOGLE-USER-KEY", "opened drifted"]);
});

test("a memory of an older version takes everything usual for known", () => {
  const { memory } = live([{}]);
  const { noted: _, ...older } = memory as Memory;
  const health: Health = { ...healthAt(1, { "link-0": "works" }), inventory: [person("jo")] };
  expect(newsAfter(older, health).notices).toEqual([]);
});

test("an alert says codes, places and links, and nothing that a cloud has answered", () => {
  const health: Health = { ...healthAt(0, { "link-0": "works" }), findings: [key("<b>")] };
  const [notice] = newsAfter(undefined, health).notices;
  expect(notice && noticeText("acme", notice)).toMatch(
    new RegExp(
      `^crosstrust acme: opened: GOOGLE-USER-KEY at google acme-prod: link-0, since ${timeOf(0)} \\([0-9a-f]{12}\\)$`,
    ),
  );
});
