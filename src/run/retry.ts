import type { World } from "../model.ts";
import { type Answered, noted } from "./answered.ts";
import { clockJump, noteClock } from "./clock-jump.ts";
import { CloudError, type ErrorClass, mayHaveLanded } from "./cloud-error.ts";

export {
  CloudError,
  type CloudErrorInit,
  type ErrorClass,
  located,
  mayHaveLanded,
  redact,
  unlessMissing,
} from "./cloud-error.ts";

/** What a body says, for a schema to judge; `undefined` where it is not JSON. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Names for messages and reports, and how often it may be sent. */
export interface Call {
  /** Such as `aws.iam`. */
  readonly service: string;
  /** Verb first: `CreateRole`. */
  readonly operation: string;
  /**
   * `repeatable`: a full replace, or idempotent by contract. `once`: a create or delete that must not be sent
   * twice blindly; its caller finds out whether it landed (reliability-and-security.md, 2.3).
   */
  readonly effect: "read" | "repeatable" | "once";
}

// Most a call is tried, the first time included, and what a further try costs of the budget
// (reliability-and-security.md, 2.5). Throttling is cheap: the other side is alive and asks for patience.
const tries = { throttled: 6, race: 6, malformed: 3, other: 4 } as const;
const cost = { throttled: 5, other: 14, refund: 1 } as const;

// As many processes as may serve one sandbox one after the other, while a call looks for it.
const mostMoves = 50;

/**
 * The one retry layer: full jitter, a budget for the whole process, and only where another try can help
 * (reliability-and-security.md, 2.1 and 2.5). The SDKs' own retries are switched off, since two layers
 * multiply, and theirs resend creates and misread IAM's errors (traps 4 and 5). Without the budget every
 * caller of a cloud that is down would wait out all of its tries; what a call spent it gives back when it
 * succeeds in the end, and one token where it succeeds at once.
 */
export async function call<T>(world: World, spec: Call, attempt: () => Promise<T>): Promise<T> {
  const budget = new Budget(world);
  const seen = new Map<ErrorClass, number>();
  noteClock(world, "before");
  let resent = false;
  for (let tried = 1; ; tried++) {
    if (world.signal.aborted) throw interrupted(spec);
    const began = performance.now();
    let answered: Answered = {};
    const hear = (outcome: string) =>
      world.heard?.({ ...named(spec), ...answered, tried, outcome, ms: performance.now() - began });
    try {
      const answer = await noted(
        () => following(attempt),
        (told) => {
          answered = told;
        },
      );
      hear("ok");
      noteClock(world, "answered");
      budget.giveBack();
      return answer;
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      hear(error.code || error.class);
      if (definite.includes(error.class)) budget.giveBack();
      const times = (seen.get(error.class) ?? 0) + 1;
      seen.set(error.class, times);
      if (!mayRetry(error, spec, { tried, times }) || !budget.spend(error))
        throw final(error, {
          resent,
          clockJump: timely.includes(error.class) ? clockJump(world) : 0,
          requestId: answered.requestId,
        });
      resent ||= mayHaveLanded(error);
      await world.clock.sleep(pause(error, tried, world));
    }
  }
}

/** The answers that a service also gives for a token or a signature of the wrong time. */
const timely: readonly ErrorClass[] = ["denied", "unauthenticated", "refused", "invalid", "credentials"];

/** What is known of a run beside what its last call was answered. */
interface Beside {
  readonly resent: boolean;
  readonly clockJump: number;
  readonly requestId: string | undefined;
}

/** The error with what is known of the run beside it. */
function final(error: CloudError, { resent, clockJump, requestId }: Beside): CloudError {
  if (!resent && clockJump === 0 && requestId === undefined) return error;
  return new CloudError({
    ...error,
    message: error.message,
    ...(resent ? { resent } : {}),
    ...(clockJump === 0 ? {} : { clockJump }),
    ...(requestId === undefined ? {} : { requestId }),
  });
}

const named = ({ service, operation }: Call) => ({ service, operation });

