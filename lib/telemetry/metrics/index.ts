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
export { mergeFamilies, MetricSet } from './metric-set.js';
