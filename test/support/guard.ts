import { vi } from "vitest";

/**
 * Milliseconds after which a wait is given up. It only ends what would hang for ever: every wait of a test ends by what
 * it waits for, however slow the machine is.
 */
export const guard = 3_600_000;

/** Looks again and again until `look` no longer throws, and returns what it gives. */
export const eventually = <T>(look: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(look, { timeout: guard, interval: 20 });
