import type { MetricType, Together } from './metric-family.js';

/** Who measures a metric. `exporter` is the command of that name, which asks any `gearmand`. */
export type MetricOrigin = 'function' | 'job server' | 'HTTP API' | 'worker' | 'client' | 'exporter';

/** A metric as the catalogue describes it. */
export interface MetricDefinition {
  readonly type: MetricType;
  /** The names of its labels. */
  readonly labels: readonly string[];
  readonly help: string;
  readonly from: MetricOrigin;
  /** How the numbers of several job servers, workers or clients, or of a cluster's processes, become one. */
  readonly together: Together;
}

/** The prefix of every name. */
export const METRIC_PREFIX = 'gearman_';

const FUNCTION = ['function'];

/** Counters for each function of a job server; each has a twin without the label `function`, see {@link METRICS}. */
const FUNCTION_COUNTERS = {
  jobs_submitted_total: counter(
    ['mode'],
    'Jobs accepted, without those that joined another one; mode: foreground, background, schedule, http.',
  ),
  jobs_coalesced_total: counter([], 'Submissions that joined a job of the same unique.'),
  jobs_restored_total: counter([], 'Jobs found in the storage at the start.'),
  jobs_replayed_total: counter([], 'Dead letters that were let wait again.'),
  jobs_started_total: counter([], 'Assignments: how often a job was given to a worker.'),
  jobs_requeued_total: counter([], 'How often a job lost its worker, or ran out of its time, and waits again.'),
  jobs_retried_total: counter([], 'How often a policy let a failed job run again.'),
  attempts_failed_total: counter(
    ['reason'],
    'Attempts that came to nothing; reason: fail, exception, timeout, worker_lost.',
  ),
  jobs_completed_total: counter([], 'Jobs that ended with a result.'),
  jobs_failed_total: counter([], 'Jobs that failed for good and were not kept.'),
  jobs_buried_total: counter([], 'Jobs that failed for good and became dead letters.'),
  jobs_cancelled_total: counter([], 'Jobs that were cancelled or purged.'),
  jobs_abandoned_total: counter([], 'Foreground jobs dropped because all their clients had left.'),
} as const;

const FUNCTION_GAUGES = {
  jobs: gauge(FUNCTION, 'Jobs that wait, are delayed, or run.'),
  jobs_running: gauge(FUNCTION, 'Jobs that run.'),
  jobs_waiting: gauge(FUNCTION, 'Jobs that a worker could take now; delayed ones do not count.'),
  workers: gauge(FUNCTION, 'Connections that registered the function.'),
  jobs_waiting_by_priority: gauge(['function', 'priority'], 'Jobs that a worker could take now, by priority.'),
  jobs_delayed: gauge(FUNCTION, 'Jobs that wait for their time: submitted with one, or to be tried again.'),
  jobs_dead: gauge(FUNCTION, 'Dead letters: jobs that failed for good and were kept.'),
  function_paused: gauge(FUNCTION, '1 while no job of the function is given to anybody.', 'function', 'max'),
  oldest_waiting_seconds: gauge(
    FUNCTION,
    'Age of the oldest job a worker could take now, since it became ready; 0 where none waits.',
    'function',
    'max',
  ),
  longest_running_seconds: gauge(
    FUNCTION,
    'How long the job runs that was started first; 0 where none runs.',
    'function',
    'max',
  ),
} as const;

const FUNCTION_HISTOGRAMS = {
  job_wait_seconds: histogram(FUNCTION, 'From the moment a job could be taken to its assignment, each attempt.'),
  job_run_seconds: histogram(FUNCTION, 'From the assignment to the end of the attempt.'),
} as const;

const JOB_SERVER = {
  version_info: gauge(['version'], 'Always 1; the label tells the version of the job server.', 'job server', 'max'),
  connections: gauge([], 'Open connections.', 'job server'),
  workers_connected: gauge([], 'Connections that registered a function.', 'job server'),
  clients_waiting: gauge([], 'Foreground submissions that wait for their result.', 'job server'),
  connections_opened_total: counter([], 'Connections accepted.', 'job server'),
  connections_closed_total: counter(
    ['reason'],
    'Connections over; reason: peer, idle, stalled, unread, error, quiet, ending.',
    'job server',
  ),
  connections_refused_total: counter(
    ['reason'],
    'Connections not accepted; reason: limit, tls (the handshake failed), certificate.',
    'job server',
  ),
  received_bytes_total: counter([], 'Bytes that peers sent.', 'job server'),
  sent_bytes_total: counter([], 'Bytes that were sent to peers.', 'job server'),
  packets_received_total: counter(['type'], 'Packets that peers sent, by their type.', 'job server'),
  errors_sent_total: counter(['code'], 'ERROR packets sent, by their code.', 'job server'),
  access_denied_total: counter(['action'], 'What the authorize hook said no to.', 'job server'),
  event_loop_active_seconds_total: counter([], 'How long the event loop has been at work.', 'job server'),
  event_loop_delay_seconds: {
    type: 'summary',
    labels: ['quantile'],
    help: 'How late the event loop was, over the last 10 seconds.',
    from: 'job server',
    together: 'max',
  },
  schedule_ticks_total: counter(
    ['schedule', 'outcome'],
    'Ticks of schedules; outcome: fired, skipped (the last job had not ended), missed, failed (to be tried again).',
    'job server',
  ),
  schedule_lag_seconds: histogram([], 'How late ticks fired that were not missed.', 'job server'),
  schedule_next_timestamp_seconds: gauge(
    ['schedule'],
    'When the next tick is, in seconds since 1970; told of none that is paused or over.',
    'job server',
    'min',
  ),
  storage_up: gauge([], '1 while the storage writes, 0 while it cannot.', 'job server', 'min'),
  storage_backlog: gauge([], 'Changes that wait to be written.', 'job server'),
  storage_bytes: gauge([], 'What the storage takes on the disk; told of files.', 'job server'),
  storage_free_bytes: gauge([], 'What is free on the disk of the storage; told of files.', 'job server', 'min'),
  storage_write_seconds: histogram([], 'How long a write took: many changes at once, with their fsync.', 'job server'),
  storage_batch_changes: histogram([], 'How many changes a write wrote.', 'job server'),
  storage_set_aside_total: counter([], 'Records that could not be read and were set aside.', 'job server'),
} as const;

