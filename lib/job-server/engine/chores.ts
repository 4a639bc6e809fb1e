/** Work that may be large, in small steps: one a `next`. */
export type Chore = Generator<void, void, void>;

/** How many steps of chores are taken at once. Some microseconds each. */
const STEPS_AT_ONCE = 256;

/** How many of what is left are taken in one call of `work`, so that what they cause keeps pace. */
const STEPS_A_CALL = 64;

/**
 * What may be large and need not be over at once: the leaving of a worker of
 * 50,000 functions, the result of a job that 10,000 clients wait for. So many
 * steps a turn are taken at once, which is enough for nearly all there is; the
 * rest in later turns, each chore behind those that began before it.
 */
export class Chores {
  private waiting: Chore[] = [];
  private left = STEPS_AT_ONCE;
  private hasAsked = false;

  /** @param later is told when {@link work} should be called in another turn. */
  constructor(private readonly later: () => void) {}

  /** Does a chore, as much of it as may be at once. */
  begin(chore: Chore): void {
    if (this.waiting.length > 0 || !this.proceed(chore)) this.waiting.push(chore);
    if (this.hasAsked) return;
    this.hasAsked = true;
    this.later();
  }

  /** Goes on with what waits; true when there is more. */
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
