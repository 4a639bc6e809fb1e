import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { METRICS, mergeFamilies, prometheusText, type MetricName, type MetricSource } from 'nestjs-gearman/telemetry';
import { JobClient, JobWorker } from '../../lib/driver/index.js';
import { ROOT } from '../support/built.js';
import { atEnd } from '../support/cleanup.js';
import { startJobServerCommand } from '../support/command.js';
import { freePort } from '../support/free-port.js';
import { describeWith } from '../support/peers.js';
import { startProgram } from '../support/program.js';
import { RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const file = (name: string): string => readFileSync(join(ROOT, 'dashboards', name), 'utf8');

/** The panels of the board, and what each asks. */
interface Board {
  panels: { title: string; type: string; targets?: { expr: string }[] }[];
  templating: { list: { name: string }[] };
}

const BOARD = JSON.parse(file('gearman.json')) as Board;
const EXPRESSIONS = BOARD.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }): [string, string] => [title, expr]),
);
const ALERTS = [...file('alerts.yml').matchAll(/expr: (?:>-\n((?: {10}.*\n)+)|(.*)\n)/g)].map(([, lines, line]) =>
  (lines ?? line!).replace(/\s+/g, ' ').trim(),
);

/** Told, and of no use on a board. */
const NOT_ON_THE_BOARD: readonly MetricName[] = [
  'up',
  'jobs_restored_total',
  'access_denied_total',
  'all_jobs_coalesced_total',
  'all_jobs_restored_total',
  'all_jobs_replayed_total',
  'all_jobs_started_total',
  'all_jobs_requeued_total',
  'all_jobs_retried_total',
  'all_attempts_failed_total',
  'all_jobs_buried_total',
  'all_jobs_cancelled_total',
  'all_jobs_abandoned_total',
];

/** The names in an expression, without the suffixes of histograms. */
function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/gearman_(\w+)/g)].map(([, name]) => name!.replace(/_(bucket|sum|count)$/, ''));
}

describe('the board', () => {
  it('has its variables, its rows, and every metric but those that are of no use there', () => {
    expect(BOARD.templating.list.map(({ name }) => name)).toEqual(['datasource', 'instance', 'function']);
    const rows = BOARD.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual([
      'Now',
      'Flow',
      'Latency',
      'Failures',
      'Storage',
      'Process',
      'Schedules',
      'Workers and clients',
    ]);
    const shown = new Set([...EXPRESSIONS.map(([, expr]) => expr), 'gearman_version_info'].flatMap(metricsIn));
    const names = Object.keys(METRICS).filter((name) => !(NOT_ON_THE_BOARD as readonly string[]).includes(name));
    expect([...shown].sort()).toEqual(names.sort());
  });

  it('and the alerts ask for nothing that is not in the catalogue', () => {
    const asked = new Set([...EXPRESSIONS.map(([, expr]) => expr), ...ALERTS].flatMap(metricsIn));
    expect([...asked].filter((name) => !(name in METRICS))).toEqual([]);
    expect(ALERTS.length).toBe(file('alerts.yml').split('alert:').length - 1);
  });
});

