/** What kind of numbers a family holds. A `summary` holds quantiles alone. */
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** Labels of a sample, by name. */
export type MetricLabels = Readonly<Record<string, string>>;

/** How often values up to certain bounds were seen. */
export interface HistogramValue {
  /** The upper bounds, ascending, without the infinite one. */
  readonly bounds: readonly number[];
  /** How many values were at most that bound: one number for each bound, never falling. */
  readonly cumulative: readonly number[];
  /** How many values there were. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
}

/** A number of a counter, gauge or summary. */
export interface NumberSample {
  readonly labels: MetricLabels;
  readonly value: number;
}

/** A histogram with its labels. */
export interface HistogramSample {
  readonly labels: MetricLabels;
  readonly value: HistogramValue;
}

/** How numbers of the same labels become one: those of several sources, or of several processes. */
export type Together = 'sum' | 'max' | 'min';

interface FamilyHead {
  /** The whole name, as `gearman_jobs_waiting`. */
  readonly name: string;
  readonly help: string;
  /** What several of the same labels are together; of a histogram always the sum. Default `sum`. */
  readonly together?: Together;
}

/** A family of numbers: a counter since its process began, a gauge of this moment, or quantiles. */
export interface NumberFamily extends FamilyHead {
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly samples: readonly NumberSample[];
}

/** A family of histograms. */
export interface HistogramFamily extends FamilyHead {
  readonly type: 'histogram';
  readonly samples: readonly HistogramSample[];
}

/** A metric with everything that is measured of it now: the one form in which job server, worker and client tell. */
export type MetricFamily = NumberFamily | HistogramFamily;

/** What can be asked for metrics: a job server, a worker, a client. */
export interface MetricSource {
  /** Every family it has, as it is now. Reading changes nothing: any number of readers see the same. */
  metrics(): readonly MetricFamily[];
  /**
   * The same, with turns of the event loop for everything else in between:
   * a job server has 100,000 functions to look at. Missing where
   * `metrics` never takes long.
   */
  metricsInTurns?(): Promise<readonly MetricFamily[]>;
}

/** Marks what an app's providers are searched for: others may have a method of that name too. */
export const METRIC_SOURCE = Symbol('nestjs-gearman: tells metrics');

/** A source that is found among an app's providers. */
export interface AppMetricSource extends MetricSource {
  readonly [METRIC_SOURCE]: true;
}

/** True of a source of ours. */
export function isAppMetricSource(value: unknown): value is AppMetricSource {
  return typeof value === 'object' && value !== null && METRIC_SOURCE in value;
}
