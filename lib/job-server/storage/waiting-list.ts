/** What a {@link WaitingList} is sorted by. */
export interface Place {
  /** A time in milliseconds since 1970, or 0. */
  readonly at: number;
  readonly sequence: number;
}

/**
 * Waiting jobs sorted by the time they were given, then by their sequence.
 *
 * Appending, and taking the first, are O(1) (amortized), anything else is a
 * binary search and a move of what lies behind.
 */
export class WaitingList<Item extends Place> {
  private jobs: Item[] = [];
  /** Where the first one lies: what was taken leaves a hole until half the array is holes. */
  private head = 0;

  get size(): number {
    return this.jobs.length - this.head;
  }

  /** The first one, which stays. */
  get first(): Item | undefined {
    return this.jobs[this.head];
  }

  /** The first one with a time later than this, which stays. */
  firstAfter(at: number): Item | undefined {
    return this.jobs[this.placeOf({ at, sequence: Infinity })];
  }

  insert(job: Item): void {
    this.jobs.splice(this.placeOf(job), 0, job);
  }

  /** Takes the first one out. */
  take(): Item | undefined {
    const job = this.jobs[this.head];
    if (!job) return undefined;
    this.head++;
    if (this.head > 32 && this.head * 2 > this.jobs.length) {
      this.jobs = this.jobs.slice(this.head);
      this.head = 0;
    }
    return job;
  }

  /** Takes out the one with this time and sequence; false when it is not here. */
  remove(job: Item): boolean {
    if (this.first?.sequence === job.sequence) return this.take() !== undefined;
    const place = this.placeOf(job);
    if (this.jobs[place]?.sequence !== job.sequence) return false;
    this.jobs.splice(place, 1);
    return true;
  }

  clear(): void {
    this.jobs = [];
    this.head = 0;
  }

  /** The index of the first job that does not come before `job`. */
  private placeOf(job: Place): number {
    const last = this.jobs[this.jobs.length - 1];
    if (!last || this.size === 0 || comesBefore(last, job)) return this.jobs.length;
    let low = this.head;
    let high = this.jobs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comesBefore(this.jobs[middle] as Item, job)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether `one` waits in front of `other`: its time is earlier, or the same and it was accepted before. */
export function comesBefore(one: Place, other: Place): boolean {
  return one.at === other.at ? one.sequence < other.sequence : one.at < other.at;
}
