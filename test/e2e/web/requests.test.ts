import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { requestText, sayHttp, statusesOf } from '../../support/raw-http.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

describe('the address of a request', () => {
  it.each(['/v1/functions/\xff/jobs', '/v1/functions/\xc3\xa9/jobs', '/v1/functions/f/jobs?unique=\xff'])(
    'is ASCII, as Node has it: %j',
    async (path) => {
      const scene = await startWeb();
      expect(statusesOf(await sayHttp(scene.port, requestText(`POST ${path}`)))).toEqual([400]);
    },
  );

  it.each(['/v1/functions/%ff/jobs', '/v1/functions/f/jobs?unique=a%ff%fe', '/v1/functions/f/jobs?unique=%ED%A0%80'])(
    'is percent-encoded UTF-8, in its query too: %s',
    async (path) => {
      const scene = await startWeb();
      expect((await scene.json('POST', path)).body).toMatchObject({ status: 400, code: 'invalid-request' });
      expect(coreOf(scene.server).engine.jobCount).toBe(0);
    },
  );

  it('stands in the reason of a refusal as one harmless line', async () => {
    const scene = await startWeb();
    const path = `/v1/functions/${encodeURIComponent('evil\u009b31m\n\u202eF')}`;
    const detail = String.raw`There is no function evil\x{c2}\x{9b}31m\x{0a}\x{e2}\x{80}\x{ae}F.`;
    expect(await scene.json('GET', path)).toMatchObject({ status: 404, body: { detail } });
  });

  it('may have a percent sign that is none of an escape in its query, as people type it', async () => {
    const scene = await startWeb();
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'by 100%' });
    const answer = await sayHttp(scene.port, requestText('GET /v1/jobs?q=100%'));
    expect(answer).toMatch(/^HTTP\/1.1 200 .*"function":"f"/s);
  });

  it('may name its host, as to a proxy', async () => {
    const scene = await startWeb();
    const answer = await sayHttp(scene.port, requestText('GET http://localhost/v1/me?server=main'));
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    '/jobs/v1/functions/jobs/jobs',
    '/a/jobs/v1/functions/jobs/jobs',
    '/jobs/jobs/v1/functions/jobs/jobs',
    '/jobs/jobs/jobs/v1/functions/jobs/jobs',
  ])('is found below the path of the handler, whatever has that name besides: %s', async (path) => {
    const scene = await startWeb({}, { path: '/jobs/' });
    expect(statusesOf(await sayHttp(scene.port, requestText(`POST ${path}`)))).toEqual([202]);
    expect(await functionsOfMounted(scene)).toContain('"name":"jobs"');
    const page = await sayHttp(scene.port, requestText('GET /jobs/jobs'));
    expect(page).toMatch(/^HTTP\/1.1 307 .*Location: jobs\//s);
  });

  it.each(['/other/v1/functions', '/jobsx/v1/functions', '/', '*'])('is nothing elsewhere: %s', async (path) => {
    const scene = await startWeb({}, { path: 'jobs' });
    expect(statusesOf(await sayHttp(scene.port, requestText(`GET ${path}`)))).toEqual([404]);
  });

  it('leads to the job at the job server that was asked', async () => {
    const { server: other } = await startWeb();
    const scene = await startWeb(
      {},
      {
        sources: [
          { name: 'one', jobServer: (await startWeb()).server },
          { name: 'two & more', jobServer: other },
        ],
      },
    );
    const response = await scene.ask('POST', '/v1/functions/f/jobs?server=two+%26+more');
    const location = new URL(response.headers.get('location')!, response.url);
    expect((await scene.json('GET', location.pathname + location.search)).body).toMatchObject({ function: 'f' });
  });
});

const functionsOfMounted = (scene: WebScene): Promise<string> =>
  sayHttp(scene.port, requestText('GET /jobs/v1/functions'));

