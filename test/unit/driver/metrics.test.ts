import { describe, expect, it } from '@jest/globals';
import { JobTimeoutError } from 'nestjs-gearman';
import { prometheusText, type MetricSource } from 'nestjs-gearman/telemetry';
import { TestJobServer } from 'nestjs-gearman/testing';
import { WorkException } from '../../../lib/driver/index.js';
import { ClientMetrics } from '../../../lib/driver/client-metrics.js';
import { turnsUntil } from '../../support/turns.js';
import { usedBytes } from '../../support/used-bytes.js';
import { connected, connectedToTwo, job, recorder } from './clients.js';
import { pulling } from './workers.js';

/** What a source tells, by everything before the value. */
function told(source: MetricSource): Record<string, number> {
  const samples = prometheusText(source.metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    samples.map((line) => [line.slice(8, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

describe('the metrics of a worker', () => {
  it('tell what its jobs came to, how long they took, and what runs', async () => {
    const handlers = [
      () => 'done',
      () => Promise.reject(new Error('no')),
      () => Promise.reject(new WorkException('hm')),
    ];
    const { worker, peer } = await pulling(() => handlers.shift()!(), { alwaysExceptions: true });
    for (let number = 1; number <= 3; number++) {
      await peer.next();
      peer.send(`RES JOB_ASSIGN H:${number}·reverse·x`);
      await peer.next();
    }
    await turnsUntil('all have ended', () => worker.runningJobs === 0);
    expect(told(worker)).toMatchObject({
      'worker_jobs_total{function="reverse",outcome="complete"}': 1,
      'worker_jobs_total{function="reverse",outcome="fail"}': 1,
      'worker_jobs_total{function="reverse",outcome="exception"}': 1,
      'worker_jobs_total{function="reverse",outcome="lost"}': 0,
      'worker_jobs_running{function="reverse"}': 0,
      'worker_job_seconds_count{function="reverse"}': 3,
      'worker_connected{server="a"}': 1,
      'worker_reconnects_total{server="a"}': 0,
    });
  });

  it('tell of a job whose connection was lost, and of the loss', async () => {
    let finish = (): void => {};
    const { worker, peer } = await pulling(() => new Promise((resolve) => (finish = () => resolve('late'))));
    await peer.next();
    peer.send('RES JOB_ASSIGN H:1·reverse·x');
    await turnsUntil('it runs', () => told(worker)['worker_jobs_running{function="reverse"}'] === 1);
    peer.end();
    await turnsUntil('it is lost', () => told(worker)['worker_reconnects_total{server="a"}'] === 1);
    finish();
    await turnsUntil('its handler has ended', () => worker.runningJobs === 0);
    expect(told(worker)).toMatchObject({
      'worker_jobs_total{function="reverse",outcome="lost"}': 1,
      'worker_jobs_total{function="reverse",outcome="complete"}': 0,
      'worker_job_seconds_count{function="reverse"}': 1,
    });
  });
});

describe('the metrics of a client', () => {
  it('tell what its submissions came to', async () => {
    const { client, peer } = await connected();
    const ends = ['RES WORK_COMPLETE H:1·done', 'RES WORK_FAIL H:2', 'RES WORK_EXCEPTION H:3·hm'];
    for (const [index, end] of ends.entries()) {
      const { observer } = recorder();
      client.submit(job(), observer);
      await peer.next();
      peer.send(`RES JOB_CREATED H:${index + 1}`, end);
    }
    const refused = client.submitBackground(job()).catch(() => 'refused');
    await peer.next();
    peer.send('RES ERROR QUEUE_ERROR·full');
    await refused;
    const taken = client.submitBackground(job());
    await peer.next();
    peer.send('RES JOB_CREATED H:5');
    await taken;
    expect(told(client)).toMatchObject({
      'client_jobs_total{function="reverse",mode="foreground",outcome="complete"}': 1,
      'client_jobs_total{function="reverse",mode="foreground",outcome="failed"}': 2,
      'client_jobs_total{function="reverse",mode="background",outcome="failed"}': 1,
      'client_jobs_total{function="reverse",mode="background",outcome="complete"}': 1,
      'client_created_seconds_count{function="reverse"}': 4,
      'client_job_seconds_count{function="reverse"}': 3,
      'client_connected{server="a"}': 1,
      client_resubmitted_total: 0,
    });
  });

  it('tell of submissions sent again, and of those that were lost', async () => {
    const { client, a, b } = await connectedToTwo();
    for (const more of [{}, { resubmit: false }]) client.submit(job('x', more), recorder().observer);
    await a.nextOnes(2);
    a.end();
    await b.next();
    expect(told(client)).toMatchObject({
      client_resubmitted_total: 1,
      'client_jobs_total{function="reverse",mode="foreground",outcome="lost"}': 1,
    });
  });

  it('name 200 functions, and make one of all others', async () => {
    const { client } = await connected();
    for (let number = 0; number < 300; number++)
      client.submit(job('x', { function: `f${number}` }), recorder().observer);
    const names = new Set(Object.keys(told(client)).map((key) => /function="(.*?)"/.exec(key)?.[1]));
    expect([names.size, names.has('_other'), names.has('f199'), names.has('f200')]).toEqual([202, true, true, false]);
  });

  it('take no more memory however many functions there are', () => {
    const metrics = new ClientMetrics();
    const count = (from: number, to: number): void => {
      for (let number = from; number < to; number++) {
        const { foreground, created } = metrics.of(`f${number}`.padEnd(400, '.'));
        foreground.complete++;
        created.add(1);
      }
    };
    count(0, 200);
    const before = usedBytes();
    count(200, 50_000);
    // All of them would be 60 MB and more.
    expect(usedBytes() - before).toBeLessThan(2_000_000);
    const family = metrics
      .metrics({ servers: [], connectedServers: [] }, 0)
      .find(({ name }) => name === 'gearman_client_jobs_total')!;
    const told = family.samples.filter(({ value }) => value === 49_800);
    expect(told.map(({ labels }) => labels['function'])).toEqual(['_other']);
  });

  it('tell of a call of the transport that took too long', async () => {
    const jobServer = new TestJobServer();
    const client = jobServer.client({ timeout: 20 });
    const failure = await new Promise((resolve) => client.send('nobody', 1).subscribe({ error: resolve }));
    expect(failure).toBeInstanceOf(JobTimeoutError);
    expect(told(client)).toMatchObject({
      'client_jobs_total{function="nobody",mode="foreground",outcome="timeout"}': 1,
      'client_jobs_total{function="nobody",mode="foreground",outcome="lost"}': 0,
    });
    await jobServer.close();
  });
});
