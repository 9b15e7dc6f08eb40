/**
 * Time as an execution sees it: what it sleeps passes faster than in life, what really takes time takes as long as it takes.
 * With side branches it goes on only when all of them wait, and then to the one that wakes first.
 */
export class VirtualClock {
  private readonly real: () => number;
  /** Real milliseconds that a sleep of so many takes. */
  private readonly pace: (milliseconds: number) => number;
  private skipped = 0;
  private active = 1;
  private sleepers: readonly { readonly at: number; readonly wake: () => void }[] = [];

  /** `real`: epoch milliseconds. */
  constructor(real: () => number, pace: (milliseconds: number) => number = () => 0) {
    this.real = real;
    this.pace = pace;
  }

  readonly now = (): number => this.real() + this.skipped;

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => {
      // Of those that wake together the first to sleep is the first to go on.
      const at = this.now() + milliseconds;
      const after = this.sleepers.filter((sleeper) => sleeper.at > at);
      const before = this.sleepers.filter((sleeper) => sleeper.at <= at);
      this.sleepers = [...before, { at, wake }, ...after];
      this.leave();
    });
  }

  /** Another branch runs from now on. */
  enter(): void {
    this.active += 1;
  }

  /** A branch waits or has ended. */
  leave(): void {
    this.active -= 1;
    const [first, ...rest] = this.sleepers;
    if (this.active > 0 || !first) return;
    this.sleepers = rest;
    this.active = 1;
    // Even without a pause it is a turn of its own, so that other programs get theirs.
    setTimeout(
      () => {
        this.skipped += Math.max(0, first.at - this.now());
        first.wake();
      },
      this.pace(Math.max(0, first.at - this.now())),
    );
  }
}
