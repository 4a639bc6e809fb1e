/** What a {@link WaitingList} is sorted by. */
export interface Place {
  /** A time in milliseconds since 1970, or 0. */
  readonly at: number;
  readonly sequence: number;
}

const MIN_LENGTH = 16;

/**
 * Waiting jobs sorted by the time they were given, then by their sequence.
 *
 * Appending, and taking the first, are O(1) (amortized), anything else is a
 * binary search and a move of what lies behind.
 */
export class WaitingList<Item extends Place> {
  /** A ring, so that it is not made anew as jobs come and go; its length is a power of two. */
  private ring = new Array<Item | undefined>(MIN_LENGTH).fill(undefined);
  /** Where the first one lies. */
  private head = 0;
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** The first one, which stays. */
  get first(): Item | undefined {
    return this.ring[this.head];
  }

  insert(job: Item): void {
    const place = this.placeOf(job);
    if (this.count === this.ring.length) this.resize(this.count * 2);
    for (let index = this.count++; index > place; index--) this.put(index, this.at(index - 1));
    this.put(place, job);
  }

  /** Takes the first one out. */
  take(): Item | undefined {
    const job = this.first;
    if (!job) return undefined;
    this.put(0, undefined);
    this.head = (this.head + 1) & (this.ring.length - 1);
    this.count--;
    this.shrink();
    return job;
  }

  /** Takes out the one with this time and sequence; false when it is not here. */
  remove(job: Item): boolean {
    if (this.first?.sequence === job.sequence) return this.take() !== undefined;
    const place = this.placeOf(job);
    if (place === this.count || this.at(place).sequence !== job.sequence) return false;
    for (let index = place + 1; index < this.count; index++) this.put(index - 1, this.at(index));
    this.put(--this.count, undefined);
    this.shrink();
    return true;
  }

  clear(): void {
    this.count = this.head = 0;
    this.ring = new Array<Item | undefined>(MIN_LENGTH).fill(undefined);
  }

  /** The index of the first job that does not come before `job`. */
  private placeOf(job: Place): number {
    if (this.count === 0 || comesBefore(this.at(this.count - 1), job)) return this.count;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (comesBefore(this.at(middle), job)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private at(index: number): Item {
    return this.ring[(this.head + index) & (this.ring.length - 1)]!;
  }

  private put(index: number, job: Item | undefined): void {
    this.ring[(this.head + index) & (this.ring.length - 1)] = job;
  }

  private shrink(): void {
    const { length } = this.ring;
    if (length > MIN_LENGTH && this.count * 8 < length) this.resize(length / 4);
  }

  private resize(length: number): void {
    const ring = new Array<Item | undefined>(length).fill(undefined);
    for (let index = 0; index < this.count; index++) ring[index] = this.at(index);
    this.ring = ring;
    this.head = 0;
  }
}

/** Whether `one` waits in front of `other`: its time is earlier, or the same and it was accepted before. */
export function comesBefore(one: Place, other: Place): boolean {
  return one.at === other.at ? one.sequence < other.sequence : one.at < other.at;
}
