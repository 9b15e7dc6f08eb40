import type { Host, Player } from "./fake.ts";

/** What a calendar needs of its sandbox. */
interface Clocked {
  readonly players: readonly Player[];
  now(): number;
  set(change: { readonly offsetSeconds: number }): void;
  host(staleSeconds: number | undefined): Host;
}

/** Nobody waits for more in one call: a week of a schedule of five minutes has 2,016. */
const mostMoments = 2500;

/** The clock was to pass more moments at which something is due than one call may. */
export class TooManyRuns extends Error {}

/**
 * Moves the sandbox's clock through what is due on the way: at each such moment the clock stands still there until all of it
 * is done, so that deployed functions, workflows and tokens see the time of their own run.
 */
export class Calendar {
  private readonly sandbox: Clocked;
  /** One move after the other: a second one begins where the first has ended. */
  private busy: Promise<unknown> = Promise.resolve();
  /** Until when all that was due is done, while real time is followed. */
  private followed: number | undefined;

  constructor(sandbox: Clocked) {
    this.sandbox = sandbox;
  }

  /** Gives the number of moments at which something was due. Throws `TooManyRuns` before anything has moved. */
  move(offsetSeconds: number): Promise<number> {
    return this.alone(async () => {
      const until = () => Date.now() + offsetSeconds * 1000;
      const after = this.followed ?? this.sandbox.now();
      if (this.count({ after, until: until() }) > mostMoments)
        throw new TooManyRuns(`more than ${mostMoments} scheduled runs lie between: move the clock in smaller steps`);
      const passed = await this.pass(after, until, (at) => this.show(at));
      this.sandbox.set({ offsetSeconds });
      if (this.followed !== undefined) this.followed = this.sandbox.now();
      return passed;
    });
  }

  /** From now on what is due is done as time goes by; gives what stops that. */
  follow(): () => void {
    this.followed = this.sandbox.now();
    let waiting = false;
    const look = async () => {
      if (waiting) return;
      waiting = true;
      await this.alone(() => this.catchUp()).finally(() => {
        waiting = false;
      });
    };
    const timer = setInterval(look, 1000);
    return () => clearInterval(timer);
  }

  private async catchUp(): Promise<void> {
    if (this.followed === undefined) return;
    await this.pass(
      this.followed,
      () => this.sandbox.now(),
      () => {},
    );
    this.followed = Math.max(this.followed, this.sandbox.now());
  }

  private async pass(after: number, until: () => number, arrive: (at: number) => void): Promise<number> {
    const host = this.sandbox.host(undefined);
    let [seen, passed] = [after, 0];
    for (;;) {
      const at = this.next({ after: seen, until: until() }, host);
      if (at === undefined) return passed;
      arrive(at);
      await Promise.all(this.sandbox.players.map(({ schedule }) => schedule?.runDue(at, host)));
      seen = at;
      passed += 1;
    }
  }

  /** A run takes real time, and the next moment may be over when it ends: the clock never goes back for it. */
  private show(at: number): void {
    const ahead = Math.max(at, this.sandbox.now()) - Date.now();
    this.sandbox.set({ offsetSeconds: ahead / 1000 });
  }

  private next(span: { after: number; until: number }, host: Host): number | undefined {
    const times = this.sandbox.players.flatMap(({ schedule }) => schedule?.nextDue(span, host) ?? []);
    return times.length > 0 ? Math.min(...times) : undefined;
  }

  private count({ after, until }: { after: number; until: number }): number {
    const host = this.sandbox.host(undefined);
    let [seen, found] = [after, 0];
    for (; found <= mostMoments; found++) {
      const at = this.next({ after: seen, until }, host);
      if (at === undefined) break;
      seen = at;
    }
    return found;
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.busy.then(work);
    this.busy = done.catch(() => {});
    return done;
  }
}
