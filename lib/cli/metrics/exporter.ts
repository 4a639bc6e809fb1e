import { AdminClient, type FunctionOverview } from '../../driver/index.js';
import { PRIORITY_NAMES, toByteString } from '../../protocol/index.js';
import { FunctionNames, MetricSet, type MetricFamily, type MetricLabels } from '../../telemetry/metrics/index.js';
import type { Command } from '../command.js';
import { EXIT, Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { port, text, whole } from '../options/values.js';
import { adminSettings, connectionSettings, SERVER_OPTIONS } from '../people/connection-options.js';
import { MetricsListener } from './metrics-listener.js';

const OPTIONS = {
  ...SERVER_OPTIONS,
  port: valued('The port to answer on. Default: 9418.', port, { short: 'p', argument: 'PORT' }),
  listen: valued('Its address. Default: 127.0.0.1.', text, { argument: 'ADDRESS' }),
  functions: valued('How many functions have metrics of their own; all others are summed. Default: 200.', whole(0), {
    argument: 'N',
  }),
  help: toggle('Show this page.'),
} as const;

const SUMMARY = `Asks a job server for its functions whenever Prometheus asks for /metrics: for C gearmand and others
that tell no metrics of their own. (Ours tells more: job-server --metrics-port.)`;

const DEFAULT_PORT = 9_418;

/** `nestjs-gearman exporter`. */
export const exporter: Command = {
  options: OPTIONS,
  help: () => helpText(`nestjs-gearman exporter [OPTIONS]\n\n${SUMMARY}`, [{ title: 'Options', options: OPTIONS }]),
  async run(line, { stderr, signal }) {
    const { values, words } = parseOptions(OPTIONS, line);
    if (words.length > 0) throw new UsageFailure(`exporter takes no words, only options: ${words.join(' ')}`);
    const settings = connectionSettings({ ...values, host: undefined, port: undefined });
    const [address, ...more] = settings.servers;
    if (more.length > 0) throw new UsageFailure('an exporter asks one --server: run one for each job server');
    const admin = new AdminClient(adminSettings(address!, settings));
    const names = new FunctionNames(values.functions ?? 200);
    const listener = new MetricsListener({ metrics: () => exported(admin, names), problem: () => undefined });
    try {
      await listen(listener, values.port ?? DEFAULT_PORT, values.listen ?? '127.0.0.1');
      stderr.write(`tells metrics of ${address} on ${listener.url}/metrics\n`);
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      listener.close();
      await admin.close();
    }
  },
};

async function listen(listener: MetricsListener, port: number, host: string): Promise<void> {
  try {
    await listener.listen(port, host);
  } catch (error) {
    throw new Failure(`--port ${port}: ${(error as Error).message}`, EXIT.failed, { cause: error });
  }
}

/** The metrics of a job server now; only `up` if it does not answer. */
async function exported(admin: AdminClient, names: FunctionNames): Promise<MetricFamily[]> {
  const set = new MetricSet('exporter', 'job server', 'function');
  try {
    const [version, functions] = [await admin.version(), await admin.functions()];
    set.add('up', 1);
    set.add('version_info', 1, { version });
    for (const [labels, sum] of summed(functions, names)) tell(set, sum, labels);
  } catch {
    // `up` says it. The job server may be back at the next question.
    set.add('up', 0);
  }
  return set.families();
}

type Sum = Pick<FunctionOverview, 'running' | 'workers' | 'delayed' | (typeof PRIORITY_NAMES)[number]>;

/** Sums by label: functions without a label of their own are added up. */
function summed(functions: readonly FunctionOverview[], names: FunctionNames): Map<MetricLabels, Sum> {
  const sums = new Map<MetricLabels, Sum>();
  for (const function_ of functions) {
    const labels = names.keep(toByteString(function_.function));
    const sum = sums.get(labels);
    sums.set(labels, sum ? added(sum, function_) : function_);
  }
  return sums;
}

function added(one: Sum, other: Sum): Sum {
  return {
    running: one.running + other.running,
    workers: one.workers + other.workers,
    delayed: one.delayed === undefined ? undefined : one.delayed + (other.delayed ?? 0),
    high: one.high + other.high,
    normal: one.normal + other.normal,
    low: one.low + other.low,
  };
}

function tell(set: MetricSet, { running, workers, delayed, ...waiting }: Sum, labels: MetricLabels): void {
  const total = waiting.high + waiting.normal + waiting.low;
  set.add('jobs', total + (delayed ?? 0) + running, labels);
  set.add('jobs_running', running, labels);
  set.add('jobs_waiting', total, labels);
  set.add('workers', workers, labels);
  if (delayed !== undefined) set.add('jobs_delayed', delayed, labels);
  for (const priority of PRIORITY_NAMES)
    set.add('jobs_waiting_by_priority', waiting[priority], { ...labels, priority });
}
