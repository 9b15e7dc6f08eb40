import { describe, expect, test } from "vitest";
import { type World, worldOf } from "./run.ts";
import { tally } from "./tally.ts";

// Random links, issuers, conditions, mappings, bindings and trust policies, edited by somebody. A second evaluator
// holds the truth (truth.ts), and the sandbox's own token services confirm each outsider that it finds.

const seed = Number(process.env.SEED ?? 12345);
const count = 500;
/** How many of them are judged in `npm test`; `npm run figures` judges 10,000 for each cloud. */
const judged = 120;

/** Long enough for a machine that is busy with something else: only a hang is ended by it. */
const timeout = 30 * 60_000;

/** The tests over generated worlds with a link to one cloud. Each cloud has a file of its own, so that they run side by side. */
export function checkWorlds(to: World["to"]): void {
  describe(`worlds with a link to ${to}`, () => {
    const worlds = Array.from({ length: count }, (_, at): World => worldOf(to, seed + at));

    test("are right set-ups in about half of the cases, of every issuer", () => {
      const right = worlds.filter(({ truth }) => !truth.outsider && truth.own && !truth.wider);
      expect(right.length).toBeGreaterThan(count * 0.4);
      expect(right.length).toBeLessThan(count * 0.7);
      const issuers = [...new Set(worlds.map(({ issuer }) => issuer.name))];
      expect(issuers.filter((name) => !right.some(({ issuer }) => issuer.name === name))).toEqual([]);
      const open = worlds.filter(({ truth }) => truth.outsider);
      expect(issuers.filter((name) => !open.some(({ issuer }) => issuer.name === name))).toEqual([]);
    });

    test("are the same for the same seed", () => {
      const texts = (all: readonly World[]) => all.map(({ file, edits }) => `${file} ${edits}`);
      expect(texts(worlds.map((_, at) => worldOf(to, seed + at)))).toEqual(texts(worlds));
    });

    // Catches a judge that misses a way in, and one that takes a set-up for open that lets nobody in.
    test(`${judged} of them get the verdict of the second evaluator`, { timeout }, async () => {
      const { counts, unconfirmed, examples } = await tally(to, seed, judged);
      const { undecided, ...wrong } = counts;
      const told = Object.entries(wrong).filter(([, times]) => times > 0);
      expect({ told, examples: told.length > 0 || unconfirmed > 0 ? examples : [] }).toEqual({
        told: [],
        examples: [],
      });
      expect(undecided).toBeLessThan(judged * 0.02);
    });
  });
}
