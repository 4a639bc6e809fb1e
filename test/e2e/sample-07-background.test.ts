import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { TestJobServer } from 'nestjs-gearman/testing';
import { AppModule } from '../../sample/07-background/app.module.js';
import { exportRows } from '../../sample/07-background/functions.js';
import { RowSource } from '../../sample/07-background/row-source.js';
import { atEnd } from '../support/cleanup.js';
import { PATIENT } from '../support/patience.js';
import { startSample } from '../support/sample.js';
import { until } from '../support/until.js';

/** Rows that come when they are let come. */
class GatedRows extends RowSource {
  private allowed = 0;
  private wake: () => void = () => {};

  allow(rows: number): void {
    this.allowed += rows;
    this.wake();
  }

  override async *rows(count: number): AsyncGenerator<string> {
    for (let row = 1; row <= count; row++) {
      while (this.allowed === 0) await new Promise<void>((resolve) => (this.wake = resolve));
      this.allowed--;
      yield `row ${row}`;
    }
  }
}

async function get(url: string): Promise<{ status: number; body: string }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.text() };
}

async function post(url: string, rows: number): Promise<{ status: string; file: string }> {
  const response = await fetch(`${url}/exports`, { method: 'POST', body: new URLSearchParams({ rows: `${rows}` }) });
  expect(response.status).toBe(202);
  return (await response.json()) as { status: string; file: string };
}

describe('sample 07', () => {
  const jobServer = new TestJobServer();
  const source = new GatedRows();
  let url: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(GearmanJobServer)
      .useValue(jobServer)
      .overrideProvider(RowSource)
      .useValue(source)
      .compile();
    const app = module.createNestApplication<NestExpressApplication>();
    app.connectMicroservice({ strategy: jobServer.strategy() });
    atEnd(() => app.close());
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  it('tells of a job nobody waits for whether it waits, how far it is, and that it is done', async () => {
    const statusOf = async (path: string): Promise<unknown> => JSON.parse((await get(`${url}${path}`)).body);
    jobServer.pause(exportRows.name);
    const { status, file } = await post(url, 4);
    expect(await statusOf(status)).toEqual({ state: 'waiting' });
    expect(await get(`${url}${file}`)).toMatchObject({ status: 404 });

    jobServer.resume(exportRows.name);
    source.allow(1);
    await until('a quarter is done', async () => JSON.stringify(await statusOf(status)).includes('25'));
    expect(await statusOf(status)).toEqual({ state: 'running', percent: 25 });

    source.allow(3);
    await jobServer.untilEmpty(exportRows, PATIENT);
    expect(await statusOf(status)).toEqual({ state: 'done' });
    expect(await get(`${url}${file}`)).toEqual({ status: 200, body: 'row 1\nrow 2\nrow 3\nrow 4' });
  });

  it('knows nothing of an export that never was', async () => {
    expect(await get(`${url}/exports/none/status`)).toMatchObject({ status: 404 });
  });

  it('runs as its README says', async () => {
    const sample = startSample('07-background', { PORT: '0' });
    const [, address] = await sample.says(/(http:\S+)\/exports/);
    const { status, file } = await post(address!, 3);
    await until('the export is done', async () => (await get(`${address}${status}`)).body === '{"state":"done"}');
    expect((await get(`${address}${file}`)).body).toBe('1,1\n2,4\n3,9');
    await sample.end('SIGTERM');
  });
});
