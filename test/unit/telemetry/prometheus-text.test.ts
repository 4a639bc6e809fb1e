import { expect, it } from '@jest/globals';
import { prometheusText } from '../../../lib/telemetry/forms/index.js';
import { FAMILIES } from './families.js';

it('writes families in the text format 0.0.4, escapes what must be, and leaves out what nobody measured', () => {
  expect(prometheusText(FAMILIES)).toBe(
    [
      '# HELP gearman_jobs_completed_total Jobs that ended with a result.',
      '# TYPE gearman_jobs_completed_total counter',
      'gearman_jobs_completed_total{function="reverse"} 3',
      'gearman_jobs_completed_total{function="a\\"b\\\\c\\nd"} 1',
      '# HELP gearman_connections Open\\nconnections \\\\.',
      '# TYPE gearman_connections gauge',
      'gearman_connections 2.5',
      '# HELP gearman_job_run_seconds Run.',
      '# TYPE gearman_job_run_seconds histogram',
      'gearman_job_run_seconds_bucket{function="reverse",le="0.001"} 1',
      'gearman_job_run_seconds_bucket{function="reverse",le="0.002"} 3',
      'gearman_job_run_seconds_bucket{function="reverse",le="+Inf"} 4',
      'gearman_job_run_seconds_sum{function="reverse"} 0.75',
      'gearman_job_run_seconds_count{function="reverse"} 4',
      '',
    ].join('\n'),
  );
});

it('writes numbers that are none as Prometheus does', () => {
  const samples = [NaN, Infinity, -Infinity].map((value) => ({ labels: {}, value }));
  const text = prometheusText([{ name: 'gearman_connections', type: 'gauge', help: 'x', samples }]);
  expect(text.split('\n').slice(2, 5)).toEqual([
    'gearman_connections NaN',
    'gearman_connections +Inf',
    'gearman_connections -Inf',
  ]);
});