const HTTP_API = {
  sse_clients: gauge([], 'Open streams of server-sent events.', 'HTTP API'),
  http_requests_total: counter(
    ['method', 'route', 'status'],
    'Requests that were answered; an event stream counts once it has begun. Status `none`: the asker left before.',
    'HTTP API',
  ),
  http_request_seconds: histogram(
    ['method', 'route'],
    'From a request to the end of its answer; of an event stream to its beginning.',
    'HTTP API',
  ),
} as const;

const WORKER = {
  worker_jobs_total: counter(
    ['function', 'outcome'],
    'Jobs this process ran; outcome: complete, fail, exception, lost.',
    'worker',
  ),
  worker_job_seconds: histogram(FUNCTION, 'How long this process worked on a job.', 'worker'),
  worker_jobs_running: gauge(FUNCTION, 'Jobs this process runs now.', 'worker'),
  worker_connected: gauge(
    ['server'],
    '1 while the worker is connected to the job server, else 0; of several, how many are.',
    'worker',
  ),
  worker_reconnects_total: counter(['server'], 'How often the worker lost the job server.', 'worker'),
} as const;

const CLIENT = {
  client_jobs_total: counter(
    ['function', 'mode', 'outcome'],
    'Submissions of this process that are over; outcome: complete, failed, timeout, lost. In the background: complete is JOB_CREATED.',
    'client',
  ),
  client_created_seconds: histogram(FUNCTION, 'From the submission to its JOB_CREATED.', 'client'),
  client_job_seconds: histogram(FUNCTION, 'From a foreground submission to its end.', 'client'),
  client_connected: gauge(
    ['server'],
    '1 while the client is connected to the job server, else 0; of several, how many are.',
    'client',
  ),
  client_resubmitted_total: counter([], 'Submissions sent again because their job server was lost.', 'client'),
} as const;

const EXPORTER = {
  up: gauge([], '1 when the job server answered, else 0.', 'exporter', 'min'),
} as const;

/**
 * Every metric of this package, by its name without {@link METRIC_PREFIX}.
 * The code, docs/metrics.md and the tests of the dashboard read this table.
 *
 * A counter `x` of functions has a twin `all_x` without the label `function`:
 * functions come and go and only some have names, so a sum over them may fall.
 */
export const METRICS = {
  ...FUNCTION_GAUGES,
  ...mapped(FUNCTION_COUNTERS, (definition) => ({ ...definition, labels: ['function', ...definition.labels] })),
  ...FUNCTION_HISTOGRAMS,
  ...allFunctions(),
  ...JOB_SERVER,
  ...HTTP_API,
  ...WORKER,
  ...CLIENT,
  ...EXPORTER,
} as const;

/** The name of a counter of functions. */
export type FunctionCounterName = keyof typeof FUNCTION_COUNTERS;

/** A name of the catalogue, without {@link METRIC_PREFIX}. */
export type MetricName = keyof typeof METRICS;

/** The catalogue's description of a metric. */
export function metricDefinition(name: MetricName): MetricDefinition {
  return METRICS[name];
}

function counter(labels: readonly string[], help: string, from: MetricOrigin = 'function'): MetricDefinition {
  return { type: 'counter', labels, help, from, together: 'sum' };
}

function gauge(
  labels: readonly string[],
  help: string,
  from: MetricOrigin = 'function',
  together: Together = 'sum',
): MetricDefinition {
  return { type: 'gauge', labels, help, from, together };
}

function histogram(labels: readonly string[], help: string, from: MetricOrigin = 'function'): MetricDefinition {
  return { type: 'histogram', labels, help, from, together: 'sum' };
}

function mapped<Name extends string>(
  definitions: Readonly<Record<Name, MetricDefinition>>,
  change: (definition: MetricDefinition) => MetricDefinition,
): Record<Name, MetricDefinition> {
  const entries = Object.entries(definitions) as [Name, MetricDefinition][];
  return Object.fromEntries(entries.map(([name, definition]) => [name, change(definition)])) as Record<
    Name,
    MetricDefinition
  >;
}

function allFunctions(): Record<`all_${FunctionCounterName}`, MetricDefinition> {
  const entries = Object.entries(FUNCTION_COUNTERS).map(([name, definition]) => [
    `all_${name}`,
    { ...definition, help: `Over all functions: ${definition.help}`, from: 'job server' },
  ]);
  return Object.fromEntries(entries) as Record<`all_${FunctionCounterName}`, MetricDefinition>;
}
