export { inTurns, readInTurns, sourceInTurns, type Turn } from './in-turns.js';
export {
  GearmanMetricProducer,
  type DataPoint,
  type HistogramPoint,
  type HrTime,
  type ProducedHead,
  type ProducedMetric,
} from './metric-producer.js';
export { PROMETHEUS_CONTENT_TYPE, prometheusChunks, prometheusText, prometheusTextInTurns } from './prometheus-text.js';
export { SharedTexts } from './shared-texts.js';
export { registerMetrics, type MetricRegister } from './register-metrics.js';
