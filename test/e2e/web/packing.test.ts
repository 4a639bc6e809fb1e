import { get, type IncomingMessage } from 'node:http';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { atEnd } from '../../support/cleanup.js';
import { EventReader } from '../../support/event-reader.js';
import { submit } from '../../support/front.js';
import { startWeb, type WebScene } from '../../support/web-scene.js';

function ask({ port }: WebScene, path: string, encoding?: string): Promise<IncomingMessage> {
  const headers = encoding === undefined ? {} : { 'Accept-Encoding': encoding };
  return new Promise((resolve, reject) => {
    const request = get({ port, path, headers, agent: false }, resolve).on('error', reject);
    atEnd(async () => void request.destroy());
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

/** Reads a stream that stays open until it has this in it. @returns how many bytes came for it. */
async function readTo(response: IncomingMessage, wanted: string): Promise<number> {
  let [size, text] = [0, ''];
  response.on('data', (part: Buffer) => (size += part.length));
  const isPacked = response.headers['content-encoding'] === 'gzip';
  const plain = isPacked ? response.pipe(createGunzip({ flush: constants.Z_SYNC_FLUSH })) : response;
  for await (const part of plain as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    if (text.includes(wanted)) break;
  }
  return size;
}

function addFunctions(scene: WebScene, count: number): void {
  for (let number = 0; number < count; number++) coreOf(scene.server).engine.createFunction(`function-${number}`);
}

describe('an answer over HTTP', () => {
  it('is packed for who takes that, and the same for who does not', async () => {
    const scene = await startWeb();
    addFunctions(scene, 2_000);
    const [packed, plain] = [await ask(scene, '/v1/functions', 'br, gzip'), await ask(scene, '/v1/functions')];
    expect([packed.headers['content-encoding'], packed.headers.vary]).toEqual(['gzip', 'Accept-Encoding']);
    expect([plain.headers['content-encoding'], plain.headers.vary]).toEqual([undefined, 'Accept-Encoding']);
    const bytes = await bodyOf(packed);
    const whole = await bodyOf(plain);
    expect(gunzipSync(bytes).equals(whole)).toBe(true);
    expect(bytes.length).toBeLessThan(whole.length / 10);
    for (const refusal of ['gzip;q=0', 'gzip; q=0.0', 'identity']) {
      expect((await ask(scene, '/v1/functions', refusal)).headers['content-encoding']).toBeUndefined();
    }
    const description = await ask(scene, '/v1/openapi.json', 'gzip');
    const text = gunzipSync(await bodyOf(description));
    expect(JSON.parse(text.toString())).toMatchObject({ openapi: '3.1.0' });
    expect((await ask(scene, '/v1/me', 'gzip')).headers['content-encoding']).toBeUndefined();
  });

  it('is never packed where it has bytes of a peer', async () => {
    const scene = await startWeb();
    const handle = await submit(scene.peer(), `SUBMIT_JOB_BG f··${'w'.repeat(5_000)}`);
    const response = await ask(scene, `/v1/jobs/${handle}/workload`, 'gzip');
    expect(response.headers['content-encoding']).toBeUndefined();
    expect((await bodyOf(response)).length).toBe(5_000);
  });
});

describe('events that are packed', () => {
  it('can be read as soon as they are sent', async () => {
    const scene = await startWeb();
    const response = await ask(scene, '/v1/events?topics=jobs', 'gzip');
    expect(response.headers['content-encoding']).toBe('gzip');
    const seen = readTo(response, '"happened":"submitted"');
    await submit(scene.peer(), 'SUBMIT_JOB_BG f··w');
    await seen;
  });

  it('tell 2,000 functions in less than a quarter of what they are plain', async () => {
    const scene = await startWeb();
    const client = scene.peer();
    client.send(...Array.from({ length: 2_000 }, (_, number) => `SUBMIT_JOB_BG function-${number}··w`));
    await client.nextOnes(2_000);
    const query = '/v1/events?topics=functions';
    const plain = await readTo(await ask(scene, query), '\nid: ');
    const packed = await readTo(await ask(scene, query, 'gzip'), '\nid: ');
    expect(packed).toBeGreaterThan(0);
    expect(packed).toBeLessThan(plain / 4);
  });

  it('take no room any more once they were read, or nobody reads them', async () => {
    const scene = await startWeb({}, { maxBufferedBytes: 200_000 });
    addFunctions(scene, 2_000);
    for (let round = 0; round < 8; round++) {
      const reader = await EventReader.open(`http://127.0.0.1:${scene.port}/v1/events`);
      // Of every other one a part is on its way when it is closed.
      const { data } = round % 2 === 0 ? await reader.nextOf('functions') : (await reader.next())!;
      expect(data).toBeDefined();
      reader.close();
    }
    const reader = await EventReader.open(`http://127.0.0.1:${scene.port}/v1/events`);
    let names = 0;
    while (names < 2_000)
      names += (await reader.nextOf('functions')).data.names.filter((each: unknown) => typeof each === 'string').length;
  });
});
