const MIN_LENGTH = 16;

/**
 * Items of the log that do not wait in its order, by a time and then their
 * sequence: 24 bytes each. What is over is left in it until it comes to the
 * front, or until room for more is needed.
 */
export class PlaceHeap {
  private times = new Float64Array(MIN_LENGTH);
  private sequences = new Float64Array(MIN_LENGTH);
  private numbers = new Float64Array(MIN_LENGTH);
  size = 0;

  /** @param isKept says whether an item is not over yet. */
  constructor(private readonly isKept: (number: number) => boolean = () => true) {}

  /** The first one's time; `Infinity` when there is none. */
  get time(): number {
    return this.size > 0 ? this.times[0]! : Infinity;
  }

  get sequence(): number {
    return this.size > 0 ? this.sequences[0]! : Infinity;
  }

  /** The first one's number in the log. */
  get number(): number {
    return this.numbers[0]!;
  }

  push(time: number, sequence: number, number: number): void {
    if (this.size === this.times.length) this.makeRoom();
    let index = this.size++;
    for (let parent = (index - 1) >> 1; index > 0; index = parent, parent = (index - 1) >> 1) {
      if (!this.isBefore(time, sequence, parent)) break;
      this.move(parent, index);
    }
    this.put(index, time, sequence, number);
  }

  /** Drops the first one. */
  pop(): void {
    const last = --this.size;
    if (last > 0) this.sink(0, this.times[last]!, this.sequences[last]!, this.numbers[last]!);
    if (this.times.length > MIN_LENGTH && this.size * 8 < this.times.length) this.resize(this.times.length / 4);
  }

  /** A copy, to be emptied. */
  copy(): PlaceHeap {
    const copy = new PlaceHeap();
    copy.times = this.times.slice();
    copy.sequences = this.sequences.slice();
    copy.numbers = this.numbers.slice();
    copy.size = this.size;
    return copy;
  }

  /** Drops all that is over, and grows unless that was half of it: O(1) a push, and never much longer than what lives. */
  private makeRoom(): void {
    const { size, numbers } = this;
    let kept = 0;
    for (let index = 0; index < size; index++) if (this.isKept(numbers[index]!)) this.move(index, kept++);
    this.size = kept;
    if (kept * 2 > size) this.resize(size * 2);
    if (kept === size) return;
    for (let index = (kept >> 1) - 1; index >= 0; index--) {
      this.sink(index, this.times[index]!, this.sequences[index]!, this.numbers[index]!);
    }
  }

  private sink(start: number, time: number, sequence: number, number: number): void {
    let index = start;
    for (let child = 2 * index + 1; child < this.size; child = 2 * index + 1) {
      if (child + 1 < this.size && this.isBefore(this.times[child + 1]!, this.sequences[child + 1]!, child)) child++;
      if (this.isBefore(time, sequence, child)) break;
      this.move(child, index);
      index = child;
    }
    this.put(index, time, sequence, number);
  }

  private isBefore(time: number, sequence: number, index: number): boolean {
    const other = this.times[index]!;
    return time === other ? sequence < this.sequences[index]! : time < other;
  }

  private move(from: number, to: number): void {
    this.put(to, this.times[from]!, this.sequences[from]!, this.numbers[from]!);
  }

  private put(index: number, time: number, sequence: number, number: number): void {
    this.times[index] = time;
    this.sequences[index] = sequence;
    this.numbers[index] = number;
  }

  private resize(length: number): void {
    const resized = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(length);
      array.set(old.subarray(0, Math.min(this.size, length)));
      return array;
    };
    this.times = resized(this.times);
    this.sequences = resized(this.sequences);
    this.numbers = resized(this.numbers);
  }
}
