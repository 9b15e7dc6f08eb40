import { expect, test } from "vitest";
import { inParallel } from "../src/run/retry.ts";
import { bench, folderWith } from "./support/bench.ts";
import { killedRun, prepared, stories, takings, wholeRun } from "./support/crashes.ts";
import { some } from "./support/points.ts";

// SIGKILL before and after remote calls; a rerun must end in the same state, and what is left is "unfinished", never
// "drifted" (fact sheet reliability-and-security, trap 11 and figure F1). Catches a program that writes marks before the
// thing is whole, or removes before it adds. Some calls of each command are tried here, all of them by `npm run figures`.

test.each(stories)("$name: a run after a kill converges", async (story) => {
  const cwd = folderWith(story.file);
  const { exit, points, wanted } = await wholeRun(await prepared(await bench(), story), story, cwd);
  expect(exit).toBe(0);
  expect(points.length).toBeGreaterThan(6);
  const wrong = await inParallel(some(points, 4), 2, async (kill) =>
    killedRun(await prepared(await bench(), story), story, { cwd, kill, wanted }),
  );
  expect(wrong.filter(Boolean)).toEqual([]);
});

// Nothing of what was there before may be lost on the way, and what is pruned is not left half taken apart.
test.each(takings)("$name: a run after a kill converges", async (story) => {
  const cwd = folderWith(story.file);
  const { exit, points, wanted } = await wholeRun(await prepared(await bench(), story), story, cwd);
  expect(exit).toBe(0);
  const wrong = await inParallel(some(points, 2), 2, async (kill) =>
    killedRun(await prepared(await bench(), story), story, { cwd: folderWith(story.file), kill, wanted }),
  );
  expect(wrong.filter(Boolean)).toEqual([]);
});
