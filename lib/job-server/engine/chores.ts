/** Work that may be large, in small steps: each `next` takes one. */
export type Chore = Generator<void, void, void>;

/** How many steps of chores are taken at once. Some microseconds each. */
const STEPS_AT_ONCE = 256;

/** How many steps one call of `work` takes: few, so that what they cause (output) keeps pace. */
const STEPS_A_CALL = 64;

/**
 * Work that may be large and need not be over at once: a worker of 50,000
 * functions leaves, a job ends that 10,000 clients wait for. The first steps are
 * taken at once, and they are enough for nearly every chore; the rest is done in
 * later turns, each chore behind those that began before it.
 */
export class Chores {
  private waiting: Chore[] = [];
  private left = STEPS_AT_ONCE;
  private hasAsked = false;

  /** @param later is told when {@link work} should be called in another turn. */
  constructor(private readonly later: () => void) {}

  /** Begins a chore, and does as much of it as this turn allows. */
  begin(chore: Chore): void {
    if (this.waiting.length > 0 || !this.proceed(chore)) this.waiting.push(chore);
    if (this.hasAsked) return;
    this.hasAsked = true;
    this.later();
  }

  /** Goes on with the chores that wait; true when there is more to do. */
  work(): boolean {
    this.left = STEPS_A_CALL;
    const { waiting } = this;
    let done = 0;
    while (done < waiting.length && this.proceed(waiting[done]!)) done++;
    waiting.splice(0, done);
    this.hasAsked = waiting.length > 0;
    if (!this.hasAsked) this.left = STEPS_AT_ONCE;
    return this.hasAsked;
  }

  /** True when the chore is over, false when this turn's steps are used up. */
  private proceed(chore: Chore): boolean {
    while (this.left > 0) {
      this.left--;
      if (chore.next().done) return true;
    }
    return false;
  }
}
