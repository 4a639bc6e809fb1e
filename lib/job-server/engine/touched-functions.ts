import type { GearmanFunction } from './model.js';

/** Of so many it is remembered which they were, until who watches takes them; of more only that they were many. */
const MAX_TOUCHED = 100_000;

/**
 * Which functions something happened to, for those who watch. While nobody does
 * this remembers nothing, and costs one comparison at each thing that happens.
 */
export class TouchedFunctions {
  private watches: Set<FunctionWatch> | undefined;

  /** Something happened to a function, which may not be known any more. */
  add(function_: GearmanFunction): void {
    if (this.watches === undefined) return;
    for (const watch of this.watches) watch.add(function_);
  }

  /** Watches from now on, until {@link FunctionWatch.stop}. */
  watch(): FunctionWatch {
    const watches = (this.watches ??= new Set());
    const watch = new FunctionWatch(() => {
      watches.delete(watch);
      if (watches.size === 0) this.watches = undefined;
    });
    watches.add(watch);
    return watch;
  }
}

/** What one who watches has not taken yet. */
export class FunctionWatch {
  private touched: Set<GearmanFunction> | undefined = new Set();

  /** @param stop ends the watching. */
  constructor(readonly stop: () => void) {}

  /** How many functions it remembers. */
  get size(): number {
    return this.touched?.size ?? 0;
  }

  /** Something happened to a function. */
  add(function_: GearmanFunction): void {
    this.touched?.add(function_);
    if (this.size > MAX_TOUCHED) this.touched = undefined;
  }

  /** The functions something happened to since this was asked before, also those dropped since; undefined: too many to say. */
  take(): Set<GearmanFunction> | undefined {
    const { touched } = this;
    this.touched = new Set();
    return touched;
  }
}
