import { expect, it } from '@jest/globals';
import { type GearmanError, JobClient, JobWorker } from 'nestjs-gearman';
import { atEnd } from '../support/cleanup.js';
import { accepts, freePort } from '../support/free-port.js';
import { startSample } from '../support/sample.js';

const SAMPLE = '02-job-server';

it('is a job server that logs what happens, until Ctrl-C', async () => {
  const port = await freePort();
  const sample = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
  await sample.says(new RegExp(`listening on 127\\.0\\.0\\.1:${port}`));

  const worker = new JobWorker({ servers: `127.0.0.1:${port}` });
  atEnd(() => worker.close());
  worker.on('error', () => {}); // the handler's error, as expected
  worker.register('fail', () => Promise.reject(new Error('no')));
  await worker.start();
  await sample.says(/worker for fail joined/);

  const client = new JobClient({ servers: `127.0.0.1:${port}` });
  atEnd(() => client.close());
  const failure = await new Promise<GearmanError>((fail, complete) =>
    client.submit({ function: 'fail', workload: Buffer.alloc(0) }, { fail, complete }),
  );
  expect(failure).toMatchObject({ code: 'GEARMAN_JOB_EXCEPTION', bytes: Buffer.from('no') });
  await sample.says(/job H:\S+ \(fail\) failed/);

  await sample.end('SIGINT');
  expect(await accepts(port)).toBe(false);
});

it('says that its port is in use, and fails', async () => {
  const port = await freePort();
  const first = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
  await first.says(/listening on/);
  const second = startSample(SAMPLE, { GEARMAN_PORT: `${port}` });
  expect(await second.ended).toBe(1);
  expect(second.output()).toMatch(/^cannot listen on 127\.0\.0\.1:\d+: another program listens there.*\n$/m);
  expect(second.output()).not.toMatch(/^ +at /m);
  await first.end('SIGINT');
});