describe('what a request wants', () => {
  it.each([
    '/v1/jobs?limit=1.5',
    '/v1/dead-letters?limit=2.5',
    '/v1/history/jobs?limit=0.5',
    '/v1/jobs?limit=NaN',
    '/v1/jobs?limit=1001',
    '/v1/jobs?cursor=-1',
    '/v1/jobs/H:x:1/result?wait=301',
    '/v1/jobs/H:x:1/result?wait=soon',
  ])('is refused where it is not understood: %s', async (path) => {
    const scene = await startWeb({ storage: new MemoryStorage() });
    expect((await scene.json('GET', path)).body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it.each([
    ['{"jobs":[{"function":"f","text":"\xff"}]}', 'JSON in UTF-8'],
    ['{"jobs":[}', 'JSON'],
    ['[]', 'a list of at most 1000 jobs'],
    ['null', 'a list of at most 1000 jobs'],
    [`{"jobs":[${'{},'.repeat(1_000)}{}]}`, 'a list of at most 1000 jobs'],
  ])('in JSON is refused where it is none: %.40s', async (text, allowed) => {
    const scene = await startWeb();
    const { body } = await scene.json('POST', '/v1/jobs', { body: Buffer.from(text, 'latin1') });
    expect(body).toMatchObject({ status: 400, detail: expect.stringContaining(allowed) });
  });

  it('of a list is refused line by line, and never taken for something else', async () => {
    const scene = await startWeb();
    const lines = [
      '{"function":"f","base64":"!!!!"}',
      '{"function":"f","base64":"AAAAA"}',
      '{"function":"f","base64":"AAAA\\nAA=="}',
      `{"function":"f","json":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      '{"function64":"Zv8"}',
      '{"function64":"Z/8"}',
      '{"function":7}',
      'null',
    ];
    const { body } = await scene.json('POST', '/v1/jobs', { body: `{"jobs":[${lines.join()}]}` });
    const outcomes = body.jobs.map(({ detail = 'accepted' }: { detail?: string }) => detail);
    expect(outcomes).toEqual([
      'base64: must be bytes in base64',
      'base64: must be bytes in base64',
      'accepted',
      'json: must be nested less deeply',
      'accepted',
      'accepted',
      'function: must be text',
      'jobs: must be objects',
    ]);
    expect(scene.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('is read from 1 MiB of JSON at most, of a list of jobs from 8', async () => {
    const scene = await startWeb();
    const of = (bytes: number): string => JSON.stringify({ jobs: [{ function: 'f', text: 'x'.repeat(bytes) }] });
    expect((await scene.ask('POST', '/v1/jobs', { body: of(8_388_608) })).status).toBe(413);
    expect((await scene.ask('POST', '/v1/jobs', { body: of(8_000_000) })).status).toBe(202);
    expect((await scene.ask('PUT', '/v1/functions/f/limits', { body: of(1_048_576) })).status).toBe(413);
  });
});

it('takes a body as it is, whatever it is said to be', async () => {
  const scene = await startWeb();
  const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json; charset=utf-16' };
  const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: '\xff{', headers });
  const workload = await scene.ask('GET', `/v1/jobs/${body.handle}/workload`);
  expect(await workload.text()).toBe('\xff{');
});

describe('methods', () => {
  it.each(['OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'])(
    'that nothing answers are named those that are: %s',
    async (method) => {
      const scene = await startWeb();
      const answer = await sayHttp(scene.port, requestText(`${method} /v1/functions/f/jobs`));
      expect(answer).toMatch(/^HTTP\/1.1 405 .*Allow: POST, DELETE\r\n.*"code":"method-not-allowed"/s);
    },
  );

  it('say no other site may ask: there is no leave for it', async () => {
    const scene = await startWeb();
    const headers = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'DELETE' };
    const answer = await sayHttp(scene.port, requestText('OPTIONS /v1/functions/f/jobs', headers));
    expect(answer).not.toMatch(/access-control/i);
  });

  it('HEAD answers with the head alone, of what never ends as well', async () => {
    const scene = await startWeb({}, { maxStreams: 1 });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    for (const path of ['/v1/events', `/v1/jobs/${body.handle}/events`, `/v1/jobs/${body.handle}/workload`]) {
      const answer = await sayHttp(scene.port, requestText(`HEAD ${path}`));
      expect(answer).toMatch(/^HTTP\/1.1 200 .*\r\n\r\n$/s);
      await until(
        'its place is free',
        async () => (await scene.ask('GET', '/v1/jobs/H:x:1/result?wait=1')).status !== 503,
      );
    }
  });

  it('DELETE twice is 404 of a job that is gone, and 202 of one that runs on', async () => {
    const scene = await startWeb({ storage: new MemoryStorage() });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    const twice = (): Promise<number[]> =>
      Promise.all([1, 2].map(async () => (await scene.ask('DELETE', `/v1/jobs/${body.handle}`)).status));
    expect((await twice()).sort()).toEqual([204, 404]);
    const { body: running } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'y' });
    const { handle } = await grab(scene.peer());
    expect(handle).toBe(running.handle);
    const [first, second] = await Promise.all([1, 2].map(() => scene.ask('DELETE', `/v1/jobs/${handle}`)));
    expect([first!.status, second!.status]).toEqual([202, 202]);
  });

  it('GET gives all of it whatever part is asked for, and whatever the caller has already', async () => {
    const scene = await startWeb();
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'workload' });
    const late = 'Thu, 01 Jan 2099 00:00:00 GMT';
    const wishes: Record<string, string>[] = [
      { Range: 'bytes=0-1' },
      { 'If-None-Match': '"x"' },
      { 'If-Modified-Since': late },
    ];
    for (const headers of wishes) {
      const response = await scene.ask('GET', `/v1/jobs/${body.handle}/workload`, { headers });
      expect([response.status, await response.text()]).toEqual([200, 'workload']);
    }
  });
});
