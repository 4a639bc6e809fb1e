import {
  mergeFamilies,
  type HistogramFamily,
  type HistogramValue,
  type MetricFamily,
  type MetricSource,
  type NumberFamily,
} from '../metrics/index.js';
import { sourceInTurns } from './in-turns.js';

// The names and numbers of OpenTelemetry's sdk-metrics 2, of which nothing is imported.
const HISTOGRAM = 0;
const GAUGE = 2;
const SUM = 3;
const CUMULATIVE = 1;
const INT = 0;
const DOUBLE = 1;

/** Seconds and nanoseconds since 1970. */
export type HrTime = [number, number];

/** The value of a metric for one set of labels, in OpenTelemetry's form. */
export interface DataPoint<Value> {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: Record<string, string>;
  readonly value: Value;
}

/** What all metrics have in OpenTelemetry's form. */
export interface ProducedHead {
  readonly descriptor: { name: string; description: string; unit: string; valueType: typeof INT | typeof DOUBLE };
  readonly aggregationTemporality: typeof CUMULATIVE;
}

/** A histogram's value in OpenTelemetry's form. */
export interface HistogramPoint {
  readonly buckets: { boundaries: number[]; counts: number[] };
  readonly sum: number;
  readonly count: number;
}

/** A family in OpenTelemetry's form. */
export type ProducedMetric =
  | (ProducedHead & { dataPointType: 3; isMonotonic: boolean; dataPoints: DataPoint<number>[] })
  | (ProducedHead & { dataPointType: 2; dataPoints: DataPoint<number>[] })
  | (ProducedHead & { dataPointType: 0; dataPoints: DataPoint<HistogramPoint>[] });

/**
 * A `MetricProducer` for OpenTelemetry's readers:
 *
 * ```ts
 * new PeriodicExportingMetricReader({ exporter, metricProducers: [new GearmanMetricProducer(jobServer, client)] });
 * ```
 *
 * Names are those of the catalogue; counters are cumulative sums.
 */
export class GearmanMetricProducer {
  private readonly sources: readonly MetricSource[];
  private readonly startTime = hrTime(Date.now());

  constructor(...sources: readonly MetricSource[]) {
    this.sources = sources;
  }

  /** All metrics as they are now. If a source throws, that is an error of the collection, and the other sources are still read. */
  async collect(): Promise<{
    resourceMetrics: { resource: never; scopeMetrics: { scope: { name: string }; metrics: ProducedMetric[] }[] };
    errors: unknown[];
  }> {
    const errors: unknown[] = [];
    const fail = (error: unknown): [] => (errors.push(error), []);
    const lists = await Promise.all(this.sources.map((source) => sourceInTurns(source).catch(fail)));
    const endTime = hrTime(Date.now());
    const metrics = mergeFamilies(lists)
      .filter(({ samples }) => samples.length > 0)
      .map((family) => this.produced(family, endTime));
    // The reader has its own resource and ignores a producer's.
    const resource = undefined as never;
    const scopeMetrics = [{ scope: { name: 'nestjs-gearman' }, metrics }];
    return { resourceMetrics: { resource, scopeMetrics }, errors };
  }

  private produced(family: MetricFamily, endTime: HrTime): ProducedMetric {
    const { startTime } = this;
    const head = { descriptor: descriptor(family), aggregationTemporality: CUMULATIVE } as const;
    if (family.type === 'histogram') {
      const dataPoints = family.samples.map(({ labels, value }) => {
        return { startTime, endTime, attributes: { ...labels }, value: histogramPoint(value) };
      });
      return { ...head, dataPointType: HISTOGRAM, dataPoints };
    }
    const dataPoints = family.samples.map(({ labels, value }) => {
      return { startTime, endTime, attributes: { ...labels }, value };
    });
    if (family.type === 'counter') return { ...head, dataPointType: SUM, isMonotonic: true, dataPoints };
    return { ...head, dataPointType: GAUGE, dataPoints };
  }
}

function descriptor({ name, help, type }: NumberFamily | HistogramFamily): ProducedHead['descriptor'] {
  const unit = /_(seconds|bytes)(_total)?$/.exec(name)?.[1];
  const isWhole = type !== 'histogram' && unit !== 'seconds';
  return {
    name,
    description: help,
    unit: unit === 'seconds' ? 's' : unit === 'bytes' ? 'By' : '',
    valueType: isWhole ? INT : DOUBLE,
  };
}

/** OpenTelemetry counts each bucket by itself; its last bucket has the values above the last bound. */
function histogramPoint({ bounds, cumulative, count, sum }: HistogramValue): HistogramPoint {
  const counts = [...cumulative, count].map((upTo, index) => upTo - (index === 0 ? 0 : cumulative[index - 1]!));
  return { buckets: { boundaries: [...bounds], counts }, sum, count };
}

function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, (milliseconds - seconds * 1_000) * 1_000_000];
}
