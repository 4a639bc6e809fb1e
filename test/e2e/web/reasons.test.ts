import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { MAX_REASONS, reasonOf, Reasons } from '../../../lib/web/api/reasons.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

/** Jobs of a function that fail for good, each for its reason. */
async function die(scene: WebScene, name: string, reasons: readonly string[]): Promise<void> {
  const worker = scene.peer();
  for (const reason of reasons) {
    await scene.ask('POST', `/v1/functions/${name}/jobs`, { body: reason });
    const { handle } = await grab(worker, name);
    worker.send(`WORK_EXCEPTION ${handle}·${reason}`);
    await until('it is dead', async () => (await scene.ask('GET', `/v1/dead-letters/${handle}`)).status === 200);
  }
  worker.destroy();
}

const STORED = () => ({ storage: new MemoryStorage(), policies: { '*': { retries: 0 } } });

it.each([
  ['order 4711 has no address', 'order … has no address'],
  ['0af76519-16cd-43dd-8448-eb211c80319c is unknown', '… is unknown'],
  ['commit deadbeef01 at 0.5 s', 'commit … at ….… s'],
  ['added facade', 'added facade'],
  ['', ''],
  ['x'.repeat(1_000), 'x'.repeat(300)],
])('The reason of %j is %j', (error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});

it('Reasons are a bounded number, and count all', () => {
  const reasons = new Reasons();
  const letters = Array.from({ length: 30 }, (_, one) => 'a'.repeat(one)).flatMap((first) =>
    Array.from({ length: 40 }, (_, two) => `${first} ${'b'.repeat(two)}`),
  );
  for (const error of letters) reasons.add({ function: 'f', error, diedAt: new Date() });
  expect([reasons.list().length, reasons.total]).toEqual([MAX_REASONS, 1_200]);
});

describe('dead letters by reason', () => {
  it('are counted, and listed, replayed and purged by it', async () => {
    const scene = await startWeb(STORED());
    await die(scene, 'f', ['order 1 is lost', 'disk full', 'order 22 is lost']);
    await die(scene, 'g', ['order 3 is lost']);
    const reasons = async (query = ''): Promise<unknown> => {
      const { body } = await scene.json('GET', `/v1/dead-letters/reasons${query}`);
      return [body.total, ...body.reasons.map((each: any) => [each.function, each.reason, each.count])]; // oxlint-disable-line typescript/no-explicit-any -- what JSON is
    };
    const lost = 'order … is lost';
    expect(await reasons()).toEqual([4, ['f', lost, 2], ['f', 'disk full', 1], ['g', lost, 1]]);
    expect(await reasons('?function=g')).toEqual([1, ['g', lost, 1]]);
    expect(await reasons('?q=disk')).toEqual([1, ['f', 'disk full', 1]]);
    const listed = await scene.json('GET', `/v1/dead-letters?function=f&reason=${encodeURIComponent(lost)}`);
    expect(listed.body.deadLetters.map(({ error }: { error: string }) => error)).toEqual([
      'order 1 is lost',
      'order 22 is lost',
    ]);
    const act = async (verb: string, choice: object): Promise<unknown> =>
      (await scene.json('POST', `/v1/dead-letters/${verb}`, { body: JSON.stringify(choice) })).body;
    expect(await act('replay', { function: 'f', reason: lost })).toEqual({ matched: 2, done: 2, failed: 0 });
    expect(await act('purge', { reason: lost })).toEqual({ matched: 1, done: 1, failed: 0 });
    expect(await reasons()).toEqual([1, ['f', 'disk full', 1]]);
    expect((await scene.ask('POST', '/v1/dead-letters/purge', { body: '{"reason":7}' })).status).toBe(400);
  });

  it('are one for each function to who may not see why', async () => {
    const scene = await startWeb(STORED(), { access: ({ headers }) => (headers['x-role'] as 'read') ?? 'operate' });
    await die(scene, 'f', ['order 1 is lost', 'disk full']);
    const headers = { 'x-role': 'read' };
    const { body } = await scene.json('GET', '/v1/dead-letters/reasons', { headers });
    expect(body.reasons).toMatchObject([{ function: 'f', reason: '', count: 2 }]);
    const list = await scene.json('GET', '/v1/dead-letters?reason=', { headers });
    expect(list.body.deadLetters).toHaveLength(2);
    expect((await scene.ask('GET', '/v1/dead-letters?reason=disk+full', { headers })).status).toBe(403);
  });
});
