import type { MetricFamily, MetricSource } from '../../../lib/telemetry/metrics/index.js';

/** A counter, a gauge and a histogram whose text is known by hand. */
export const FAMILIES: readonly MetricFamily[] = [
  {
    name: 'gearman_jobs_completed_total',
    type: 'counter',
    help: 'Jobs that ended with a result.',
    samples: [
      { labels: { function: 'reverse' }, value: 3 },
      { labels: { function: 'a"b\\c\nd' }, value: 1 },
    ],
  },
  { name: 'gearman_connections', type: 'gauge', help: 'Open\nconnections \\.', samples: [{ labels: {}, value: 2.5 }] },
  {
    name: 'gearman_job_run_seconds',
    type: 'histogram',
    help: 'Run.',
    samples: [
      {
        labels: { function: 'reverse' },
        value: { bounds: [0.001, 0.002], cumulative: [1, 3], count: 4, sum: 0.75 },
      },
    ],
  },
  { name: 'gearman_jobs_dead', type: 'gauge', help: 'Nothing to tell.', samples: [] },
];

/** A source that tells these, and how often it was asked. */
export function sourceOf(families: readonly MetricFamily[] = FAMILIES): MetricSource & { asked: number } {
  return {
    asked: 0,
    metrics() {
      this.asked++;
      return families;
    },
  };
}
