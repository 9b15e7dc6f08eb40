import fc from "fast-check";
import type { Kill } from "./killer.ts";

/** A call as the sandbox noted it. */
interface Noted {
  readonly service: string;
  readonly write: boolean;
}

/** Which calls of a command its proxy counts: an issuer is reached through a tunnel. */
export const counted = <T extends Noted>(calls: readonly T[]): readonly T[] =>
  calls.filter(({ service }) => /^(aws|google)\./.test(service));

/**
 * Where a command may be killed so that it matters. Between the end of one call and the beginning of the next nothing
 * is done, so after the one stands for before the other; what is read before the first write and after the last leaves
 * nothing behind. Calls that run side by side come in any order, so two more are tried on both sides.
 */
export function killPoints(calls: readonly Noted[]): readonly Kill[] {
  const writes = counted(calls).map(({ write }) => write);
  const [first, last] = [writes.indexOf(true) + 1, writes.lastIndexOf(true) + 1];
  const after = writes.map((_, at): Kill => ({ at: at + 1, when: "after" }));
  return [{ at: 1, when: "before" }, ...after.filter(({ at }) => at >= first - 2 && at <= last + 2)];
}

/** A few of many, chosen by a seed (SEED): `npm test` tries these, `npm run figures` all. */
export function some<T>(all: readonly T[], count: number): readonly T[] {
  const seed = Number(process.env.SEED ?? 12345);
  const [chosen = []] = fc.sample(fc.shuffledSubarray([...all.keys()], { minLength: Math.min(count, all.length) }), {
    seed,
    numRuns: 1,
  });
  const few = new Set(chosen.slice(0, count));
  return all.filter((_, at) => few.has(at));
}
