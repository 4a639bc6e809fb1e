import { beforeEach, describe, expect, it } from '@jest/globals';
import { MAX_FUNCTION_HISTORIES, MAX_RECENT, MAX_RUNS } from '../../../../lib/job-server/history/index.js';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { SAMPLE_WIDTH, SampleRing } from '../../../../lib/job-server/history/sample-ring.js';
import { Log2Histogram } from '../../../../lib/telemetry/metrics/index.js';
import type { Job, Peer, PeerListener } from '../../../../lib/job-server/engine/index.js';
import { startFront, submit } from '../../../support/front.js';
import { serverWithClocks } from '../../../support/set-clocks.js';
import { stillIntervals } from '../../../support/still-intervals.js';
import { usedBytes } from '../../../support/used-bytes.js';

/** Hears nothing. */
const DEAF = new Proxy({} as PeerListener, { get: () => () => undefined });
const JOB = { function: 'f', unique: '', priority: 1, isBackground: true, at: 0 } as const;

const sample = (value: number): number[] => new Array<number>(SAMPLE_WIDTH).fill(value);
const times = (): { wait: Log2Histogram; run: Log2Histogram } => ({
  wait: new Log2Histogram(),
  run: new Log2Histogram(),
});

describe('a ring of samples', () => {
  it('keeps the last ones, oldest first', () => {
    const ring = new SampleRing(3, 1, times());
    for (const value of [1, 2, 3, 4]) ring.add(sample(value), times());
    expect(ring.series()).toMatchObject({ waiting: [2, 3, 4], failed: [2, 3, 4] });
  });

  it('adds counts up over its interval, and keeps the last of everything else', () => {
    const ring = new SampleRing(3, 2, times());
    for (const value of [1, 2, 3, 4, 5]) ring.add(sample(value), times());
    expect(ring.series()).toMatchObject({ waiting: [2, 4], running: [2, 4], submitted: [3, 7], failed: [3, 7] });
  });

  it('has the percentiles of what was timed in each interval, and NaN where nothing was', () => {
    const so = times();
    for (const value of [1_000, 1_000]) so.wait.add(value);
    const ring = new SampleRing(3, 2, so);
    ring.add(sample(0), so);
    // 100 evenly from 32 to 64 ms, and one that is no percentile of theirs.
    for (let number = 0; number < 100; number++) so.wait.add(33 + (number % 32));
    so.run.add(1);
    ring.add(sample(0), so);
    for (let pair = 0; pair < 2; pair++) ring.add(sample(0), so);
    const series = ring.series();
    // Half of a slot that begins at 32 ms and ends at 64; 95 of 100; half of the first slot.
    expect(series.waitP50Seconds).toEqual([expect.closeTo(0.048, 6), NaN]);
    expect(series.waitP95Seconds).toEqual([expect.closeTo(0.0624, 6), NaN]);
    expect(series.runP50Seconds).toEqual([expect.closeTo(0.0005, 6), NaN]);
    expect(series.runP95Seconds).toEqual([expect.closeTo(0.00095, 6), NaN]);
  });

  it('finds percentiles in whichever slot they lie', () => {
    const so = times();
    const ring = new SampleRing(1, 1, so);
    for (const value of [1, 1, 3, 1_000, 100_000]) so.run.add(value);
    ring.add(sample(0), so);
    // The third of five, half of the way from 2 to 4; 4.75 of five, three quarters from 65,536 to 131,072.
    expect(ring.series()).toMatchObject({
      runP50Seconds: [expect.closeTo(0.003, 6)],
      runP95Seconds: [expect.closeTo(114.688, 3)],
    });
  });
});

