const MIN_LENGTH = 16;

/** A time, a sequence and a number. */
const WIDTH = 3;

/** What a heap begins with: there may be heaps for 100,000 functions, most of them empty. */
const NONE = new Float64Array(0);

/**
 * Places of jobs that do not wait in the log's order, by a time and then their
 * sequence: 24 bytes each. What is over is left in it until it comes to the
 * front, or until room for more is needed.
 */
export class PlaceHeap {
  private values: Float64Array<ArrayBuffer> = NONE;
  size = 0;

  /** @param isKept says whether a place is not over yet. */
  constructor(private readonly isKept: (number: number, time: number, sequence: number) => boolean = () => true) {}

  /** The first one's time; `Infinity` when there is none. */
  get time(): number {
    return this.size > 0 ? this.values[0]! : Infinity;
  }

  get sequence(): number {
    return this.size > 0 ? this.values[1]! : Infinity;
  }

  get number(): number {
    return this.values[2]!;
  }

  /** Drops what is over from the front; whether there is a first one then. */
  hasFirst(): boolean {
    while (this.size > 0 && !this.isKept(this.number, this.time, this.sequence)) this.pop();
    return this.size > 0;
  }

  push(time: number, sequence: number, number: number): void {
    if (this.size * WIDTH === this.values.length) this.makeRoom();
    let index = this.size++;
    for (let parent = (index - 1) >> 1; index > 0 && this.isBefore(time, sequence, parent); parent = (index - 1) >> 1) {
      this.move(parent, index);
      index = parent;
    }
    this.put(index, time, sequence, number);
  }

  /** Drops the first one. */
  pop(): void {
    if (--this.size > 0) this.sink(this.size, 0);
    if (this.values.length > WIDTH * MIN_LENGTH && this.size * WIDTH * 8 < this.values.length) {
      this.values = this.values.slice(0, this.values.length / 4);
    }
  }

  /** A copy, to be emptied. */
  copy(): PlaceHeap {
    const copy = new PlaceHeap();
    copy.values = this.values.slice();
    copy.size = this.size;
    return copy;
  }

  /** Drops all that is over, and grows unless that was half of it: O(1) a push, and never much longer than what lives. */
  private makeRoom(): void {
    const { size, values } = this;
    let kept = 0;
    for (let index = 0; index < size; index++) {
      const at = index * WIDTH;
      if (this.isKept(values[at + 2]!, values[at]!, values[at + 1]!)) this.move(index, kept++);
    }
    this.size = kept;
    if (kept * 2 >= size) {
      this.values = new Float64Array(Math.max(WIDTH * MIN_LENGTH, values.length * 2));
      this.values.set(values);
    }
    if (kept < size) for (let index = (kept >> 1) - 1; index >= 0; index--) this.sink(index, index);
  }

  /** Puts what is in one slot into another, and below what comes before it. */
  private sink(from: number, to: number): void {
    const at = from * WIDTH;
    const [time, sequence, number] = [this.values[at]!, this.values[at + 1]!, this.values[at + 2]!];
    let index = to;
    for (let child = 2 * index + 1; child < this.size; child = 2 * index + 1) {
      const other = (child + 1) * WIDTH;
      if (child + 1 < this.size && this.isBefore(this.values[other]!, this.values[other + 1]!, child)) child++;
      if (this.isBefore(time, sequence, child)) break;
      this.move(child, index);
      index = child;
    }
    this.put(index, time, sequence, number);
  }

  private isBefore(time: number, sequence: number, index: number): boolean {
    const other = this.values[index * WIDTH]!;
    return time === other ? sequence < this.values[index * WIDTH + 1]! : time < other;
  }

  private move(from: number, to: number): void {
    const at = from * WIDTH;
    this.put(to, this.values[at]!, this.values[at + 1]!, this.values[at + 2]!);
  }

  private put(index: number, time: number, sequence: number, number: number): void {
    const at = index * WIDTH;
    this.values[at] = time;
    this.values[at + 1] = sequence;
    this.values[at + 2] = number;
  }
}
