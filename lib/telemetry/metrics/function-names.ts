import { functionLabel, OTHER_FUNCTIONS } from './function-label.js';
import type { MetricLabels } from './metric-family.js';

/**
 * Which functions are told by name: the first so many that had something to
 * tell, for life. All others are one, `_other`. Names come from peers, who can
 * make up any number of them, and each costs whoever keeps the metrics.
 */
export class FunctionNames {
  private readonly labels = new Map<string, MetricLabels>();
  /** The labels of all functions that have none of their own. */
  static readonly other: MetricLabels = { function: OTHER_FUNCTIONS };

  /** @param limit how many functions get a name. */
  constructor(private readonly limit: number) {}

  /** How many more names there are to give. */
  get room(): number {
    return this.limit - this.labels.size;
  }

  /** The labels of a function, which keeps them for life; `_other` once the names are used up. */
  keep(name: string): MetricLabels {
    let labels = this.labels.get(name);
    if (!labels && this.room > 0) this.labels.set(name, (labels = { function: functionLabel(name) }));
    return labels ?? FunctionNames.other;
  }

  /** The labels a function has kept. */
  known(name: string): MetricLabels | undefined {
    return this.labels.get(name);
  }

  /** The labels a function has kept, or would have: it keeps nothing. */
  borrow(name: string): MetricLabels {
    return this.labels.get(name) ?? { function: functionLabel(name) };
  }
}