describe('history', () => {
  // A sample is taken when the test says so, and not each second besides.
  beforeEach(stillIntervals);

  it('is kept only while somebody wants it', async () => {
    const { history } = (await startFront()).server;
    history.sample();
    expect([history.total('1s'), history.function('f', '1s')]).toEqual([undefined, undefined]);
    const [one, other] = [history.keep(), history.keep()];
    history.sample();
    one();
    one();
    expect(history.total('1s')!.series.waiting).toEqual([0]);
    other();
    expect(history.total('1s')).toBeUndefined();
  });

  it('tells what was of each function and of all together', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const end = server.history.keep();
    await submit(client, 'SUBMIT_JOB_BG f··');
    await submit(client, 'SUBMIT_JOB_EPOCH f··9999999999·');
    await submit(client, 'SUBMIT_JOB_BG g··');
    server.history.sample();
    worker.send('CAN_DO f', 'GRAB_JOB');
    const handle = (await worker.next()).split(' ')[1]!.split('·')[0]!;
    server.history.sample();
    worker.send(`WORK_COMPLETE ${handle}·`);
    await worker.untilEcho();
    server.history.sample();
    expect(server.history.function('f', '1s')).toEqual({
      interval: 1_000,
      until: expect.any(Date),
      series: {
        waiting: [1, 0, 0],
        delayed: [1, 1, 1],
        running: [0, 1, 0],
        workers: [0, 1, 1],
        oldestWaitingSeconds: [expect.any(Number), 0, 0],
        submitted: [0, 0, 0],
        completed: [0, 0, 1],
        failed: [0, 0, 0],
        waitP50Seconds: [NaN, expect.any(Number), NaN],
        waitP95Seconds: [NaN, expect.any(Number), NaN],
        runP50Seconds: [NaN, NaN, expect.any(Number)],
        runP95Seconds: [NaN, NaN, expect.any(Number)],
      },
    });
    expect(server.history.total('1s')!.series).toMatchObject({
      waiting: [2, 1, 1],
      submitted: [3, 0, 0],
      completed: [0, 0, 1],
    });
    end();
  });

  it('goes on when the job server was stopped and has started again', async () => {
    const { server } = await startFront();
    const end = server.history.keep();
    server.history.sample();
    await server.stop();
    expect(server.history.total('1s')).toBeUndefined();
    await server.start();
    server.history.sample();
    expect(server.history.total('1s')!.series.waiting).toEqual([0]);
    end();
  });

  it('counts what a dropped function has done once, and never less than before', async () => {
    const { server, peer } = await startFront();
    const client = peer();
    const end = server.history.keep();
    for (const name of ['f', 'g']) {
      const handle = await submit(client, `SUBMIT_JOB_BG ${name}··`);
      coreOf(server).engine.cancel(handle);
    }
    server.history.sample();
    expect(coreOf(server).engine.dropFunction('f')).toBeUndefined();
    server.history.sample();
    expect(server.history.total('1s')!.series.submitted).toEqual([2, 0]);
    expect(server.history.function('f', '1s')).toBeUndefined();
    end();
  });

  it('has no more than a thousand functions, and gives a busy one the place of the one that was idle longest', async () => {
    const { server, peer } = await startFront();
    const client = peer();
    const end = server.history.keep();
    for (let number = 0; number < MAX_FUNCTION_HISTORIES; number++) {
      const handle = await submit(client, `SUBMIT_JOB_BG f${number}··`);
      if (number < 2) coreOf(server).engine.cancel(handle);
    }
    server.history.sample();
    await submit(client, 'SUBMIT_JOB_BG late··');
    server.history.sample();
    expect(server.history.function('late', '1s')).toBeDefined();
    expect(server.history.function('f0', '1s')).toBeUndefined();
    expect(server.history.function('f1', '1s')).toBeDefined();
    end();
  });

  it('takes no more memory however many functions are busy', async () => {
    const { server } = await startFront();
    const { engine, history } = coreOf(server);
    const end = history.keep();
    const submitTo = (from: number, to: number): void => {
      for (let number = from; number < to; number++) engine.submit({ ...JOB, function: `f${number}`, workload: '' });
    };
    const empty = process.memoryUsage().arrayBuffers;
    submitTo(0, MAX_FUNCTION_HISTORIES);
    history.sample();
    const full = process.memoryUsage().arrayBuffers;
    expect(full - empty).toBeLessThan(30_000_000);
    submitTo(MAX_FUNCTION_HISTORIES, 4 * MAX_FUNCTION_HISTORIES);
    for (let second = 0; second < 5; second++) history.sample();
    expect(process.memoryUsage().arrayBuffers - full).toBeLessThan(1_000_000);
    const kept = Array.from({ length: 4 * MAX_FUNCTION_HISTORIES }, (_, number) =>
      history.function(`f${number}`, '1s'),
    );
    expect(kept.filter((each) => each)).toHaveLength(MAX_FUNCTION_HISTORIES);
    end();
  });

  it('takes no more memory however long it is kept', async () => {
    const { server, peer } = await startFront();
    const client = peer();
    for (let number = 0; number < 100; number++) await submit(client, `SUBMIT_JOB_BG f${number}··`);
    const end = server.history.keep();
    server.history.sample();
    const { arrayBuffers } = process.memoryUsage();
    for (let second = 0; second < 1_000; second++) server.history.sample();
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1_000_000);
    expect(server.history.total('1s')!.series.waiting).toHaveLength(600);
    expect(server.history.function('f7', '1s')!.series.waiting).toHaveLength(120);
    end();
  });
});

