/** Up to this many items are remembered until the watcher takes them; of more, only that they were too many. */
const MAX_TOUCHED = 100_000;

/**
 * Which of many things something happened to, for those who watch. While nobody
 * watches, it remembers nothing, and costs one comparison an event.
 */
export class Touched<Item> {
  private watches: Set<Watch<Item>> | undefined;

  /** Something happened to an item, which may be gone by now. */
  add(item: Item): void {
    if (this.watches === undefined) return;
    for (const watch of this.watches) watch.add(item);
  }

  /** Watches from now on, until {@link Watch.stop}. */
  watch(): Watch<Item> {
    const watches = (this.watches ??= new Set());
    const watch: Watch<Item> = new Watch(() => {
      watches.delete(watch);
      if (watches.size === 0) this.watches = undefined;
    });
    watches.add(watch);
    return watch;
  }
}

/** What a watcher has not taken yet. */
export class Watch<Item> {
  private touched: Set<Item> | undefined = new Set();

  /** @param stop ends the watching. */
  constructor(readonly stop: () => void) {}

  /** How many it remembers. */
  get size(): number {
    return this.touched?.size ?? 0;
  }

  /** Something happened to an item. */
  add(item: Item): void {
    this.touched?.add(item);
    if (this.size > MAX_TOUCHED) this.touched = undefined;
  }

  /**
   * The items to which something happened since the last call, also those that are gone since;
   * undefined: too many to tell.
   */
  take(): Set<Item> | undefined {
    const { touched } = this;
    this.touched = new Set();
    return touched;
  }
}