/** Asks where the service is by now, as often as it moves meanwhile. */
async function following<T>(attempt: () => Promise<T>): Promise<T> {
  for (let moves = 0; ; moves++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof CloudError && error.moved) || moves === mostMoves) throw error;
    }
  }
}

/** A no is an answer too: whoever gives one is not down. */
const definite: readonly ErrorClass[] = ["denied", "unauthenticated", "missing", "exists", "refused", "invalid"];

/** What one call takes out of the process's budget, and puts back when it has its answer. */
class Budget {
  private readonly world: World;
  private spent = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** False where the budget is used up: the error is told as it is. */
  spend({ class: kind }: CloudError): boolean {
    const price = kind === "throttled" ? cost.throttled : cost.other;
    if (this.world.budget.tokens < price) return false;
    this.world.budget.tokens -= price;
    this.spent += price;
    return true;
  }

  giveBack(): void {
    const { budget } = this.world;
    budget.tokens = Math.min(500, budget.tokens + Math.max(this.spent, cost.refund));
    this.spent = 0;
  }
}

/**
 * The class says whether the other side acted, the effect whether acting twice does harm:
 *
 *                     read   repeatable   once
 *     unsent          4      4            4      nothing arrived
 *     throttled       6      6            6      turned away before anything was done
 *     race            -      6            -      its caller must read again first
 *     malformed       3      4            -      counted for themselves: then it is "could not tell"
 *     transient, lost 4      4            -      whether it landed is not known
 *     any other       -      -            -      a definite answer
 */
function mayRetry(
  error: CloudError,
  spec: Call,
  { tried, times }: { readonly tried: number; readonly times: number },
): boolean {
  switch (error.class) {
    case "throttled":
      return tried < tries.throttled;
    case "unsent":
      return tried < tries.other;
    case "race":
      return spec.effect === "repeatable" && tried < tries.race;
    case "malformed":
      if (spec.effect === "read") return times < tries.malformed && tried < tries.other;
      return spec.effect !== "once" && tried < tries.other;
    case "transient":
    case "lost":
      return spec.effect !== "once" && tried < tries.other;
    default:
      return false;
  }
}

/** Milliseconds: full jitter over an exponential, or what the other side asked for, at most 30 s. */
function pause(error: CloudError, tried: number, world: World): number {
  if (error.retryAfter !== undefined) return Math.min(error.retryAfter, 30) * 1000;
  const base = error.class === "throttled" ? 1000 : error.class === "race" ? 500 : 100;
  return Math.ceil(world.random() * Math.min(20_000, base * 2 ** (tried - 1))) + 10;
}

const interrupted = (spec: Call): CloudError =>
  new CloudError({ class: "interrupted", ...spec, code: "", status: 0, message: "interrupted before this call" });

/** How to create a thing of a known name, and how to look for it. */
export interface Creation<T> {
  /** A call through this layer with effect `once`. */
  readonly create: () => Promise<T>;
  /** Reads it by its deterministic name. */
  readonly find: () => Promise<T | undefined>;
}

/**
 * Creates under a deterministic name. "Already exists" and a lost answer are races, not failures: what stands there
 * is read and given back, and the caller looks whose it is (reliability-and-security.md, 2.3).
 */
export async function createOnce<T>(world: World, job: Creation<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await job.create();
    } catch (error) {
      const there = await poll(world, looksFor(error), job.find);
      if (there !== undefined) return there;
      // Not there after all those looks: it did not land, and may be sent again.
      if (looksFor(error) === 0 || tried === 3) throw unseen(error);
    }
  }
}

/** What exists and was never seen is nobody's yet: only a reader can tell whose it is. */
function unseen(error: unknown): unknown {
  if (!(error instanceof CloudError) || error.class !== "exists") return error;
  const message = `${error.message || error.code}: it exists and could not be read, so whose it is cannot be told`;
  return new CloudError({ ...error, class: "transient", message });
}

/** How to remove one thing that goes by a name, and how to find out that it is still the one that is meant. */
export interface Removing<T> {
  readonly find: () => Promise<T | undefined>;
  readonly remove: (there: T) => Promise<void>;
}