describe('the jobs that ended lately', () => {
  // A sample is taken when the test says so, and not each second besides.
  beforeEach(stillIntervals);

  it('have who ran them, and why they failed: the beginning of it', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const end = server.history.keep();
    worker.send('SET_CLIENT_ID w1', 'CAN_DO f');
    const done = await submit(client, `SUBMIT_JOB_BG f·u·fine`);
    const failed = await submit(client, `SUBMIT_JOB_BG f··${'w'.repeat(2_000)}`);
    const cancelled = await submit(client, 'SUBMIT_JOB_BG f··x');
    worker.send('GRAB_JOB', 'GRAB_JOB');
    await worker.nextOnes(2);
    worker.send(`WORK_COMPLETE ${done}·`, `WORK_EXCEPTION ${failed}·${'e'.repeat(2_000)}`);
    await worker.untilEcho();
    coreOf(server).engine.cancel(cancelled);
    const { recent } = server.history;
    expect(recent.list('completed')).toMatchObject([
      { handle: done, function: 'f', unique: 'u', worker: 'w1', took: expect.any(Number), workload: Buffer.alloc(0) },
    ]);
    expect(recent.list('failed')).toMatchObject([
      { handle: cancelled, outcome: 'cancelled', worker: undefined, took: undefined },
      { handle: failed, outcome: 'failed', workload: Buffer.alloc(512, 'w'), error: Buffer.alloc(1_024, 'e') },
    ]);
    end();
    expect(recent.list('failed')).toEqual([]);
  });

  it('are the last thousand of those that did not complete, and a beginning of each, however many and large they are', async () => {
    const { server } = await startFront();
    const end = server.history.keep();
    const { engine, history } = coreOf(server);
    const [worker, client] = [engine.join(DEAF), engine.join(DEAF)];
    engine.canDo(worker, 'f');
    let number = 0;
    const fail = (count: number): void => {
      for (const end = number + count; number < end; number++) {
        const workload = Buffer.from(`${number}`.padEnd(4_096, '.'));
        engine.submit({ ...JOB, workload }, client);
        engine.exception(worker, engine.handleOf(engine.grab(worker, 'plain') as Job), Buffer.alloc(4_096, 'e'));
      }
    };
    fail(MAX_RECENT.failed);
    const full = usedBytes();
    fail(MAX_RECENT.failed * 9);
    // All of them would be 14 MB more.
    expect(usedBytes() - full).toBeLessThan(3_000_000);
    const failed = history.recent.list('failed');
    expect(failed).toHaveLength(1_000);
    expect(failed.map(({ workload }) => parseInt(workload.toString(), 10))).toEqual(
      Array.from({ length: 1_000 }, (_, index) => 9_999 - index),
    );
    expect([failed[0]!.workload.length, failed[0]!.error.length]).toEqual([512, 1_024]);
    end();
  });

  it('are the last two thousand of those that completed, and of one second two hundred', async () => {
    const { server } = await serverWithClocks();
    const end = server.history.keep();
    const { engine, history } = coreOf(server);
    const [worker, client] = [engine.join(DEAF), engine.join(DEAF)];
    engine.canDo(worker, 'f');
    const empty = usedBytes();
    for (let second = 0; second < 12; second++) {
      history.sample();
      for (let number = 0; number < 300; number++) {
        engine.submit({ ...JOB, unique: `${second} ${number}`, workload: Buffer.alloc(4_096) }, client);
        engine.complete(worker, engine.handleOf(engine.grab(worker, 'plain') as Job), Buffer.alloc(4_096));
      }
    }
    expect(usedBytes() - empty).toBeLessThan(3_000_000);
    const uniques = history.recent.list('completed').map(({ unique }) => unique);
    expect(uniques).toHaveLength(2_000);
    expect([uniques[0], uniques[200], uniques.at(-1)]).toEqual(['11 199', '10 199', '2 0']);
    end();
  });
});

