import type { DurableJobs } from '../durable/index.js';
import type { StorageHealth } from '../storage/index.js';
import type { MetricSet } from '../../telemetry/metrics/index.js';

/** The bounds of the number of changes in one write, as powers of two: 1 to 4,096, the most there are. */
const CHANGE_POWERS = Array.from({ length: 13 }, (_, power) => power);

/** Adds the metrics of a job server's storage. */
export function tellStorage(
  set: MetricSet,
  { problem, setAside }: DurableJobs,
  { backlog, bytes, freeBytes, writes }: StorageHealth,
): void {
  set.add('storage_up', problem === undefined ? 1 : 0);
  set.add('storage_backlog', backlog);
  if (bytes !== undefined) set.add('storage_bytes', bytes);
  if (freeBytes !== undefined) set.add('storage_free_bytes', freeBytes);
  set.addHistogram('storage_write_seconds', writes.took.value());
  set.addHistogram('storage_batch_changes', writes.changes.value(CHANGE_POWERS, 1));
  set.add('storage_set_aside_total', setAside);
}
