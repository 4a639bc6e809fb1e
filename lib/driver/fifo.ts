/** A queue in which adding, at both ends, and taking are cheap at any length; `shift` of a long array is not. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** The oldest item, which stays in the queue. */
  peek(): T | undefined {
    return this.items[this.head];
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** Takes the oldest item. */
  shift(): T | undefined {
    if (this.head === this.items.length) return undefined;
    const item = this.items[this.head];
    this.items[this.head++] = undefined;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head >= 1024 && this.head * 2 >= this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** Takes the oldest item for which `isWanted` is true. */
  take(isWanted: (item: T) => boolean): T | undefined {
    const oldest = this.peek();
    if (oldest !== undefined && isWanted(oldest)) return this.shift();
    const index = this.items.findIndex((item, at) => at >= this.head && isWanted(item as T));
    return index < 0 ? undefined : this.items.splice(index, 1)[0];
  }

  /** Takes all items, oldest first. */
  takeAll(): T[] {
    const items = this.items.slice(this.head) as T[];
    this.items = [];
    this.head = 0;
    return items;
  }

  /** Puts items in front of all others. */
  prepend(items: readonly T[]): void {
    // More room than is needed, or of many that come back one by one each would move all others.
    if (items.length > this.head) this.makeRoom(Math.max(items.length, this.length >>> 2));
    this.head -= items.length;
    for (const [index, item] of items.entries()) this.items[this.head + index] = item;
  }

  private makeRoom(slots: number): void {
    this.items = [...new Array<undefined>(slots).fill(undefined), ...this.takeAll()];
    this.head = slots;
  }
}
