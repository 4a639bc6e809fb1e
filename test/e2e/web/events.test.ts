import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { submit } from '../../support/front.js';
import { EventReader, type ReadEvent } from '../../support/event-reader.js';
import { numbered } from '../../support/numbered.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

const open = (scene: WebScene, query = '', headers = {}): Promise<EventReader> =>
  EventReader.open(`http://127.0.0.1:${scene.port}/v1/events${query}`, headers);

/** The rows of an event by name, with their columns. */
function table(hello: ReadEvent, { data }: ReadEvent, names = new Map<number, string>()): Record<string, object> {
  for (const [id, name] of numbered<string>(data.names)) names.set(id, name);
  return Object.fromEntries(
    numbered<number[]>(data.rows).map(([id, values]) => [
      names.get(id),
      Object.fromEntries(hello.data.columns.map((column: string, index: number) => [column, values[index] ?? 0])),
    ]),
  );
}

describe('events over HTTP', () => {
  it('tell all functions first, then those that changed, and those that are gone', async () => {
    const scene = await startWeb();
    const handle = await submit(scene.peer(), 'SUBMIT_JOB_HIGH_BG f··w');
    await submit(scene.peer(), 'SUBMIT_JOB_BG g··w');
    const reader = await open(scene);
    const hello = (await reader.next())!;
    expect(hello).toMatchObject({ event: 'hello', data: { server: 'main', resumed: false, intervalSeconds: 1 } });
    const names = new Map<number, string>();
    const first = await reader.nextOf('functions');
    expect(first.data.reset).toBe(true);
    expect(table(hello, first, names)).toMatchObject({ f: { high: 1, submitted: 1, workers: 0 }, g: { normal: 1 } });
    coreOf(scene.server).engine.cancel(handle);
    coreOf(scene.server).engine.pause('g');
    const second = await reader.nextOf('functions');
    expect(table(hello, second, names)).toMatchObject({ f: { high: 0, oldestAt: 0 }, g: { normal: 1, paused: 1 } });
    expect(second.data.names).toEqual([]);
    expect(coreOf(scene.server).engine.dropFunction('f')).toBeUndefined();
    const third = await reader.nextOf('functions');
    expect(third.data.gone.map((id: number) => names.get(id))).toEqual(['f']);
  });

  it('tell how many dead letters there are, also of a function that has nothing else', async () => {
    const scene = await startWeb({ storage: new MemoryStorage(), policies: { f: { retries: 0 } } });
    await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    const worker = scene.peer();
    const { handle } = await grab(worker);
    worker.send(`WORK_FAIL ${handle}`);
    await worker.untilEcho();
    const reader = await open(scene);
    const hello = (await reader.next())!;
    const names = new Map<number, string>();
    const first = await reader.nextOf('functions');
    expect(table(hello, first, names)).toMatchObject({ f: { failed: 1, dead: 1, workers: 1 } });
    worker.destroy();
    await until('it is gone', () => coreOf(scene.server).engine.dropFunction('f') === undefined);
    const second = await reader.nextOf('functions', ({ gone }) => gone.length === 1);
    expect(table(hello, second, names)).toMatchObject({ f: { failed: 0, dead: 1, workers: 0 } });
    expect(second.data.gone).toEqual([first.data.names[0]]);
    await scene.ask('DELETE', `/v1/dead-letters/${handle}`);
    const third = await reader.nextOf('functions');
    expect(third.data).toMatchObject({ names: [], rows: [], gone: [second.data.names[0]] });
  });

  it('tell since when the oldest job waits and the first one runs, and not their age', async () => {
    const scene = await startWeb();
    await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    const worker = scene.peer();
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    const reader = await open(scene);
    const hello = (await reader.next())!;
    const first = table(hello, await reader.nextOf('functions'))['f'] as { oldestAt: number; longestAt: number };
    for (const at of [first.oldestAt, first.longestAt]) {
      const date = Date.parse(hello.data.epoch) + at;
      expect(Math.abs(Date.now() - date)).toBeLessThan(60_000);
      expect(at).not.toBe(0);
      // What stands for none is a millisecond later.
      expect(hello.data.now - at).toBeGreaterThanOrEqual(-1);
      expect(Math.abs(Date.parse(hello.data.at) - hello.data.now + at - date)).toBeLessThan(60_000);
    }
    // Nothing happens: nothing is told of functions, whatever the time is.
    coreOf(scene.server).engine.pause('other');
    const next = await reader.nextOf('functions');
    expect(numbered(next.data.rows)).toHaveLength(1);
  });

  it('tell the job server, when something of it changed', async () => {
    const scene = await startWeb();
    const reader = await open(scene, '?topics=server');
    const { data } = await reader.nextOf('server');
    expect(data).toMatchObject({ functions: 0, connections: 0, eventStreams: 1, isEnding: false });
    scene.peer();
    await reader.nextOf('server', (state) => state.connections === 1);
    expect((await scene.json('GET', '/v1/server')).body).toMatchObject({ connections: 1, eventStreams: 1 });
  });

  it('go on where a stream was lost, with what has changed since', async () => {
    const scene = await startWeb();
    await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    await submit(scene.peer(), 'SUBMIT_JOB_BG g··w');
    const reader = await open(scene);
    const { id } = await reader.nextOf('functions');
    reader.close();
    await submit(scene.peer(), 'SUBMIT_JOB_BG g··w');
    for (const again of [await open(scene, '', { 'Last-Event-ID': id! }), await open(scene, `?lastEventId=${id}`)]) {
      const hello = (await again.next())!;
      expect(hello.data.resumed).toBe(true);
      const { data } = await again.nextOf('functions');
      expect([data.reset, data.names, numbered(data.rows).length]).toEqual([undefined, [], 1]);
    }
    const other = await open(scene, '', { 'Last-Event-ID': 'elsewhere.1' });
    expect((await other.next())!.data.resumed).toBe(false);
    expect((await other.nextOf('functions')).data).toMatchObject({
      reset: true,
      names: [1, 'f', 'g'],
    });
  });

  it('tell what happens to jobs and workers, and who did what', async () => {
    const scene = await startWeb();
    const reader = await open(scene, '?topics=jobs,workers,audit&function=f*');
    await reader.next();
    const worker = scene.peer();
    worker.send('SET_CLIENT_ID w1', 'CAN_DO f');
    await worker.untilEcho();
    await submit(scene.peer(), 'SUBMIT_JOB_BG other··w');
    const handle = await submit(scene.peer(), 'SUBMIT_JOB_BG f·u·w');
    worker.send('GRAB_JOB');
    await worker.next();
    worker.send(`WORK_FAIL ${handle}`);
    const job = { handle, function: 'f', unique: 'u', isBackground: true, isDelayed: false, at: expect.any(String) };
    expect(await reader.next()).toMatchObject({
      event: 'worker',
      data: { happened: 'workerJoined', clientId: 'w1', functions: ['f'] },
    });
    expect((await reader.next())!.data).toEqual({ happened: 'submitted', ...job });
    expect((await reader.next())!.data).toEqual({ happened: 'assigned', worker: 'w1', ...job });
    expect((await reader.next())!.data).toEqual({ happened: 'failed', ...job });
    await scene.ask('POST', '/v1/functions/f/pause');
    expect(await reader.next()).toMatchObject({ event: 'audit', data: { action: 'pause', target: 'f' } });
    worker.destroy();
    expect((await reader.next())!.data).toMatchObject({ happened: 'workerLeft', functions: [] });
  });

  it('tell 200 jobs a second at most, and how many they were besides', async () => {
    const scene = await startWeb();
    const reader = await open(scene, '?topics=jobs');
    await reader.next();
    const client = scene.peer();
    client.send(...Array.from({ length: 1_000 }, () => 'SUBMIT_JOB_BG f··w'));
    await client.nextOnes(1_000);
    let [jobs, missed] = [0, 0];
    while (jobs + missed < 1_000) {
      const { event, data } = (await reader.next())!;
      if (event === 'job') jobs++;
      else missed += data.count;
    }
    expect(jobs).toBeGreaterThanOrEqual(200);
    expect(jobs).toBeLessThan(1_000);
    expect(jobs + missed).toBe(1_000);
  });

  it('cost nothing while nobody looks on', async () => {
    const scene = await startWeb();
    const listeners = (): number => scene.server.eventNames().length;
    const before = listeners();
    const reader = await open(scene, '?topics=jobs,workers,audit,functions');
    const other = await open(scene, '?topics=jobs');
    await reader.next();
    expect(listeners()).toBe(before + 9);
    reader.close();
    await until('only jobs are heard of', () => listeners() === before + 6);
    other.close();
    await until('nothing is heard of', () => listeners() === before);
  });

  it('are those of the functions alone that somebody may see', async () => {
    const scene = await startWeb({}, { access: () => ({ role: 'read', functions: ['f*'] }) });
    await submit(scene.peer(), 'SUBMIT_JOB_BG f1··w');
    await submit(scene.peer(), 'SUBMIT_JOB_BG g··w');
    const reader = await open(scene, '?topics=functions,server,jobs');
    expect((await reader.nextOf('functions')).data.names).toEqual([1, 'f1']);
    await submit(scene.peer(), 'SUBMIT_JOB_BG g··w');
    await submit(scene.peer(), 'SUBMIT_JOB_BG f2··w');
    expect((await reader.next())!.data).toMatchObject({ happened: 'submitted', function: 'f2' });
    expect((await scene.ask('GET', '/v1/events?topics=audit')).status).toBe(403);
    expect((await scene.json('GET', '/v1/server')).body).toEqual({
      name: 'main',
      version: expect.any(String),
      isEnding: false,
    });
  });

  it('refuse a topic there is none of, and a stream too many', async () => {
    const scene = await startWeb({}, { maxStreams: 2 });
    expect((await scene.ask('GET', '/v1/events?topics=all')).status).toBe(400);
    const readers = [await open(scene), await open(scene)];
    const third = await scene.ask('GET', '/v1/events');
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '5']);
    readers[0]!.close();
    await until('there is a place', async () => {
      const again = await open(scene).catch(() => undefined);
      again?.close();
      return again !== undefined;
    });
  });

  it('end with the handler, however many are open', async () => {
    const scene = await startWeb();
    const readers = await Promise.all(Array.from({ length: 20 }, () => open(scene)));
    await scene.handler.close();
    for (const reader of readers) {
      for (let event = await reader.next(); event; event = await reader.next());
    }
  });

  it('hold little for who does not read, and tell it everything when it reads again', async () => {
    // More than this is in nobody's way: who had more unread would be cut off.
    const scene = await startWeb({ maxFunctions: 50_000 }, { maxBufferedBytes: 1_500_000 });
    for (let number = 0; number < 30_000; number++)
      coreOf(scene.server).engine.createFunction(`${'f'.repeat(400)}${number}`);
    const lazy = connect(scene.port, '127.0.0.1').on('error', () => undefined);
    lazy.pause().write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const eager = await open(scene);
    let names = 0;
    while (names < 30_000) names += (await eager.nextOf('functions')).data.names.length;
    expect(eager.size).toBeGreaterThan(12_000_000);
    let text = '';
    lazy.setEncoding('latin1').on('data', (part: string) => (text += part));
    lazy.resume();
    const isLast = /id: .*\nevent: functions\ndata: .*\}\n\n/;
    await until('it has read all', () => isLast.test(text.slice(-60_000)));
    expect(text.match(/f{400}\d/g)).toHaveLength(30_000);
    expect(text).not.toContain('event: cut');
    lazy.destroy();
  });
});
