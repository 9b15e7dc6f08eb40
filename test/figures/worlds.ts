import type { World } from "../worlds/run.ts";
import { tally } from "../worlds/tally.ts";
import type { Figure } from "./figures.ts";

const count = 10_000;

/**
 * Generated worlds against a second evaluator. Catches what 500 worlds of `npm test` are too few to meet: a rare pair of
 * edits that a verdict gets wrong.
 */
async function worlds(to: World["to"], seed: number): Promise<Figure> {
  const { counts, unconfirmed, examples } = await tally(to, seed, count);
  const { undecided, ...wrong } = counts;
  const told = Object.entries(wrong).filter(([, times]) => times > 0);
  for (const example of examples) process.stderr.write(`  ${example}\n`);
  const share = ((undecided / count) * 100).toFixed(1);
  return {
    name: `health of ${count} generated worlds with a link to ${to}, each edited by somebody, against a second evaluator`,
    target: "no wrong verdict, every outsider confirmed by the sandbox, undecided below 2 %",
    measured: `${told.map(([fault, times]) => `${fault}: ${times}`).join(", ") || "none wrong"}; ${unconfirmed} not confirmed; ${share} % undecided`,
    good: told.length === 0 && unconfirmed === 0 && undecided < count * 0.02,
  };
}

export const worldsToAws = (seed: number): Promise<Figure> => worlds("aws", seed);
export const worldsToGoogle = (seed: number): Promise<Figure> => worlds("google", seed);