/**
 * Removes what is found, and after a lost answer or a race looks again before it is sent again: a delete by name
 * must not hit a namesake that was made meanwhile (fact sheet, 2.3).
 */
export async function removeOnce<T>(world: World, { find, remove }: Removing<T>): Promise<void> {
  for (let tried = 1; ; tried++) {
    const there = await find();
    if (there === undefined) return;
    try {
      return await remove(there);
    } catch (error) {
      const again = error instanceof CloudError && (error.class === "race" || mayHaveLanded(error));
      if (!again || tried === tries.other) throw error;
      await world.clock.sleep(pause(error, tried, world));
    }
  }
}

/**
 * Makes a write that the retry layer may send twice. The second one finds what the first one did, and is refused with a
 * definite no: so what stands there is read before such a no is believed.
 */
export async function unlessDone(write: () => Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const definiteNo = error instanceof CloudError && definite.includes(error.class) && !isAboutUs(error);
    if (!definiteNo || !(await isDone())) throw error;
  }
}

/** Whether a no is about the caller, and would be the same whatever stands there. */
const isAboutUs = ({ class: kind }: CloudError): boolean => kind === "denied" || kind === "unauthenticated";

/** How often to look whether it is there all the same: a definite refusal needs no look. */
const looksFor = (error: unknown): number => {
  if (!(error instanceof CloudError)) return 0;
  return error.class === "exists" ? 8 : mayHaveLanded(error) ? 4 : 0;
};

/** Looks at most `times`, with growing pauses and jitter: about 8 s for four looks, 24 s for eight. */
async function poll<T>(world: World, times: number, find: () => Promise<T | undefined>): Promise<T | undefined> {
  for (let asked = 0; asked < times; asked++) {
    const base = asked === 0 ? 250 : 500 * 2 ** Math.min(asked, 3);
    await world.clock.sleep(base * (0.5 + world.random()));
    const found = await find().catch((error: unknown) => {
      // An answer that says nothing is one more reason to look again, except for the last look.
      if (error instanceof CloudError && mayHaveLanded(error) && asked + 1 < times) return undefined;
      throw error;
    });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How long to wait, and when to believe it: after one good read the next may be stale again. */
export interface Wait {
  readonly what: string;
  /** Milliseconds. */
  readonly budget: number;
  /** Good answers in a row that are needed. */
  readonly inARow: number;
}

/**
 * Waits by probing, never by a fixed sleep: until `good` holds that many times in a row, or the budget is spent
 * (google.md 5: three consecutive reads of a fresh account; aws.md 7: a role takes 7.6 to 11.5 s).
 */
export async function settle(world: World, wait: Wait, good: () => Promise<boolean>): Promise<boolean> {
  const start = world.clock.now();
  let row = 0;
  for (let asked = 0; ; asked++) {
    row = (await good()) ? row + 1 : 0;
    if (row >= wait.inARow) return true;
    if (world.signal.aborted || world.clock.now() - start > wait.budget) return false;
    if (row === 0 && asked === 0) world.progress({ what: wait.what, state: "waiting" });
    await world.clock.sleep(row > 0 ? 20 : Math.min(2000, 250 * 2 ** Math.min(asked, 3)));
  }
}

const queues = new WeakMap<World, Map<string, Promise<unknown>>>();

/**
 * One job at a time for each key, in this process: for read-modify-writes of things that have no etag. A
 * failed job does not hold up the next.
 */
export function serially<T>(world: World, key: string, job: () => Promise<T>): Promise<T> {
  const queue = queues.get(world) ?? new Map<string, Promise<unknown>>();
  queues.set(world, queue);
  const done = (queue.get(key) ?? Promise.resolve()).then(job, job);
  queue.set(
    key,
    done.catch(() => {}),
  );
  return done;
}

/** An outer deadline for what a vendor's library does on its own (house.md: the named exceptions). */
export async function deadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Runs jobs with at most `width` at a time, all of them, and gives back each outcome in order. A job that
 * throws rejects the whole: jobs that may fail alone catch their own errors.
 */
export async function inParallel<T, R>(items: readonly T[], width: number, job: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await job(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
