/** How much of one turn of the event loop may be spent on work that a later turn can do, in milliseconds. */
const SLICE = 3;

/** A piece of work, short in itself; true when there is more of it. Must not throw. */
export type Step = () => boolean;

/**
 * Shares the event loop among all that have a lot to do. Whoever has worked for
 * a while asks whether the turn {@link isOver}, and does the rest step by step in
 * later turns, alternating with the others that do so. Between two turns the
 * event loop reads sockets and runs timers.
 *
 * One job server has one instance, so that many busy connections delay others
 * no longer than a single one does.
 */
export class Turns {
  private steps: Step[] = [];
  private isBegun = false;
  private endsAt = 0;

  /** @param clock any clock that only goes forward, in milliseconds. */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** Whether the time of this turn is used up; the first question begins the turn. */
  get isOver(): boolean {
    if (this.isBegun) return this.clock() >= this.endsAt;
    this.begin();
    return false;
  }

  /** Does a work step by step, from the next turn on. */
  run(step: Step): void {
    this.steps.push(step);
    if (!this.isBegun) this.begin();
  }

  /** Resolves in a later turn of the event loop, when it is the caller's step. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.run(() => {
        resolve();
        return false;
      });
    });
  }

  private begin(): void {
    this.isBegun = true;
    this.endsAt = this.clock() + SLICE;
    setImmediate(this.comeRound);
  }

  private readonly comeRound = (): void => {
    this.isBegun = false;
    if (this.steps.length === 0) return;
    this.begin();
    // Each gets one step, then again from the first, while there is time; the next turn begins with those that had none.
    let steps = this.steps;
    this.steps = [];
    let at = 0;
    do {
      if (at === steps.length) {
        steps = this.steps;
        this.steps = [];
        at = 0;
      }
      const step = steps[at++];
      if (!step) return;
      if (step()) this.steps.push(step);
    } while (!this.isOver);
    this.steps = [...steps.slice(at), ...this.steps];
  };
}
