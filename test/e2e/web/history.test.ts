import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HISTORY_SERIES } from '../../../lib/job-server/history/index.js';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { MemoryStorage } from '../../../lib/job-server/index.js';
import { submit } from '../../support/front.js';
import { stillIntervals } from '../../support/still-intervals.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

/** A job of `f` that waits, one that has run, and one that failed; a sample is taken after each step. */
async function lived(scene: WebScene): Promise<void> {
  const { history } = scene.server;
  for (const workload of ['1', '2', '3']) await scene.ask('POST', '/v1/functions/f/jobs', { body: workload });
  history.sample();
  const worker = scene.peer();
  worker.send('SET_CLIENT_ID w1');
  const { handle } = await grab(worker);
  worker.send(`WORK_COMPLETE ${handle}·done`, 'GRAB_JOB');
  const [, second] = (await worker.next()).split(/[ ·]/);
  worker.send(`WORK_EXCEPTION ${second}·boom`);
  await worker.untilEcho();
  history.sample();
}

describe('history over HTTP', () => {
  // A sample is taken when the test says so, and not each second besides.
  beforeEach(stillIntervals);
  afterEach(() => void jest.useRealTimers());

  it('tells what was of all functions together, and of those that are named', async () => {
    const scene = await startWeb();
    await lived(scene);
    const all = await scene.json('GET', '/v1/history?resolution=1s&series=waiting,completed,failed');
    expect(all.body).toEqual({
      resolution: '1s',
      intervalSeconds: 1,
      until: expect.any(String),
      all: { waiting: [3, 1], completed: [0, 1], failed: [0, 1] },
    });
    const one = await scene.json('GET', '/v1/history?function=f&function=none&resolution=1s');
    expect(one.body.functions).toHaveLength(1);
    const [{ name, series }] = one.body.functions;
    expect([name, Object.keys(series)]).toEqual(['f', [...HISTORY_SERIES]]);
    expect(series).toMatchObject({ waiting: [3, 1], runP50Seconds: [null, expect.any(Number)] });
    expect((await scene.json('GET', '/v1/history')).body).toMatchObject({ resolution: '10s', all: { waiting: [] } });
    expect((await scene.json('GET', '/v1/history?function64=Zg')).body.functions).toMatchObject([
      { name: 'f', intervalSeconds: 10 },
    ]);
  });

  it('tells minutes: what was counted in each, and what was there at its end', async () => {
    const scene = await startWeb();
    // A moment of ten seconds is ten samples.
    for (let moment = 0; moment < 13; moment++) {
      await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
      for (let sample = 0; sample < 10; sample++) scene.server.history.sample();
    }
    const query = '/v1/history?resolution=1min&series=waiting,submitted,waitP95Seconds';
    const all = (await scene.json('GET', query)).body;
    const [one] = (await scene.json('GET', `${query}&function=f`)).body.functions;
    expect(one.series).toEqual({ ...all.all, submitted: one.series.submitted });
    for (const [{ intervalSeconds }, { waiting, submitted, waitP95Seconds }] of [
      [all, all.all],
      [one, one.series],
    ]) {
      expect(intervalSeconds).toBe(60);
      // Where a minute of the clock begins is not known here: 13 moments are in 3 of them, or in 4.
      expect([3, 4]).toContain(waiting.length);
      expect(waiting.at(-1)).toBe(13);
      expect(Math.max(...submitted)).toBe(6);
      expect(waitP95Seconds.every((value: number | null) => value === null)).toBe(true);
    }
    const counted = all.all.submitted.reduce((sum: number, count: number) => sum + count, 0);
    expect(counted).toBe(13);
  });

  it('tells the jobs that ended lately, what was in them only to who may inspect', async () => {
    const scene = await startWeb();
    await lived(scene);
    const failed = await scene.json('GET', '/v1/history/jobs');
    expect(failed.body.jobs).toMatchObject([
      {
        function: 'f',
        outcome: 'failed',
        worker: 'w1',
        workload: { text: '2' },
        error: { text: 'boom' },
        ranSeconds: expect.any(Number),
      },
    ]);
    const completed = await scene.json('GET', '/v1/history/jobs?outcome=completed&function=f&limit=1');
    expect(completed.body.jobs).toMatchObject([{ outcome: 'completed', workload: { text: '' } }]);
    expect((await scene.json('GET', '/v1/history/jobs?outcome=completed&function=g')).body.jobs).toEqual([]);
    const { handle } = failed.body.jobs[0];
    expect((await scene.json('GET', `/v1/history/jobs?handle=${handle}`)).body).toEqual(failed.body);
    expect((await scene.json('GET', '/v1/history/jobs?handle=H:none:1')).body.jobs).toEqual([]);
  });

  it('tells when a job was accepted and each of its runs, why one was in vain only to who may inspect', async () => {
    const scene = await startWeb(
      { storage: new MemoryStorage(), policies: { f: { retries: 1, backoff: { initialDelay: 0 } } } },
      { access: ({ headers }) => ({ role: headers['x-role'] as 'read', functions: [String(headers['x-function'])] }) },
    );
    const handle = await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    const times = (role: string, of = 'f'): ReturnType<WebScene['json']> =>
      scene.json('GET', `/v1/jobs/${handle}/times`, { headers: { 'x-role': role, 'x-function': of } });
    const waiting = (await times('read')).body;
    expect(waiting).toEqual({ acceptedAt: expect.any(String), runs: [] });
    const worker = scene.peer();
    worker.send('SET_CLIENT_ID w1');
    for (const reason of ['first', 'second']) {
      expect((await grab(worker)).handle).toBe(handle);
      worker.send(`WORK_EXCEPTION ${handle}·${reason}`);
      await worker.untilEcho();
    }
    const over = (await times('inspect')).body;
    const run = { startedAt: expect.any(String), endedAt: expect.any(String), outcome: 'failed', worker: 'w1' };
    expect(over).toEqual({
      acceptedAt: waiting.acceptedAt,
      runs: [
        { ...run, error: { text: 'first' } },
        { ...run, error: { text: 'second' } },
      ],
    });
    expect((await times('read')).body.runs).toEqual([run, run]);
    expect(await times('inspect', 'g')).toEqual({ status: 200, body: { runs: [] } });
  });

  it('tells who may see some functions of these alone, and who may only read not what is in jobs', async () => {
    const scene = await startWeb({}, { access: () => ({ role: 'read', functions: ['f*'] }) });
    coreOf(scene.server).engine.cancel(await submit(scene.peer(), 'SUBMIT_JOB_BG f··w'));
    scene.server.history.sample();
    expect((await scene.json('GET', '/v1/history')).status).toBe(403);
    expect((await scene.json('GET', '/v1/history?function=g')).status).toBe(403);
    expect((await scene.json('GET', '/v1/history?function=f')).body.functions).toMatchObject([{ name: 'f' }]);
    const [job] = (await scene.json('GET', '/v1/history/jobs')).body.jobs;
    expect(job).toMatchObject({ function: 'f', outcome: 'cancelled' });
    expect(job).not.toHaveProperty('workload');
  });

  it.each([
    '?resolution=2s',
    '?series=waiting,none',
    '?function=f&resolution=5min',
    `?${'function=f&'.repeat(101)}`,
    '/jobs?outcome=none',
    '/jobs?limit=0',
  ])('refuses %s', async (query) => {
    const scene = await startWeb();
    expect((await scene.json('GET', `/v1/history${query}`)).body).toMatchObject({
      status: 400,
      code: 'invalid-request',
    });
  });

  it('is kept for as long as the handler is open', async () => {
    const scene = await startWeb();
    scene.server.history.sample();
    expect(scene.server.history.total('1s')).toBeDefined();
    await scene.handler.close();
    expect(scene.server.history.total('1s')).toBeUndefined();
  });
});
