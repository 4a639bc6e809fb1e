import { describe, expect, it } from '@jest/globals';
import type { JobQuery, JobWatcher, Operations } from 'nestjs-gearman/job-server';
import { MAX_WATCHERS } from '../../../../lib/job-server/operations/index.js';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { PacketType } from '../../../../lib/protocol/index.js';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { startFront, submit, type FrontScene } from '../../../support/front.js';
import { CLOSED } from '../../../support/raw-peer.js';
import { until } from '../../../support/until.js';
import { rawPacket } from '../../../support/wire.js';

/** Everything a search finds, and how many jobs it looked at. */
async function find(operations: Operations, query: JobQuery = {}): Promise<{ handles: string[]; scanned: number }> {
  const handles: string[] = [];
  let scanned = 0;
  for await (const page of operations.findJobs(query)) {
    handles.push(...page.jobs.map(({ handle }) => handle));
    scanned = page.scanned;
  }
  return { handles, scanned };
}

/** A watcher that writes down what it hears. */
function listenInto(heard: string[]): JobWatcher {
  return {
    started: () => heard.push('started'),
    requeued: () => heard.push('requeued'),
    data: (bytes) => heard.push(`data ${bytes}`),
    warning: (bytes) => heard.push(`warning ${bytes}`),
    progress: (numerator, denominator) => heard.push(`progress ${numerator}/${denominator}`),
    ended: (outcome, result) => heard.push(`${outcome} ${result}`),
  };
}

const LATER = '9999999999';

/** Jobs of two functions: one runs, one is delayed, the others wait. */
async function scene(options = {}): Promise<FrontScene & { operations: Operations; handles: Record<string, string> }> {
  const front = await startFront(options);
  const client = front.peer();
  const packets = {
    runs: 'SUBMIT_JOB_HIGH_BG f·r·{"user":{"id":1}}',
    text: 'SUBMIT_JOB_BG f·t·needle in here',
    json: 'SUBMIT_JOB_LOW_BG f·j·{"user":{"id":42}}',
    delayed: `SUBMIT_JOB_EPOCH f·d·${LATER}·needle`,
    other: 'SUBMIT_JOB_BG g·o·needle',
  };
  const handles: Record<string, string> = {};
  for (const [name, packet] of Object.entries(packets)) handles[name] = await submit(client, packet);
  const worker = front.peer();
  worker.send('SET_CLIENT_ID w1', 'CAN_DO f', 'GRAB_JOB');
  expect(await worker.next()).toMatch(/^JOB_ASSIGN/);
  return { ...front, operations: front.server.operations, handles };
}

