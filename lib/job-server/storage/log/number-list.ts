const MIN_LENGTH = 8;

/** What a list begins with: there may be lists for 100,000 functions, most of them empty. */
const NONE = new Float64Array(0);

/** Numbers in ascending or any order, 8 bytes each, that are appended at the end and dropped from the front. */
export class NumberList {
  private values: Float64Array<ArrayBuffer> = NONE;
  private head = 0;
  private end = 0;

  get length(): number {
    return this.end - this.head;
  }

  get first(): number | undefined {
    return this.head < this.end ? this.values[this.head] : undefined;
  }

  get last(): number | undefined {
    return this.head < this.end ? this.values[this.end - 1] : undefined;
  }

  at(index: number): number {
    return this.values[this.head + index]!;
  }

  push(value: number): void {
    if (this.end === this.values.length) this.makeRoom();
    this.values[this.end++] = value;
  }

  /** Drops the first ones. */
  drop(count: number): void {
    this.head += count;
    if (this.head >= 64 && this.length * 4 < this.values.length) this.makeRoom();
  }

  /** The index of the last value that is not above this one, -1 when all are; the list is ascending. */
  lastNotAbove(value: number): number {
    let low = this.head;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.values[middle]! <= value) low = middle + 1;
      else high = middle;
    }
    return low - this.head - 1;
  }

  /** Takes over an array as it is. */
  set(values: Float64Array<ArrayBuffer>): void {
    this.values = values;
    this.head = 0;
    this.end = values.length;
  }

  toArray(): Float64Array<ArrayBuffer> {
    return this.values.slice(this.head, this.end);
  }

  private makeRoom(): void {
    const { length } = this;
    const values = new Float64Array(Math.max(MIN_LENGTH, length * 2));
    values.set(this.values.subarray(this.head, this.end));
    this.values = values;
    this.head = 0;
    this.end = length;
  }
}
