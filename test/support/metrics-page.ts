import {
  metricDefinition,
  METRIC_PREFIX,
  METRICS,
  type MetricName,
  type MetricOrigin,
} from '../../lib/telemetry/metrics/index.js';

const INTRO = `# Metrics

What the job server, workers and clients of this package tell: names, types, labels. This page is made from the table the
code counts by. How to get at them is in [Observability](observability.md), what to be woken for in [Alerts](alerts.md).

- Seconds and bytes. Counters count since the process began, and end in \`_total\`.
- Reading changes nothing: any number of readers see the same numbers.
- The first 200 functions that have a job (\`metrics.maxFunctions\`, \`--metrics-functions\`) are told by name for as long as
  the job server runs; all others together are \`function="_other"\`. Functions without a job so far have their gauges only.
- A name that is no UTF-8 has its bytes as \`\\xff\`; one over 128 characters is cut, and ends in \`~\` and a hash.
- Histograms of times have the bounds 1 ms to 33 s by powers of two, then 131, 524 and 2,097 s.

Every job that a function had since the process began is somewhere:

\`\`\`text
submitted + restored + replayed = completed + failed + buried + cancelled + abandoned + jobs
\`\`\`

That holds for a job server with a storage of its own, or none. Of several on one PostgreSQL each counts what it did itself,
and jobs move between them.
`;

const SECTIONS: readonly (readonly [origin: MetricOrigin, title: string, text: string])[] = [
  ['function', 'Of each function', 'Told by the job server.'],
  [
    'job server',
    'Of the job server',
    'Those with `all_` count over all functions, also dropped ones and those without a name of their own: a sum of them\nnever falls.',
  ],
  [
    'HTTP API',
    'Of the HTTP API',
    'Told where HTTP is answered: on `/metrics` there (`--web-port`, `nestjs-gearman web`, `GearmanWebModule`), on a\n`--metrics-port` beside it, and by `GearmanMetricsModule`. A handler of `createWebHandler` is a source for `registerMetrics`.\nWhat is no route of the [API](http.md) is `_other`, the page and its files are `page`.',
  ],
  ['worker', 'Of a worker process', 'Told by `GearmanStrategy` and `JobWorker`.'],
  ['client', 'Of a client process', 'Told by `GearmanClient` and `JobClient`; at most 200 functions are told by name.'],
];

const EXPORTER = `## Of the exporter

\`nestjs-gearman exporter\` asks a job server that has no metrics, as C gearmand, and tells ${'`'}gearman_up${'`'}, ${'`'}gearman_version_info${'`'},
${'`'}gearman_jobs${'`'}, ${'`'}gearman_jobs_running${'`'}, ${'`'}gearman_jobs_waiting${'`'}, ${'`'}gearman_workers${'`'}, and ${'`'}gearman_jobs_waiting_by_priority${'`'}. Of C gearmand delayed jobs count
as waiting, since it does not tell them apart.
`;

/** docs/metrics.md, from the catalogue. */
export function metricsPage(): string {
  const sections = SECTIONS.map(([origin, title, text]) => `## ${title}\n\n${text}\n\n${table(origin)}`);
  return [INTRO, ...sections, EXPORTER].join('\n');
}

function table(origin: MetricOrigin): string {
  const names = (Object.keys(METRICS) as MetricName[]).filter((name) => metricDefinition(name).from === origin);
  const rows = names.map((name) => {
    const { type, labels, help } = metricDefinition(name);
    return `| \`${METRIC_PREFIX}${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;
  });
  return ['| name | type | labels | what |', '| --- | --- | --- | --- |', ...rows].join('\n') + '\n';
}
