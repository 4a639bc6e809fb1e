import { FunctionNames, Log2Histogram, MetricSet, type MetricFamily } from '../telemetry/metrics/index.js';
import type { ByteString } from '../protocol/index.js';

/** The counts of the jobs of one function in this process, since it was registered. */
export class ServedStats {
  complete = 0;
  fail = 0;
  exception = 0;
  /** The connection was lost before the job ended, or the worker gave the job up. */
  lost = 0;
  running = 0;
  /** How long handlers took, in milliseconds. */
  readonly took = new Log2Histogram();
}

/** How a job ended in this process. */
export type ServedOutcome = 'complete' | 'fail' | 'exception' | 'lost';

const OUTCOMES: readonly ServedOutcome[] = ['complete', 'fail', 'exception', 'lost'];

/** The job servers of a client or a worker, and which of them are connected. */
export interface ServerStates {
  readonly servers: readonly string[];
  readonly connectedServers: readonly string[];
}

/** A worker's metrics: of its functions, and of its job servers. */
export function workerMetrics(
  functions: Iterable<{ readonly bytes: ByteString; readonly stats: ServedStats }>,
  states: ServerStates,
  losses: ReadonlyMap<string, number>,
): MetricFamily[] {
  const set = new MetricSet('worker');
  const names = new FunctionNames(Infinity);
  for (const { bytes, stats } of functions) {
    const labels = names.borrow(bytes);
    for (const outcome of OUTCOMES) set.add('worker_jobs_total', stats[outcome], { ...labels, outcome });
    set.add('worker_jobs_running', stats.running, labels);
    set.addHistogram('worker_job_seconds', stats.took.value(), labels);
  }
  tellServers(states, (server, isConnected) => {
    set.add('worker_connected', isConnected, { server });
    set.add('worker_reconnects_total', losses.get(server) ?? 0, { server });
  });
  return set.families();
}

/** Calls `tell` once for each job server, with whether it is connected. */
export function tellServers(
  { servers, connectedServers }: ServerStates,
  tell: (server: string, isConnected: 0 | 1) => void,
): void {
  const connected = new Set(connectedServers);
  for (const server of new Set(servers)) tell(server, connected.has(server) ? 1 : 0);
}
