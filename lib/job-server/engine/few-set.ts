/** Up to this many items are compared one by one. */
const FEW = 16;

/**
 * A set in the order of adding that mostly has few items: they stand in an
 * array. A `Set` makes itself anew whenever it becomes empty, which a worker's
 * running jobs do with every job. Every operation costs the same however many
 * there are.
 */
export class FewSet<Item> {
  private readonly few: Item[] = [];
  /** All of them, from when they became many until none is left. */
  private many: Set<Item> | undefined;

  get size(): number {
    return this.many ? this.many.size : this.few.length;
  }

  has(item: Item): boolean {
    return this.many ? this.many.has(item) : this.few.includes(item);
  }

  /** @returns whether it was not there before. */
  add(item: Item): boolean {
    const { few } = this;
    if (this.has(item)) return false;
    if (this.many) {
      this.many.add(item);
    } else if (few.push(item) > FEW) {
      this.many = new Set(few);
      few.length = 0;
    }
    return true;
  }

  /** @returns whether it was there. */
  delete(item: Item): boolean {
    const { few, many } = this;
    if (many) {
      const wasThere = many.delete(item);
      if (many.size === 0) this.many = undefined;
      return wasThere;
    }
    const index = few.indexOf(item);
    if (index < 0) return false;
    // Not `splice`, which answers with an array of what it took out.
    few.copyWithin(index, index + 1);
    few.pop();
    return true;
  }

  /** Oldest first; what is deleted meanwhile is left out, and what is added may be. */
  *[Symbol.iterator](): Iterator<Item> {
    if (this.many) yield* this.many;
    else for (const item of [...this.few]) if (this.has(item)) yield item;
  }
}
