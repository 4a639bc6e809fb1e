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

/** How numbers with the same labels become one: the numbers of several sources, or of several processes. */
export type Together = 'sum' | 'max' | 'min';

interface FamilyHead {
  /** The whole name, as `gearman_jobs_waiting`. */
  readonly name: string;
  readonly help: string;
  /** How several numbers with the same labels become one; histograms are always added. Default `sum`. */
  readonly together?: Together;
}

/** A family of numbers: counters since the process began, gauges of this moment, or quantiles. */
export interface NumberFamily extends FamilyHead {
  readonly type: 'counter' | 'gauge' | 'summary';
  readonly samples: readonly NumberSample[];
}

/** A family of histograms. */
export interface HistogramFamily extends FamilyHead {
  readonly type: 'histogram';
  readonly samples: readonly HistogramSample[];
}

/** A metric with all its current values: the form in which job server, worker and client give their metrics. */
export type MetricFamily = NumberFamily | HistogramFamily;

/** Something that has metrics: a job server, a worker, a client. */
export interface MetricSource {
  /** All its families, as they are now. Reading changes nothing: all readers see the same. */
  metrics(): readonly MetricFamily[];
  /**
   * The same; the event loop may do everything else in between, because a job
   * server may have 100,000 functions to look at. Missing if `metrics` never
   * takes long.
   */
  metricsInTurns?(): Promise<readonly MetricFamily[]>;
}

/** Marks our sources among an app's providers: other providers may have a method `metrics` too. */
export const METRIC_SOURCE = Symbol('nestjs-gearman: tells metrics');

/** A source that is found by itself among an app's providers. */
export interface AppMetricSource extends MetricSource {
  readonly [METRIC_SOURCE]: true;
}

/** Whether a provider is a source of this package. */
export function isAppMetricSource(value: unknown): value is AppMetricSource {
  return typeof value === 'object' && value !== null && METRIC_SOURCE in value;
}