describe('the runs of a job', () => {
  it('are known one by one: those in vain, with what came of them, and the last one', async () => {
    const { server, clocks } = await serverWithClocks();
    const end = server.history.keep();
    const { engine, history } = coreOf(server);
    const client = engine.join(DEAF);
    const handles: string[] = [];
    const run = (clientId: string, timeout: number, ends: (worker: Peer, handle: string) => void): void => {
      const worker = engine.join(DEAF);
      worker.clientId = clientId;
      engine.canDo(worker, 'f', timeout);
      const job = engine.grab(worker, 'plain') as Job;
      handles.push(engine.handleOf(job));
      clocks.frozenAt! += 1_500;
      engine.tick(clocks.frozenAt!);
      ends(worker, handles.at(-1)!);
    };
    clocks.frozenAt = Math.ceil(clocks.now);
    engine.tick(clocks.frozenAt);
    engine.submit({ ...JOB, isBackground: false, workload: 'w' }, client);
    run('lost', 0, (worker) => engine.leave(worker));
    run('slow', 1_000, (worker) => engine.leave(worker));
    run('good', 0, (worker, handle) => engine.complete(worker, handle, 'done'));
    expect(new Set(handles).size).toBe(1);
    const runs = history.recent.runsOf(handles[0]!, () => true);
    expect(runs.map(({ outcome, worker, error }) => [outcome, worker, error.toString()])).toEqual([
      ['lost', 'lost', 'its worker was lost'],
      ['timedOut', 'slow', 'its worker took longer than its timeout (CAN_DO_TIMEOUT)'],
      ['completed', 'good', ''],
    ]);
    for (const { startedAt, endedAt } of runs) expect(endedAt.getTime() - startedAt.getTime()).toBe(1_500);
    expect(history.recent.runsOf(handles[0]!, (name) => name !== 'f')).toEqual([]);
    expect(history.recent.runsOf('H:other:1', () => true)).toEqual([]);
    end();
    expect(history.recent.runsOf(handles[0]!, () => true)).toEqual([]);
  });

  it('are remembered for the last two thousand in vain, and a beginning of why each was', async () => {
    const { server } = await startFront();
    const end = server.history.keep();
    const { engine, history } = coreOf(server);
    const [worker, client] = [engine.join(DEAF), engine.join(DEAF)];
    engine.canDo(worker, 'f');
    engine.submit({ ...JOB, workload: 'w' }, client);
    const job = engine.grab(worker, 'plain') as Job;
    const fail = (count: number): void => {
      for (let run = 0; run < count; run++) history.recent.triedInVain(job, 'failed', Buffer.alloc(4_096, 'e'));
    };
    fail(MAX_RUNS);
    const full = usedBytes();
    fail(MAX_RUNS * 9);
    // All of them would be 9 MB more.
    expect(usedBytes() - full).toBeLessThan(2_000_000);
    const runs = history.recent.runsOf(engine.handleOf(job), () => true);
    expect(runs).toHaveLength(2_000);
    expect(runs.at(-1)).toMatchObject({ outcome: 'failed', error: Buffer.alloc(256, 'e') });
    end();
  });
});
