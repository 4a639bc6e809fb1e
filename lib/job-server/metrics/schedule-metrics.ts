import { OTHER_FUNCTIONS, functionLabel, type MetricSet } from '../../telemetry/metrics/index.js';
import type { RecurringJob, Schedules, TickOutcome } from '../schedules/index.js';

const OUTCOMES: readonly TickOutcome[] = ['fired', 'skipped', 'missed', 'failed'];

/** Adds the metrics of schedules: so many by their ids, all others as one. */
export function tellSchedules(set: MetricSet, { all, lag }: Pick<Schedules, 'all' | 'lag'>, maxNames: number): void {
  const others: RecurringJob['counts'] = { fired: 0, skipped: 0, missed: 0, failed: 0 };
  let count = 0;
  for (const { id, counts, next } of all) {
    if (++count > maxNames) {
      for (const outcome of OUTCOMES) others[outcome] += counts[outcome];
      continue;
    }
    const schedule = functionLabel(id);
    for (const outcome of OUTCOMES) set.add('schedule_ticks_total', counts[outcome], { schedule, outcome });
    if (next !== Infinity) set.add('schedule_next_timestamp_seconds', next / 1_000, { schedule });
  }
  if (count > maxNames) {
    for (const outcome of OUTCOMES) {
      set.add('schedule_ticks_total', others[outcome], { schedule: OTHER_FUNCTIONS, outcome });
    }
  }
  if (count > 0) set.addHistogram('schedule_lag_seconds', lag.value());
}
