import { prometheusText } from '../../../lib/telemetry/forms/index.js';
import { expect, it } from '@jest/globals';
import {
  mergeFamilies,
  METRICS,
  MetricSet,
  type MetricFamily,
  type MetricName,
} from '../../../lib/telemetry/metrics/index.js';

/** What a source tells that has these numbers of a function. */
function source(numbers: Partial<Record<MetricName, number>>): MetricFamily[] {
  const set = new MetricSet('function', 'job server');
  for (const [name, value] of Object.entries(numbers)) set.add(name as MetricName, value, { function: 'f' });
  return set.families();
}

it('several sources are one: counts are added, of ages the greatest stays, and what is broken in one is broken', () => {
  const one = source({ jobs_waiting: 2, oldest_waiting_seconds: 7, function_paused: 0, storage_up: 1 });
  const other = source({ jobs_waiting: 3, oldest_waiting_seconds: 5, function_paused: 1, storage_up: 0 });
  const lines = prometheusText(mergeFamilies([one, other])).split('\n');
  expect(lines.filter((line) => line.startsWith('gearman_'))).toEqual([
    'gearman_jobs_waiting{function="f"} 5',
    'gearman_function_paused{function="f"} 1',
    'gearman_oldest_waiting_seconds{function="f"} 7',
    'gearman_storage_up{function="f"} 0',
  ]);
});

it('counters and histograms are always added', () => {
  const others = Object.entries(METRICS).filter(([, { type, together }]) => together !== 'sum' && type !== 'gauge');
  expect(others.map(([name]) => name)).toEqual(['event_loop_delay_seconds']);
});
