import { get, type ClientRequest } from 'node:http';
import { expect, it } from '@jest/globals';
import { submit } from '../../support/front.js';
import { until } from '../../support/until.js';
import { startWeb } from '../../support/web-scene.js';

it('1,000 pages that came and went leave nothing behind', async () => {
  // More places, or more room, than these are not there: who left has to give them back.
  const scene = await startWeb({}, { maxStreams: 50, maxBufferedBytes: 1_000_000 });
  for (let number = 0; number < 200; number++) await submit(scene.peer(), `SUBMIT_JOB_BG f${number}··w`);
  const listeners = (): number =>
    scene.server.eventNames().reduce((sum, name) => sum + scene.server.listenerCount(name as 'submitted'), 0);
  const before = listeners();
  const open = (packed: boolean, path: string): Promise<ClientRequest> =>
    new Promise((resolve, reject) => {
      const headers = packed ? { 'Accept-Encoding': 'gzip' } : {};
      const request = get({ port: scene.port, path, headers, agent: false }, (response) => {
        response.on('error', () => undefined);
        if (response.statusCode !== 200) reject(new Error(`${response.statusCode}`));
        // Some have read something when they leave, some nothing.
        else if (packed) response.once('data', () => resolve(request));
        else resolve(request);
      });
      request.on('error', reject);
    });
  const streams = async (): Promise<number> => (await scene.json('GET', '/v1/server')).body.eventStreams;
  for (let round = 0; round < 20; round++) {
    const topics = round % 2 === 0 ? '' : '?topics=functions,jobs,workers,audit';
    const pages = await Promise.all(
      Array.from({ length: 50 }, (_, index) => open(index % 2 === 0, `/v1/events${topics}`)),
    );
    expect(await streams()).toBe(50);
    for (const page of pages) page.destroy();
    await until('all have left', async () => (await streams()) === 0);
  }
  expect(listeners()).toBe(before);
});
