import { z } from "zod";

/**
 * What can happen to a call (contract, section 5). By the question that matters, whether it landed:
 *
 * - `throttle`, `error500`, `reset`, and `stall` where the caller goes away: it did not
 * - `slow`, `reset-after`, `truncate`, `empty`, `html`: it did, and the caller learns so late or not at all
 * - `stale-read`: a read, of the past
 */
const kinds = [
  ...(["throttle", "error500", "reset", "reset-after", "slow"] as const),
  ...(["stall", "truncate", "empty", "html", "stale-read"] as const),
] as const;

/** `PUT /_sandbox/faults` takes a list of these (contract, section 5). */
export const faultSchema = z.array(
  z.strictObject({
    /** As in `/calls`; `*` matches any. */
    service: z.string().default("*"),
    operation: z.string().default("*"),
    /** The nth matching call, from 1; without it, each with `probability`. */
    nth: z.number().int().positive().optional(),
    probability: z.number().min(0).max(1).optional(),
    fault: z.enum(kinds),
    /** How long: `slow` 1, `stall` 60, `stale-read` 5 unless said. */
    seconds: z.number().min(0).max(600).optional(),
    /** Of the chance: the same seed and calls give the same faults. */
    seed: z.number().int().optional(),
  }),
);
/** One rule; `nth` and `probability` exclude each other, and `nth` wins. */
export type FaultRule = z.infer<typeof faultSchema>[number];

/** Rules with their counters and their own seeded chance. */
export class Faults {
  private rules: { readonly rule: FaultRule; seen: number; chance: () => number }[] = [];
  private readonly waiting = new Set<() => void>();

  /** Replaces all rules, counts from the start, and releases the calls that `slow` and `stall` hold. */
  set(rules: readonly FaultRule[]): void {
    this.rules = rules.map((rule) => ({ rule, seen: 0, chance: generator(rule.seed ?? 1) }));
    for (const release of [...this.waiting]) release();
  }

  /** How many calls `slow` and `stall` hold at this moment. */
  get holding(): number {
    return this.waiting.size;
  }

  /** Resolves after these seconds, or earlier when the rules are replaced or the caller goes away (`gone`). */
  hold(seconds: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const release = () => {
        clearTimeout(timer);
        this.waiting.delete(release);
        gone.removeEventListener("abort", release);
        resolve();
      };
      const timer = setTimeout(release, seconds * 1000);
      this.waiting.add(release);
      gone.addEventListener("abort", release);
      if (gone.aborted) release();
    });
  }

  get all(): readonly FaultRule[] {
    return this.rules.map(({ rule }) => rule);
  }

  /** The fault that hits this call: the first rule that fires; every matching rule counts it. */
  hit(service: string, operation: string): FaultRule | undefined {
    let fired: FaultRule | undefined;
    for (const entry of this.rules) {
      const { rule } = entry;
      if (!matches(rule.service, service) || !matches(rule.operation, operation)) continue;
      entry.seen++;
      const fires = rule.nth === undefined ? entry.chance() < (rule.probability ?? 1) : rule.nth === entry.seen;
      if (fires) fired ??= rule;
    }
    return fired;
  }
}

const matches = (pattern: string, name: string): boolean => pattern === "*" || pattern === name;

/** mulberry32: small, seeded, good enough to choose which calls fail. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
