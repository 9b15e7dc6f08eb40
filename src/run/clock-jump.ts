import type { Clock, World } from "../model.ts";

/** Milliseconds between the clock and a steady one, as of the beginning of a run. */
const begun = new WeakMap<Clock, number>();

/** Milliseconds. Less than this is the correction of a clock that runs well, and no signature or token fails for it. */
const least = 10_000;

const ahead = ({ clock }: World): number => clock.now() - performance.now();

/** Remembers how the clock stands before the first call of a run; a sandbox's is known by the first answer. */
export function noteClock(world: World, when: "before" | "answered"): void {
  if (world.kind === "sandbox" && when === "before") return;
  if (!begun.has(world.clock)) begun.set(world.clock, ahead(world));
}

/** Returns by how many seconds the clock was set forward, or back (negative), since the run began; 0 if it was not. */
export function clockJump(world: World): number {
  const then = begun.get(world.clock);
  const ms = then === undefined ? 0 : ahead(world) - then;
  return Math.abs(ms) < least ? 0 : Math.round(ms / 1000);
}
