import { describe, expect, it } from '@jest/globals';
import type { JobServer } from '../../../../lib/job-server/job-server.js';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { prometheusText } from '../../../../lib/telemetry/forms/index.js';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { startFront, submit, type FrontScene } from '../../../support/front.js';
import { serverWithClocks } from '../../../support/set-clocks.js';
import { until } from '../../../support/until.js';
import { startWeb } from '../../../support/web-scene.js';

/** The samples of a job server, by everything before the value. */
function told(front: FrontScene): Record<string, number> {
  const lines = prometheusText(front.server.metrics()).split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice('gearman_'.length, at), Number(line.slice(at + 1))];
    }),
  );
}

describe('the metrics of a job server', () => {
  it('tell each function’s jobs and workers, what came and what became of it', async () => {
    const front = await startFront();
    const [worker, client] = [front.peer(), front.peer()];
    worker.send('CAN_DO f', 'CAN_DO idle');
    for (const packet of [
      'SUBMIT_JOB_HIGH f··a',
      'SUBMIT_JOB_BG f·u·b',
      'SUBMIT_JOB_BG f·u·b',
      'SUBMIT_JOB_EPOCH f··9999999999·c',
    ]) {
      await submit(client, packet);
    }
    worker.send('GRAB_JOB');
    const assigned = await worker.next();
    const samples = told(front);
    expect(samples).toMatchObject({
      'jobs{function="f"}': 3,
      'jobs_running{function="f"}': 1,
      'jobs_waiting{function="f"}': 1,
      'jobs_delayed{function="f"}': 1,
      'jobs_waiting_by_priority{function="f",priority="normal"}': 1,
      'jobs_waiting_by_priority{function="f",priority="high"}': 0,
      'workers{function="f"}': 1,
      'workers{function="idle"}': 1,
      'function_paused{function="f"}': 0,
      'jobs_submitted_total{function="f",mode="foreground"}': 1,
      'jobs_submitted_total{function="f",mode="background"}': 2,
      'jobs_coalesced_total{function="f"}': 1,
      'jobs_started_total{function="f"}': 1,
      'job_wait_seconds_count{function="f"}': 1,
      'job_run_seconds_count{function="f"}': 0,
      'all_jobs_submitted_total{mode="background"}': 2,
      connections: 2,
      workers_connected: 1,
      clients_waiting: 1,
      connections_opened_total: 2,
      'packets_received_total{type="SUBMIT_JOB_BG"}': 2,
      'packets_received_total{type="CAN_DO"}': 2,
    });
    expect(samples).not.toHaveProperty('jobs_started_total{function="idle"}');
    expect(samples['received_bytes_total']).toBeGreaterThan(100);
    expect(samples['sent_bytes_total']).toBeGreaterThan(50);
    worker.send(`WORK_COMPLETE ${assigned.split(' ')[1]!.split('·')[0]!}·done`);
    await client.next();
    expect(told(front)).toMatchObject({
      'jobs_completed_total{function="f"}': 1,
      'job_run_seconds_count{function="f"}': 1,
      all_jobs_completed_total: 1,
      clients_waiting: 0,
    });
  });

  it.each([
    ['without a storage', () => ({})],
    ['with a storage', () => ({ storage: new MemoryStorage() })],
    ['with a storage that keeps most of them', () => ({ storage: new MemoryStorage(), window: 1 })],
  ])('tell who submitted jobs, %s: each in one mode', async (_title, kept) => {
    const scene = await startWeb({ ...kept(), schedules: { yearly: { function: 'f', cron: '0 0 1 1 *' } } });
    const [peer, client] = [scene.peer(), scene.peer()];
    for (const packet of ['SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_BG f··3']) await submit(peer, packet);
    await submit(client, 'SUBMIT_JOB f··1');
    for (const query of ['', '?unique=u', '?unique=u', '?delay=3600'])
      expect((await scene.ask('POST', `/v1/functions/f/jobs${query}`, { body: 'x' })).status).toBe(202);
    const leaves = new AbortController();
    const waits = scene.ask('POST', '/v1/functions/f/run', { body: 'y', signal: leaves.signal });
    await until('both wait', () => told(scene)['clients_waiting'] === 2);
    await scene.server.schedules.run('yearly');
    expect(told(scene)).toMatchObject({
      'jobs_submitted_total{function="f",mode="foreground"}': 1,
      'jobs_submitted_total{function="f",mode="background"}': 2,
      'jobs_submitted_total{function="f",mode="http"}': 4,
      'jobs_submitted_total{function="f",mode="schedule"}': 1,
      'jobs_coalesced_total{function="f"}': 1,
      'jobs{function="f"}': 8,
      'all_jobs_submitted_total{mode="http"}': 4,
      'all_jobs_submitted_total{mode="schedule"}': 1,
    });
    leaves.abort();
    await expect(waits).rejects.toThrow();
    await until('one is left', () => told(scene)['clients_waiting'] === 1);
  });

  it('name the first functions that had a job, for good, and make one of all others', async () => {
    const front = await startFront({ metrics: { maxFunctions: 2 } });
    const client = front.peer();
    coreOf(front.server).engine.createFunction('jobless');
    for (const name of ['a', 'b', 'c', 'd']) await submit(client, `SUBMIT_JOB_BG ${name}··`);
    const samples = told(front);
    expect(Object.keys(samples).filter((key) => key.startsWith('jobs{'))).toEqual([
      'jobs{function="a"}',
      'jobs{function="b"}',
      'jobs{function="_other"}',
    ]);
    expect(samples).toMatchObject({
      'jobs{function="_other"}': 2,
      'jobs_submitted_total{function="_other",mode="background"}': 2,
      'all_jobs_submitted_total{mode="background"}': 4,
    });
    for (const job of coreOf(front.server).engine.jobs())
      coreOf(front.server).engine.cancel(coreOf(front.server).engine.handleOf(job));
    coreOf(front.server).engine.dropFunction('c');
    expect(told(front)).toMatchObject({
      'jobs_cancelled_total{function="_other"}': 2,
      'all_jobs_submitted_total{mode="background"}': 4,
    });
  });

  it('are as many series for ten thousand functions as for the most that are named', async () => {
    const front = await startFront({ metrics: { maxFunctions: 5 } });
    const { engine } = coreOf(front.server);
    const count = (): number => Object.keys(told(front)).length;
    const client = front.peer();
    for (let number = 0; number < 10; number++) await submit(client, `SUBMIT_JOB_BG f${number}··`);
    const few = count();
    for (let number = 0; number < 10_000; number++) {
      engine.createFunction(`idle${number}`);
      engine.submit({ function: `busy${number}`, unique: '', workload: '', priority: 1, isBackground: true, at: 0 });
    }
    expect(count()).toBe(few);
    expect(told(front)).toMatchObject({
      'jobs{function="_other"}': 10_005,
      'jobs_submitted_total{function="_other",mode="background"}': 10_005,
      'all_jobs_submitted_total{mode="background"}': 10_010,
    });
  });

  it('tell refusals by their code, and what authorize said no to', async () => {
    const front = await startFront({ authorize: ({ action }) => action !== 'work' });
    const peer = front.peer();
    peer.send('CAN_DO f', 'OPTION_REQ nothing', 'WORK_COMPLETE H:x:1·');
    await peer.nextOnes(3);
    expect(told(front)).toMatchObject({
      'errors_sent_total{code="ACCESS_DENIED"}': 1,
      'errors_sent_total{code="UNKNOWN_OPTION"}': 1,
      'errors_sent_total{code="JOB_NOT_FOUND"}': 1,
      'access_denied_total{action="work"}': 1,
    });
  });

  it('tell how the storage does, and count dead letters also of functions that have nothing else', async () => {
    const storage = new MemoryStorage();
    const front = await startFront({ storage, policies: { f: { retries: 0, deadLetter: true } } });
    const worker = front.peer();
    worker.send('CAN_DO f', 'CAN_DO g');
    await submit(front.peer(), 'SUBMIT_JOB_BG f··x');
    worker.send('GRAB_JOB');
    const handle = (await worker.next()).split(' ')[1]!.split('·')[0]!;
    worker.send(`WORK_FAIL ${handle}`);
    await worker.untilEcho();
    const job = { function: 'gone', unique: '', priority: 1, workload: '', reducer: '', at: 0 } as const;
    const letter = { ...job, handle: 'H:x:1', attempts: 0, losses: 0 };
    await storage.addOnce(letter, 'elsewhere', { error: 'broken', diedAt: 1 });
    await submit(front.peer(), 'SUBMIT_JOB_BG g··x');
    const samples = told(front);
    expect(samples).toMatchObject({
      'jobs_dead{function="f"}': 1,
      'jobs_dead{function="g"}': 0,
      'jobs_dead{function="gone"}': 1,
      storage_up: 1,
      storage_backlog: 0,
      'storage_write_seconds_bucket{le="+Inf"}': 0,
      'storage_batch_changes_bucket{le="4096"}': 0,
    });
    expect(samples).not.toHaveProperty('storage_bytes');
    expect(told(await startFront())).not.toHaveProperty('storage_backlog');
  });

  it('give no more names to dead letters than there are, and take none from functions with jobs', async () => {
    const storage = new MemoryStorage();
    const front = await startFront({ storage, metrics: { maxFunctions: 2 } });
    const job = { unique: '', priority: 1, workload: '', reducer: '', at: 0, attempts: 0, losses: 0 } as const;
    for (let number = 0; number < 5; number++) {
      const letter = { ...job, function: `d${number}`, handle: `H:x:${number}` };
      await storage.addOnce(letter, String(number), { error: 'broken', diedAt: 1 });
    }
    const dead = (): [string, number][] => Object.entries(told(front)).filter(([key]) => key.startsWith('jobs_dead'));
    expect(dead()).toEqual([
      ['jobs_dead{function="d0"}', 1],
      ['jobs_dead{function="d1"}', 1],
      ['jobs_dead{function="_other"}', 3],
    ]);
    for (const name of ['a', 'b']) await submit(front.peer(), `SUBMIT_JOB_BG ${name}··x`);
    expect(dead()).toEqual([
      ['jobs_dead{function="a"}', 0],
      ['jobs_dead{function="b"}', 0],
      ['jobs_dead{function="_other"}', 5],
    ]);
  });

  it('tell why connections were closed, and go on counting their bytes', async () => {
    const front = await startFront({ maxConnections: 2 });
    const peer = front.peer();
    await peer.untilEcho();
    const before = told(front)['received_bytes_total']!;
    front.peer();
    front.peer();
    peer.end();
    // The peer sees the end of its connection before, or after, the job server does.
    await until('it is closed', () => told(front)['connections_closed_total{reason="peer"}'] === 1);
    const samples = told(front);
    expect(samples).toMatchObject({
      'connections_refused_total{reason="limit"}': 1,
      'connections_closed_total{reason="peer"}': 1,
      'connections_closed_total{reason="error"}': 0,
    });
    expect(samples['received_bytes_total']).toBeGreaterThanOrEqual(before);
  });

  it('read the same for everybody who reads', async () => {
    const front = await startFront();
    const client = front.peer();
    await submit(client, 'SUBMIT_JOB_BG f··');
    const stable = (): [string, number][] =>
      Object.entries(told(front)).filter(([key]) => !/^(event_loop|oldest_waiting)/.test(key));
    expect(stable()).toEqual(stable());
  });

  it('are the same whether one reads every second or only now and then', async () => {
    const often = await serverWithClocks();
    const rarely = await serverWithClocks();
    const worlds = [often, rarely].map(({ server, clocks, peer }) => ({
      server,
      clocks,
      client: peer(),
      worker: peer(),
    }));
    for (const { worker } of worlds) worker.send('CAN_DO f', 'CAN_DO g');
    const seen = (server: JobServer): string =>
      prometheusText(server.metrics())
        .split('\n')
        .filter((line) => !line.startsWith('gearman_event_loop'))
        .join('\n');
    for (let second = 1; second <= 20; second++) {
      for (const { clocks, client, worker } of worlds) {
        clocks.frozenAt = 1_000_000 + second * 1_000;
        await submit(client, `SUBMIT_JOB_BG ${second % 3 === 0 ? 'g' : 'f'}··x`);
        if (second % 2 === 1) continue;
        worker.send('GRAB_JOB');
        const [, handle] = /^JOB_ASSIGN (\S+?)·/.exec(await worker.next())!;
        worker.send(`WORK_COMPLETE ${handle}·`);
        await worker.untilEcho();
      }
      seen(often.server);
      if (second % 7 === 0) expect(seen(rarely.server)).toBe(seen(often.server));
    }
    expect(seen(rarely.server)).toContain('gearman_oldest_waiting_seconds{function="f"} ');
  });

  it('have the delay of the event loop for a while, whoever has read it', async () => {
    const { server } = await startFront();
    const worst = (): number => {
      const family = server.metrics().find(({ name }) => name === 'gearman_event_loop_delay_seconds')!;
      return family.samples.find(({ labels }) => labels['quantile'] === '1')!.value as number;
    };
    worst();
    // It has to look once before, and is then held up.
    await until('it is late', () => {
      const end = performance.now() + 60;
      while (performance.now() < end);
      return worst() >= 0.04;
    });
    const reads = Array.from({ length: 100 }, worst);
    expect(Math.min(...reads)).toBeGreaterThanOrEqual(0.04);
  });

  it('are limited by a number that can be meant', () => {
    const start = startFront({ metrics: { maxFunctions: -1 } });
    return expect(start).rejects.toThrow('metrics');
  });
});
