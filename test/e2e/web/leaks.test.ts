import { get, type ClientRequest, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { atEnd } from '../../support/cleanup.js';
import { EventReader } from '../../support/event-reader.js';
import { submit } from '../../support/front.js';
import { until } from '../../support/until.js';
import { usedBytes } from '../../support/used-bytes.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

function listenersOf({ server }: WebScene): number {
  return server.eventNames().reduce((sum, name) => sum + server.listenerCount(name as 'submitted'), 0);
}

const connectionsOf = (scene: WebScene): Promise<number> =>
  new Promise((resolve, reject) => {
    scene.http.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });

/** Counts the intervals that are armed from now on, and not cleared. */
function countIntervals(): () => number {
  const { setInterval, clearInterval } = globalThis;
  const armed = new Set<unknown>();
  globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
    const timer = setInterval(...args);
    armed.add(timer);
    return timer;
  }) as typeof setInterval;
  globalThis.clearInterval = (timer) => {
    armed.delete(timer);
    clearInterval(timer);
  };
  atEnd(async () => void Object.assign(globalThis, { setInterval, clearInterval }));
  return () => armed.size;
}

/** Counts the answers that somebody holds on to, of all there ever were: what is kept of a page has its answer. */
function countAnswers({ http }: WebScene): () => number {
  const answers: WeakRef<object>[] = [];
  http.on('request', (_request, response) => answers.push(new WeakRef(response)));
  return () => {
    // Collects what nobody holds on to.
    usedBytes();
    return answers.filter((answer) => answer.deref() !== undefined).length;
  };
}

/** Opens a page; it is there when its answer has begun. */
function open(port: number, path: string, isPacked: boolean): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const headers = isPacked ? { 'Accept-Encoding': 'gzip' } : {};
    const request = get({ port, path, headers, agent: false }, (response: IncomingMessage) => {
      response.on('error', () => undefined);
      if (response.statusCode !== 200) reject(new Error(`${response.statusCode}`));
      // Some have read something when they leave, some nothing.
      else if (isPacked) response.once('data', () => resolve(request));
      else resolve(request);
    });
    request.on('error', reject);
  });
}

describe('1,000 pages that came and went', () => {
  it('leave nothing behind: no place, no listener, no timer, no socket and no object', async () => {
    const intervals = countIntervals();
    // More places, or more room, than these are not there: who left has to give them back.
    const scene = await startWeb({}, { maxStreams: 50, maxBufferedBytes: 1_000_000 });
    for (let number = 0; number < 200; number++) await submit(scene.peer(), `SUBMIT_JOB_BG f${number}··w`);
    const handle = await submit(scene.peer(), 'SUBMIT_JOB_BG watched··w');
    const answers = countAnswers(scene);
    const eventStreams = async (): Promise<number> => (await scene.json('GET', '/v1/server')).body.eventStreams;
    const paths = ['/v1/events', '/v1/events?topics=functions,jobs,workers,audit', `/v1/jobs/${handle}/events`];
    const round = async (path: string): Promise<void> => {
      const pages = await Promise.all(
        Array.from({ length: 50 }, (_, index) => open(scene.port, path, index % 2 === 0)),
      );
      if (path.startsWith('/v1/events')) expect(await eventStreams()).toBe(50);
      for (const page of pages) page.destroy();
      await until('all have left', async () => (await sseClients(scene)) === 0);
    };
    // The first one has the job server look at its event loop from now on.
    await round(paths[0]!);
    const before = [listenersOf(scene), intervals()];
    for (let number = 1; number < 20; number++) await round(paths[number % paths.length]!);
    await until('every socket is closed but those that fetch keeps', async () => (await connectionsOf(scene)) < 10);
    await until('no answer is held on to but the last ones', () => answers() < 50);
    expect([listenersOf(scene), intervals()]).toEqual(before);
  });

  async function sseClients(scene: WebScene): Promise<number> {
    const metrics = await (await scene.ask('GET', '/metrics')).text();
    return Number(/^gearman_sse_clients (\d+)$/m.exec(metrics)![1]);
  }
});

describe('closing', () => {
  it('waits for nobody, though 20 follow what happens: it ends their streams', async () => {
    const scene = await startWeb();
    const url = `http://127.0.0.1:${scene.port}/v1/events?topics=functions,server,jobs,workers,audit`;
    const readers = await Promise.all(Array.from({ length: 20 }, () => EventReader.open(url)));
    for (const reader of readers) await reader.nextOf('functions');
    const { setTimeout } = globalThis;
    // Who does not read is cut off after a second: all of these read, so nothing that takes a second may be needed.
    globalThis.setTimeout = ((act: () => void, time = 0) =>
      setTimeout(act, time >= 1_000 ? 2 ** 30 : time).unref()) as typeof setTimeout;
    try {
      await scene.handler.close();
    } finally {
      globalThis.setTimeout = setTimeout;
    }
    for (const reader of readers) for (let event = await reader.next(); event; event = await reader.next());
    expect(scene.server.eventNames()).toEqual([]);
    scene.http.close();
    await until('every socket is closed', async () => (await connectionsOf(scene)) === 0);
  });
});
