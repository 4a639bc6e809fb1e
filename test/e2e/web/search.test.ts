import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { EventReader, type ReadEvent } from '../../support/event-reader.js';
import { until } from '../../support/until.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

const EVENTS = { Accept: 'text/event-stream' };

/** Jobs of `f` with the workloads `job 0`, `job 1` and so on. */
async function submitMany(scene: WebScene, count: number): Promise<void> {
  const client = scene.peer();
  client.send(...Array.from({ length: count }, (_, number) => `SUBMIT_JOB_BG f··job ${number}`));
  await client.nextOnes(count);
}

const search = (scene: WebScene, query: string): Promise<EventReader> =>
  EventReader.open(`http://127.0.0.1:${scene.port}/v1/jobs?${query}`, EVENTS);

/** All of a search: how many were found, and its end. */
async function follow(reader: EventReader): Promise<{ found: number; end: ReadEvent['data'] }> {
  let found = 0;
  for (;;) {
    const { event, data } = (await reader.next())!;
    found += data.jobs.length;
    if (event === 'end') return { found, end: data };
  }
}

describe('a search that is followed', () => {
  it('tells what it finds, in memory and in storage, and how many jobs there are', async () => {
    const scene = await startWeb({ storage: new MemoryStorage(), window: 100 });
    await submitMany(scene, 3_000);
    const one = await follow(await search(scene, 'q=job+2999'));
    expect([one.found, one.end.scanned, one.end.total, one.end.next]).toEqual([1, 3_000, 3_000, undefined]);
    const page = await follow(await search(scene, 'limit=10'));
    expect([page.found, page.end.next]).toEqual([10, '10']);
    const next = await follow(await search(scene, 'limit=1000&cursor=2990'));
    expect([next.found, next.end.next]).toEqual([10, undefined]);
    const other = await follow(await search(scene, 'q=function:g'));
    expect([other.found, other.end.jobs]).toEqual([0, []]);
  });

  it('says what is wrong with it before it begins', async () => {
    const scene = await startWeb();
    const answer = await scene.json('GET', '/v1/jobs?q=state:odd', { headers: EVENTS });
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining('q: state') } });
  });

  it('tells how far it is, and ends when nobody follows it any more', async () => {
    const scene = await startWeb({}, { maxBufferedBytes: 200_000_000 });
    await submitMany(scene, 60_000);
    const { operations } = coreOf(scene.server);
    let hasEnded = false;
    const whole = operations.findJobs.bind(operations);
    // A search that never ends: all jobs again and again.
    operations.findJobs = async function* (query, signal) {
      for (let round = 0; !signal!.aborted; round++) {
        for await (const part of whole(query, signal)) {
          yield { jobs: [], scanned: part.scanned + round * 60_000 };
        }
      }
      hasEnded = true;
    };
    const reader = await search(scene, 'q=nothing');
    const [first, second] = [(await reader.next())!, (await reader.next())!];
    expect([first.event, second.event]).toEqual(['found', 'found']);
    expect(second.data.scanned).toBeGreaterThan(first.data.scanned);
    reader.close();
    await until('it has ended', () => hasEnded);
  });

  it('is one at a time for each caller, and four in all', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const access = { basic: names.map((name) => ({ name, password: 'p', role: 'operate' as const })) };
    const scene = await startWeb({}, { access });
    await submitMany(scene, 3);
    const { operations } = coreOf(scene.server);
    const whole = operations.findJobs.bind(operations);
    const going = new Set<() => void>();
    operations.findJobs = async function* (query, signal) {
      await new Promise<void>((resolve) => going.add(resolve));
      yield* whole(query, signal);
    };
    const ask = (name: string) =>
      scene.ask('GET', '/v1/jobs', { headers: { Authorization: `Basic ${btoa(`${name}:p`)}` } });
    const [first, second] = [ask('a'), ask('a')];
    const others = ['b', 'c', 'd'].map(ask);
    await until('four go on', () => going.size === 4);
    expect((await ask('e')).status).toBe(503);
    expect(going.size).toBe(4);
    for (const go of going) go();
    expect((await first).status).toBe(200);
    await until('the second one of the same caller goes on', () => going.size === 5);
    for (const go of going) go();
    expect((await second).status).toBe(200);
    for (const other of others) expect((await other).status).toBe(200);
    const last = ask('e');
    await until('there is a place again', () => going.size === 6);
    for (const go of going) go();
    expect((await last).status).toBe(200);
  });
});

describe('cancelling all that match', () => {
  it('cancels them, in memory and in storage, and nothing else', async () => {
    const scene = await startWeb({ storage: new MemoryStorage(), window: 10 });
    await submitMany(scene, 2_000);
    const cancel = (body: unknown) => scene.json('POST', '/v1/jobs/cancel', { body: JSON.stringify(body) });
    expect((await cancel({ q: 'job 19' })).body).toEqual({ matched: 111, done: 111, failed: 0 });
    expect((await cancel({ q: 'job 19' })).body).toEqual({ matched: 0, done: 0, failed: 0 });
    expect((await cancel({ q: 'state:waiting', limit: 89 })).body).toMatchObject({ done: 89 });
    expect((await cancel({ q: '' })).body).toMatchObject({ done: 1_800 });
    for (const wrong of [{}, { q: 7 }, { q: '', limit: 0 }, { q: 'state:odd' }]) {
      expect((await cancel(wrong)).status).toBe(400);
    }
  });

  it('is one line of the log, with who did it and how many', async () => {
    const scene = await startWeb({}, { access: () => ({ role: 'operate', name: 'ann', functions: ['f'] }) });
    await submitMany(scene, 3);
    scene.peer().send('SUBMIT_JOB_BG g··job');
    await until('it is there', () => coreOf(scene.server).engine.jobCount === 4);
    await scene.ask('POST', '/v1/jobs/cancel', { body: '{"q":"job"}' });
    expect(coreOf(scene.server).engine.jobCount).toBe(1);
    expect(scene.log.filter((line) => line.includes('web: ann'))).toEqual([
      expect.stringMatching(/^info: web: ann \(.*\): cancel jobs that match job: 3$/),
    ]);
  });
});