describe.each([
  ['without a storage', () => ({})],
  ['with a storage that keeps most of them', () => ({ storage: new MemoryStorage(), window: 1 })],
])('a search %s', (_title, options) => {
  it.each<[title: string, query: JobQuery, found: string[]]>([
    ['everything', {}, ['runs', 'text', 'json', 'delayed', 'other']],
    ['by function', { function: 'g' }, ['other']],
    ['by state: running', { state: 'running', function: 'f' }, ['runs']],
    ['by state: waiting', { state: 'waiting' }, ['text', 'json', 'other']],
    ['by state: delayed', { state: 'delayed' }, ['delayed']],
    ['by priority', { priority: 'low' }, ['json']],
    ['by unique', { unique: 't' }, ['text']],
    ['by text in the workload', { contains: 'needle', function: 'f' }, ['text', 'delayed']],
    ['by bytes in the workload', { contains: Buffer.from('{"user') }, ['runs', 'json']],
    ['by a value in JSON', { json: { path: ['user', 'id'], value: 42 } }, ['json']],
    ['by attempts', { attemptsOver: 0 }, []],
    ['by age', { olderThan: 3_600_000 }, []],
    ['an unknown function', { function: 'none' }, []],
  ])('finds %s', async (_what, query, found) => {
    const { operations, handles } = await scene(options());
    expect((await find(operations, query)).handles.sort()).toEqual(found.map((name) => handles[name]!).sort());
  });

  it('finds a value in JSON of 1 MiB, and does not read longer JSON', async () => {
    const { operations, peer } = await scene(options());
    const client = peer();
    const jsonOf = (bytes: number): string => `{"key":"long"${' '.repeat(bytes - 14)}}`;
    const handle = await submit(client, `SUBMIT_JOB_BG f··${jsonOf(1_048_576)}`);
    await submit(client, `SUBMIT_JOB_BG f··${jsonOf(1_048_577)}`);
    expect((await find(operations, { json: { path: ['key'], value: 'long' } })).handles).toEqual([handle]);
    expect((await find(operations, { contains: '"key":"long"' })).handles).toHaveLength(2);
  });

  it('finds one by its handle, and tells where it is', async () => {
    const { operations, handles } = await scene(options());
    const { jobs } = await operations.jobs({ function: 'f', state: 'running' });
    expect(jobs).toEqual([expect.objectContaining({ handle: handles['runs'], worker: 'w1', size: 17, attempts: 0 })]);
    expect(jobs[0]!.startedAt!.getTime()).toBeLessThanOrEqual(Date.now());
    for (const handle of Object.values(handles)) expect((await find(operations, { handle })).handles).toEqual([handle]);
  });

  it('comes in pages that follow each other', async () => {
    const { operations, handles } = await scene(options());
    const seen: string[] = [];
    let after: string | undefined;
    let pages = 0;
    do {
      const page = await operations.jobs({ limit: 2, ...(after !== undefined && { after }) });
      seen.push(...page.jobs.map(({ handle }) => handle));
      after = page.next;
      pages++;
    } while (after !== undefined);
    expect([pages, seen.sort()]).toEqual([3, Object.values(handles).sort()]);
  });

  it('shows the beginning of a workload, and how long all of it is', async () => {
    const { operations, handles, peer } = await scene(options());
    const large = await submit(peer(), `SUBMIT_JOB_BG f··${'x'.repeat(5_000)}`);
    expect(await operations.workload(handles['text']!, 6)).toEqual({ bytes: Buffer.from('needle'), size: 14 });
    expect(await operations.workload(handles['delayed']!)).toEqual({ bytes: Buffer.from('needle'), size: 6 });
    const preview = await operations.workload(large);
    expect([preview!.bytes.length, preview!.size]).toEqual([4_096, 5_000]);
    expect(await operations.workload('H:none:1')).toBeUndefined();
  });

  it('lets a delayed job run now', async () => {
    const { operations, handles, server, peer } = await scene(options());
    expect(await operations.runNow(handles['delayed']!)).toBe(true);
    expect(coreOf(server).engine.find(handles['delayed']!)?.state).toBe('waiting');
    expect(await operations.runNow(handles['delayed']!)).toBe(false);
    expect(await operations.runNow('H:none:1')).toBe(false);
    const worker = peer();
    worker.send('CAN_DO f', 'GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ', 'GRAB_JOB_UNIQ');
    await until('the delayed one is assigned', async () => (await worker.next()).includes('needle'));
  });

  it('purges what waits of a function: delayed and running jobs stay, and so do other functions', async () => {
    const { operations, server, handles } = await scene(options());
    expect(await operations.purgeFunction('f')).toBe(2);
    expect((await find(operations)).handles.sort()).toEqual(
      [handles['runs'], handles['delayed'], handles['other']].sort(),
    );
    expect(coreOf(server).engine.functions.find('f')!.stats.cancelled).toBe(2);
    expect(await operations.purgeFunction('none')).toBe(0);
  });
});

it('shows 4 KiB of a workload of 8 MiB, and keeps no more of it; of a dead letter as well', async () => {
  const policies = { f: { retries: 0, deadLetter: true } };
  const { server, peer } = await startFront({ storage: new MemoryStorage(), policies });
  const [client, worker] = [peer(), peer()];
  const bytes = Buffer.alloc(8 * 1024 * 1024, 'x');
  client.stream.write(rawPacket('\0REQ', PacketType.SUBMIT_JOB_BG, Buffer.concat([Buffer.from('f\0\0'), bytes])));
  const handle = (await client.next()).split(' ')[1]!;
  const preview = await server.operations.workload(handle);
  expect([preview!.bytes.equals(Buffer.alloc(4_096, 'x')), preview!.size]).toEqual([true, bytes.length]);
  expect(preview!.bytes.buffer.byteLength).toBeLessThanOrEqual(8_192);
  worker.send('CAN_DO f', 'GRAB_JOB');
  await worker.next();
  worker.send(`WORK_FAIL ${handle}`);
  const dead = async () => (await coreOf(server).deadLetters!.find(handle)) !== undefined;
  await until('it is dead', dead);
  const buried = await server.operations.workload(handle);
  expect([buried!.bytes.length, buried!.size]).toEqual([4_096, bytes.length]);
});

it('purges many, and tells their clients', async () => {
  const { server, peer } = await startFront();
  const client = peer();
  for (let number = 0; number < 2_500; number++) await submit(client, 'SUBMIT_JOB_BG f··');
  const handle = await submit(client, 'SUBMIT_JOB f··x');
  expect(await server.operations.purgeFunction('f')).toBe(2_501);
  expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
  expect(coreOf(server).engine.jobCount).toBe(0);
});

