import { functionLabel, OTHER_FUNCTIONS } from './function-label.js';
import type { MetricLabels } from './metric-family.js';

/**
 * Which functions have a label of their own: the first so many that had
 * something to count, for ever. All others share `_other`. Peers can invent any
 * number of names, and each name costs memory wherever metrics are stored.
 */
export class FunctionNames {
  private readonly labels = new Map<string, MetricLabels>();
  /** The labels of all functions without a label of their own. */
  static readonly other: MetricLabels = { function: OTHER_FUNCTIONS };

  /** @param limit how many functions get a label of their own. */
  constructor(private readonly limit: number) {}

  /** How many more functions can get a label. */
  get room(): number {
    return this.limit - this.labels.size;
  }

  /** The labels of a function, which has them for ever from now on; `_other` if there is no room. */
  keep(name: string): MetricLabels {
    let labels = this.labels.get(name);
    if (!labels && this.room > 0) this.labels.set(name, (labels = { function: functionLabel(name) }));
    return labels ?? FunctionNames.other;
  }

  /** The labels that a function has; undefined if it has none. */
  known(name: string): MetricLabels | undefined {
    return this.labels.get(name);
  }

  /** The labels that a function has or would get; it is not remembered. */
  borrow(name: string): MetricLabels {
    return this.labels.get(name) ?? { function: functionLabel(name) };
  }
}
