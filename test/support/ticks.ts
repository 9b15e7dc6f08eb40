import fc from "fast-check";
import type { Change, Code, Finding, Health, Link, LinkHealth, Memory, Notice, Verdict } from "../../src/model.ts";
import { conclude } from "../../src/verdict/run.ts";
import { remember } from "../../src/watch/remember.ts";
import { federationOf, manyLinks } from "./bench.ts";

// Runs of a check, made up: what the memory does with them needs no cloud.

export const start = Date.UTC(2026, 10, 21, 12);
export const minute = 60_000;
export const timeOf = (tick: number): string => new Date(start + tick * 5 * minute).toISOString();

/** What a run finds of each link: works, cannot tell, lets in, drifts, or is refused for a reason by code. */
export type Seen = "works" | "unknown" | "open" | "drifted" | `no ${string}`;

export const seen: fc.Arbitrary<Seen> = fc.constantFrom<Seen>("works", "unknown", "drifted", "no A-CODE", "no B-CODE");

const verdictOf = (one: Seen): Verdict => (one.startsWith("no ") ? "broken" : (one as Verdict));

function lineOf(link: string, one: Seen): { line: LinkHealth; findings: readonly Finding[] } {
  const verdict = verdictOf(one);
  const code = verdict === "open" ? "SUBJECT-NOT-CHECKED" : (one.slice(3) as Code);
  const bad = verdict === "open" || verdict === "broken";
  const hop = { step: verdict === "open" ? "refuse" : "exchange", ms: 1, saw: "" } as const;
  const address = `aws:role/111122223333/${link}` as const;
  const change = { address, verb: "update", cause: "drifted", links: [link], differences: [] } as unknown as Change;
  const line = {
    ...{ link, verdict, missing: [], changes: verdict === "drifted" ? [change] : [] },
    hops: bad ? [{ ...hop, result: "no" as const, finding: code }] : [],
  };
  const finding = { code, at: {}, says: "", because: [], fix: [], links: [link] };
  return { line, findings: bad ? [{ ...finding, severity: verdict === "open" ? "security" : "error" }] : [] };
}

export function healthAt(tick: number, found: Readonly<Record<string, Seen>>): Health {
  const lines = Object.entries(found).map(([link, one]) => lineOf(link, one));
  const findings = lines.flatMap((one) => one.findings);
  const links = lines.map(({ line }) => line);
  return {
    ...conclude({ links, findings, leftovers: false }),
    ...{ at: timeOf(tick), ms: 1, fingerprint: `f${tick}`, findings, links },
  };
}

export const linksOf = (count: number): readonly Link[] => federationOf(manyLinks(count)).links;

/** Lives through runs, one every five minutes; gives back what was said in each, and what is remembered after each. */
export function live(runs: readonly Readonly<Record<string, Seen>>[], count = 1) {
  const links = linksOf(count);
  const said: (readonly Notice[])[] = [];
  const kept: Memory[] = [];
  runs.forEach((found, tick) => {
    const { memory, notices } = remember(kept.at(-1), { health: healthAt(tick, found), links, every: 5 });
    kept.push(memory);
    said.push(notices);
  });
  return { said, kept, all: said.flat(), last: kept.at(-1) as Memory };
}

/** The same for one link. */
export const liveOne = (all: readonly Seen[]) => live(all.map((one) => ({ "link-0": one })));
