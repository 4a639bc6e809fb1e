import { Touched } from '../engine/index.js';

/** How many dead letters there are, by function, and which functions have others than before. */
export class DeadCounts {
  private readonly counts = new Map<string, number>();
  /**
   * The names of functions whose number changed.
   * @internal
   */
  readonly touched = new Touched<string>();
  /** How many there are of all functions. */
  total = 0;

  /** Those of each function that has any. */
  get byFunction(): ReadonlyMap<string, number> {
    return this.counts;
  }

  /** How many a function has. */
  of(functionName: string): number {
    return this.counts.get(functionName) ?? 0;
  }

  /** A function has so many more, or fewer. */
  add(functionName: string, by: number): void {
    this.set(functionName, this.of(functionName) + by);
  }

  /** Sets all counts to what somebody has counted. */
  become(counts: ReadonlyMap<string, number>): void {
    for (const name of [...this.counts.keys()]) if (!counts.has(name)) this.set(name, 0);
    for (const [name, count] of counts) if (this.of(name) !== count) this.set(name, count);
  }

  private set(functionName: string, count: number): void {
    this.total += count - this.of(functionName);
    if (count > 0) this.counts.set(functionName, count);
    else this.counts.delete(functionName);
    this.touched.add(functionName);
  }
}
