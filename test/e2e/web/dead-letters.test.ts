import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { EventReader } from '../../support/event-reader.js';
import { until } from '../../support/until.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

/** A job server with so many dead letters of the function `f`. */
async function startDead(count: number): Promise<WebScene> {
  const storage = new MemoryStorage();
  const scene = await startWeb({ storage });
  const heard = new Proxy({}, { get: () => () => undefined }) as never;
  for (let number = 0; number < count; number++) {
    const handle = `H:dead:${number}`;
    const job = {
      handle,
      function: 'f',
      unique: '',
      priority: 1,
      workload: 'w',
      reducer: '',
      at: 0,
      attempts: 0,
      losses: 0,
    } as const;
    storage.add(job, 'always', heard);
    storage.bury(handle, 'boom', 1_000 + number);
  }
  return scene;
}

const acting = ({ port }: WebScene, action: 'replay' | 'purge', body: object): Promise<EventReader> => {
  const url = `http://127.0.0.1:${port}/v1/dead-letters/${action}`;
  return EventReader.open(url, { Accept: 'text/event-stream' }, JSON.stringify(body));
};

describe('replaying and purging many dead letters', () => {
  it.each(['replay', 'purge'] as const)('tells how far it is, where events are accepted: %s', async (action) => {
    const scene = await startDead(100);
    const reader = await acting(scene, action, { limit: 50 });
    const seen: string[] = [];
    for (let event = await reader.next(); event; event = await reader.next()) {
      expect(event.data).toEqual({ matched: 50, done: expect.any(Number), failed: 0 });
      seen.push(`${event.event} ${event.data.done}`);
    }
    expect(seen).toEqual(['progress 16', 'progress 32', 'progress 48', 'progress 50', 'done 50']);
    expect((await scene.json('GET', '/v1/dead-letters')).body.deadLetters).toHaveLength(50);
    expect((await scene.json('GET', '/v1/jobs')).body.jobs).toHaveLength(action === 'replay' ? 50 : 0);
    expect((await scene.json('POST', '/v1/dead-letters/purge', { body: '{}' })).body).toEqual({
      matched: 50,
      done: 50,
      failed: 0,
    });
  });

  it('counts those that it could not, and says why where it had to end', async () => {
    const scene = await startDead(40);
    const { deadLetters } = coreOf(scene.server);
    const purge = deadLetters!.purge.bind(deadLetters);
    // Some went meanwhile; and then the disk is full.
    deadLetters!.purge = (handle) => {
      if (handle === 'H:dead:39') throw new Error('no space left');
      return /[02468]$/.test(handle) ? Promise.resolve(false) : purge(handle);
    };
    const reader = await acting(scene, 'purge', {});
    const told: unknown[] = [];
    for (let event = await reader.next(); event; event = await reader.next()) told.push([event.event, event.data]);
    expect(told).toEqual([
      ['progress', { matched: 40, done: 8, failed: 8 }],
      ['progress', { matched: 40, done: 16, failed: 16 }],
      ['fail', expect.objectContaining({ status: 500, code: 'internal' })],
    ]);
    expect(scene.log.filter((line) => line.startsWith('error'))).toEqual([expect.stringContaining('no space left')]);
  });

  it.each(['replay', 'purge'] as const)('holds nobody up, however many they are: %s', async (action) => {
    const scene = await startDead(10_000);
    const reader = await acting(scene, action, {});
    let last = await reader.next();
    const peer = scene.peer();
    for (let number = 0; number < 5; number++) await peer.untilEcho();
    expect((await scene.json('GET', '/v1/me')).status).toBe(200);
    expect((await reader.next())!.event).toBe('progress');
    for (let event = await reader.next(); event; event = await reader.next()) last = event;
    expect(last).toMatchObject({ event: 'done', data: { matched: 10_000, done: 10_000, failed: 0 } });
  });

  it('ends when its caller leaves, and what was done is told', async () => {
    const scene = await startDead(20_000);
    const audits: number[] = [];
    scene.server.on('audit', ({ count }) => audits.push(count));
    const reader = await acting(scene, 'purge', {});
    await reader.next();
    reader.close();
    await until('it has ended', () => audits.length === 1);
    let left = 0;
    for (let cursor: string | undefined = '0'; cursor !== undefined;) {
      const { body } = await scene.json('GET', `/v1/dead-letters?limit=1000&cursor=${cursor}`);
      left += body.deadLetters.length;
      cursor = body.next;
    }
    expect(left).toBeGreaterThan(0);
    expect(left + audits[0]!).toBe(20_000);
  });
});
