/** How long one turn of the event loop may be spent on what can go on in a later one, in milliseconds. */
const SLICE = 3;

/** A piece of work, short in itself; true when there is more of it. Must not throw. */
export type Step = () => boolean;

/**
 * Shares the event loop among those who have a lot to do: whoever is at it for
 * long asks whether the turn {@link isOver}, and does the rest step by step, in
 * later turns and in turn with the others who do so. Between two turns the
 * event loop comes round: sockets are read, and timers go off.
 *
 * One job server has one, so that many who are busy hold nobody up for longer
 * than one who is.
 */
export class Turns {
  private steps: Step[] = [];
  private isBegun = false;
  private endsAt = 0;

  /** @param clock any clock that only goes forward, in milliseconds. */
  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** Whether this turn has been spent; the first who asks begins it. */
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

  /** Resolves in a later turn, when it is the caller's. */
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
    // One step each and again from the first, as long as there is time; who had none is the first next time.
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
