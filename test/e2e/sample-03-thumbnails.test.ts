import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { lastValueFrom, toArray } from 'rxjs';
import sharp from 'sharp';
import { makeThumbnails, WIDTHS } from '../../sample/03-thumbnails/functions.js';
import { ThumbnailsController } from '../../sample/03-thumbnails/thumbnails.controller.js';
import type { Program } from '../support/program.js';
import { startSample } from '../support/sample.js';
import { serveSample } from '../support/sample-app.js';
import { until } from '../support/until.js';

interface Uploaded {
  readonly events: string;
  readonly thumbnails: string[];
}

function picture(color: string): Promise<Buffer> {
  return sharp({ create: { width: 1600, height: 1200, channels: 3, background: color } })
    .png()
    .toBuffer();
}

it("sample 03's worker sends each thumbnail, or says what is wrong with the image", async () => {
  const { jobServer } = await serveSample({ controllers: [ThumbnailsController] });
  const client = jobServer.client();
  const thumbnails = await lastValueFrom(client.send(makeThumbnails, await picture('teal')).pipe(toArray()));
  const widths = await Promise.all(thumbnails.map(async (image) => (await sharp(image).metadata()).width));
  expect(widths).toEqual(WIDTHS);

  const failed = lastValueFrom(client.send(makeThumbnails, Buffer.from('no image')));
  await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/^no thumbnail: /) });
});

describe('sample 03', () => {
  let sample: Program;
  let url: string;

  beforeAll(async () => {
    sample = startSample('03-thumbnails', { PORT: '0', GEARMAN_PORT: '0', WORKERS: '2' });
    [, url] = (await sample.says(/(http:\S+)\/images/)) as unknown as [string, string];
  });

  async function upload(image: Buffer): Promise<Uploaded> {
    const form = new FormData();
    form.append('image', new Blob([image]), 'image.png');
    const response = await fetch(`${url}/images`, { method: 'POST', body: form });
    expect(response.status).toBe(201);
    return (await response.json()) as Uploaded;
  }

  /** All events of an image, which are over when its job is. */
  async function eventsOf({ events }: Uploaded): Promise<unknown[]> {
    const text = await (await fetch(`${url}${events}`)).text();
    return [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);
  }

  it('makes thumbnails of an upload, and tells how far it is', async () => {
    const uploaded = await upload(await picture('teal'));
    expect(await eventsOf(uploaded)).toEqual([
      { made: 1, of: 3 },
      { made: 2, of: 3 },
      { made: 3, of: 3 },
    ]);
    const sizes = uploaded.thumbnails.map(async (path) => {
      const response = await fetch(`${url}${path}`);
      const { format, width, height } = await sharp(await response.arrayBuffer()).metadata();
      return { type: response.headers.get('content-type'), format, width, height };
    });
    const webp = { type: 'image/webp', format: 'webp' };
    expect(await Promise.all(sizes)).toEqual([
      { ...webp, width: 64, height: 48 },
      { ...webp, width: 200, height: 150 },
      { ...webp, width: 800, height: 600 },
    ]);
  });

  it('spreads the images over its worker processes', async () => {
    const workers = async () => (await (await fetch(`${url}/workers`)).json()) as Record<string, number>;
    const image = await picture('navy');
    await until('both workers were given images', async () => {
      await Promise.all(Array.from({ length: 6 }, async () => eventsOf(await upload(image))));
      return Object.keys(await workers()).length === 2;
    });
  });

  it('tells what is wrong with an upload', async () => {
    const uploaded = await upload(Buffer.from('not an image'));
    expect(await eventsOf(uploaded)).toEqual([{ failed: expect.stringContaining('no thumbnail: ') }]);
    expect((await fetch(`${url}${uploaded.thumbnails[0]}`)).status).toBe(404);
    expect((await fetch(`${url}/images`, { method: 'POST' })).status).toBe(400);
  });

  it('ends with its workers', async () => {
    await sample.end('SIGTERM');
    expect(sample.output().trim().split('\n')).toHaveLength(1);
  });
});