it('lets others have a turn while it searches, and ends when it is told to', async () => {
  const { server, peer } = await startFront();
  const client = peer();
  for (let number = 0; number < 20_000; number++) client.send('SUBMIT_JOB_BG f··x');
  await until('all are there', () => coreOf(server).engine.jobCount === 20_000);
  const signal = new AbortController();
  let scanned = 0;
  for await (const page of server.operations.findJobs({ contains: 'x' }, signal.signal)) {
    scanned = page.scanned;
    signal.abort();
  }
  expect(scanned).toBeLessThan(20_000);
});

describe('who looks on', () => {
  it('hears what happens to a job, and its end once, and does not keep it alive', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const handle = await submit(client, 'SUBMIT_JOB f··x');
    const heard: string[] = [];
    const end = server.operations.watch(handle, listenInto(heard))!;
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_DATA ${handle}·part`, `WORK_STATUS ${handle}·1·2`, `WORK_WARNING ${handle}·hm`);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    await client.nextOnes(4);
    expect(heard).toEqual(['started', 'data part', 'progress 1/2', 'warning hm', 'completed done']);
    end();
  });

  it('hears that a job lost its worker, and nothing once it looks on no more', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const handle = await submit(client, 'SUBMIT_JOB_BG f··x');
    const heard: string[] = [];
    const end = server.operations.watch(handle, listenInto(heard))!;
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    worker.end();
    await worker.next();
    await until('it is told', () => heard.length === 2);
    end();
    coreOf(server).engine.cancel(handle);
    expect(heard).toEqual(['started', 'requeued']);
  });

  it('may throw: the log says so, and the job goes on', async () => {
    const { server, peer, log } = await startFront();
    const [client, worker] = [peer(), peer()];
    const handle = await submit(client, 'SUBMIT_JOB f··x');
    const fail = (): void => {
      throw new Error('no room');
    };
    const heard: string[] = [];
    server.operations.watch(handle, { started: fail, data: fail, ended: fail });
    server.operations.watch(handle, listenInto(heard));
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_DATA ${handle}·part`, `WORK_COMPLETE ${handle}·done`);
    expect(await client.nextOnes(2)).toEqual([`WORK_DATA ${handle}·part`, `WORK_COMPLETE ${handle}·done`]);
    expect(await worker.untilEcho()).toEqual([]);
    expect(heard).toEqual(['started', 'data part', 'completed done']);
    expect(log).toEqual(Array(3).fill(`error: a watcher of ${handle} threw: Error: no room`));
  });

  it('is one of 256 at most', async () => {
    const { server } = await startFront();
    const ends = Array.from({ length: MAX_WATCHERS }, (_, number) => server.operations.watch(`H:x:${number}`, {}));
    expect(server.operations.watch('H:x:1', {})).toBeUndefined();
    ends[0]!();
    ends[0]!();
    expect(server.operations.watch('H:x:1', {})).toBeDefined();
    expect(server.operations.watch('H:x:1', {})).toBeUndefined();
  });
});

describe('a worker', () => {
  it.each([
    ['that pulls', ['CAN_DO f', 'PRE_SLEEP'], 'NOOP'],
    ['that is pushed to', ['CAN_DO f', 'ALL_YOURS', 'GRAB_JOB'], 'JOB_ASSIGN'],
  ])('%s gets no job while it is quiet, and the next one after that', async (_how, packets, told) => {
    const { server, peer } = await startFront();
    const [client, worker, other] = [peer(), peer(), peer()];
    worker.send(...packets);
    await worker.untilEcho();
    const [session] = [...coreOf(server).sessions].filter(({ peer: { abilities } }) => abilities.size > 0);
    expect(server.operations.quiet(session!.number)).toBe(true);
    await submit(client, 'SUBMIT_JOB_BG f··x');
    expect(await worker.untilEcho()).toEqual([]);
    other.send('CAN_DO f', 'GRAB_JOB');
    expect(await other.next()).toMatch(/^JOB_ASSIGN/);
    await submit(client, 'SUBMIT_JOB_BG f··y');
    server.operations.quiet(session!.number, false);
    expect(await worker.next()).toMatch(new RegExp(`^${told}`));
    expect(server.operations.quiet(99)).toBe(false);
  });

  it('is disconnected: its job waits again, and the closing is counted', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const handle = await submit(client, 'SUBMIT_JOB_BG f··x');
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    const [session] = [...coreOf(server).sessions].filter(({ peer: { abilities } }) => abilities.size > 0);
    expect(server.operations.disconnect(session!.number)).toBe(true);
    expect(await worker.next()).toBe(CLOSED);
    await until('the job waits', () => coreOf(server).engine.find(handle)!.state === 'waiting');
    expect(coreOf(server).traffic.closed.quiet).toBe(1);
    expect(server.operations.disconnect(99)).toBe(false);
  });
});
