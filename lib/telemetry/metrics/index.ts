export {
  METRIC_PREFIX,
  METRICS,
  metricDefinition,
  type FunctionCounterName,
  type MetricDefinition,
  type MetricName,
  type MetricOrigin,
} from './catalogue.js';
export { functionLabel, MAX_LABEL_LENGTH, OTHER_FUNCTIONS } from './function-label.js';
export { FunctionNames } from './function-names.js';
export { inTurns, readInTurns, sourceInTurns, type Turn } from './in-turns.js';
export { Log2Histogram, TIME_POWERS } from './log2-histogram.js';
export {
  isAppMetricSource,
  METRIC_SOURCE,
  type AppMetricSource,
  type HistogramFamily,
  type HistogramSample,
  type HistogramValue,
  type MetricFamily,
  type MetricLabels,
  type MetricSource,
  type MetricType,
  type NumberFamily,
  type NumberSample,
  type Together,
} from './metric-family.js';
export {
  GearmanMetricProducer,
  type DataPoint,
  type HistogramPoint,
  type HrTime,
  type ProducedHead,
  type ProducedMetric,
} from './metric-producer.js';
export { mergeFamilies, MetricSet } from './metric-set.js';
export { PROMETHEUS_CONTENT_TYPE, prometheusChunks, prometheusText, prometheusTextInTurns } from './prometheus-text.js';
export { registerMetrics, type MetricRegister } from './register-metrics.js';