describeWith('prometheus', 'Prometheus', () => {
  let prometheus: string;

  beforeAll(async () => {
    const [server, others] = await startScene();
    prometheus = await startPrometheus(`127.0.0.1:${server}`, others);
    // The metrics whose first value comes last: rates need two scrapes.
    await until('it has two samples of everything', async () => {
      const scraped = await ask(prometheus, 'min(count_over_time(up[1m])) >= 3 and min(up) == 1');
      return scraped.length > 0;
    });
  }, 120_000);

  it('answers every expression of the board with a sample at least', async () => {
    expect(EXPRESSIONS.length).toBeGreaterThan(50);
    const silent: string[] = [];
    for (const [title, expr] of EXPRESSIONS) {
      if ((await ask(prometheus, filledIn(expr))).length === 0) silent.push(`${title}: ${expr}`);
    }
    expect(silent).toEqual([]);
  });

  it('takes every expression of the alerts, and has every metric they ask for', async () => {
    for (const expr of ALERTS) await ask(prometheus, expr);
    for (const name of new Set(ALERTS.flatMap(metricsIn))) {
      expect([name, (await ask(prometheus, `gearman_${name}`)).length > 0]).toEqual([name, true]);
    }
  });

  it('has no metric that the catalogue does not know, of the type it says', async () => {
    const response = await fetch(`${prometheus}/api/v1/metadata`);
    const { data } = (await response.json()) as { data: Record<string, { type: string; help: string }[]> };
    for (const [name, [found]] of Object.entries(data).filter(([name]) => name.startsWith('gearman_'))) {
      const known = METRICS[name.slice('gearman_'.length) as MetricName];
      expect([name, found]).toEqual([name, { type: known.type, help: known.help, unit: '' }]);
    }
  });

  it('fires each alert where it should, and only there', () => {
    for (const args of [
      ['check', 'rules', 'dashboards/alerts.yml'],
      ['test', 'rules', 'test/fixtures/alerts.test.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: ROOT, encoding: 'utf8' });
      expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
    }
  });
});

/** A job server with a storage, a worker and a client, and where both tell their metrics. */
async function startScene(): Promise<[jobServer: number, others: string]> {
  const [metricsPort, webPort] = [await freePort(), await freePort()];
  const storage = ['-q', 'file', '--queue-path', tempDir()];
  const crontab = join(tempDir(), 'crontab');
  writeFileSync(crontab, '* * * * * * fine ?id=secondly\n');
  const options = ['--metrics-port', `${metricsPort}`, '--web-port', `${webPort}`, '--crontab', crontab];
  const server = await startJobServerCommand([...options, ...storage]);
  const servers = `127.0.0.1:${server.port}`;
  const worker = new JobWorker({ servers });
  worker.on('error', () => undefined);
  worker.register('fine', () => 'done');
  worker.register('fails', () => Promise.reject(new Error('no')));
  const client = new JobClient({ servers });
  atEnd(async () => void (await Promise.all([worker.close({ gracePeriod: 0 }), client.close()])));
  await worker.start();
  const submit = (name: string) =>
    new Promise<void>((resolve) => {
      const ended = (): void => resolve();
      client.submit({ function: name, workload: Buffer.from('x') }, { complete: ended, fail: ended });
    });
  const timer = setInterval(() => void submit('fine'), 50);
  atEnd(() => clearInterval(timer));
  for (const name of ['fine', 'fails']) await submit(name);
  for (const unique of ['u', 'u'])
    await client.submitBackground({ function: 'waits', workload: Buffer.from('x'), unique });
  await until('HTTP is answered', () =>
    fetch(`http://127.0.0.1:${webPort}/v1/server`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const rude = await RawPeer.connect(server);
  rude.send('OPTION_REQ nothing');
  await rude.next();
  const sources: MetricSource[] = [worker, client];
  const http = createServer((_request, response) =>
    response.end(prometheusText(mergeFamilies(sources.map((source) => source.metrics())))),
  );
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  atEnd(() => void http.close());
  return [metricsPort, `127.0.0.1:${(http.address() as AddressInfo).port}`];
}

/** Prometheus, scraping these every second; where it answers. */
async function startPrometheus(...targets: string[]): Promise<string> {
  const folder = tempDir();
  const port = await freePort();
  const jobs = targets.map((target, number) => ({
    job_name: `gearman-${number}`,
    static_configs: [{ targets: [target] }],
  }));
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({ global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: jobs }),
  );
  const listen = `127.0.0.1:${port}`;
  const paths = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const program = startProgram('prometheus', [...paths, `--web.listen-address=${listen}`]);
  await until('Prometheus is ready', async () => {
    program.mustRun();
    return fetch(`http://${listen}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return `http://${listen}`;
}

/** The samples of an expression. @throws when Prometheus does not take it. */
async function ask(prometheus: string, expr: string): Promise<unknown[]> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(expr)}`);
  const answer = (await response.json()) as { status: string; error?: string; data: { result: unknown[] } };
  if (answer.status !== 'success') throw new Error(`${answer.error}: ${expr}`);
  return answer.data.result;
}

/** An expression of the board, its variables being what Grafana puts there for "All". */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*').replaceAll('$function', '.*');
}
