import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { ROUTES } from '../../../lib/web/api/routes.js';
import { describeApi, mustFit } from '../../support/api-answers.js';
import { submit } from '../../support/front.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

const STORED = (): object => ({
  storage: new MemoryStorage(),
  keepResults: 60_000,
  policies: { dead: { retries: 0 } },
});

/** Makes a dead letter of the function `dead`, and returns its handle. */
async function die(scene: WebScene, workload = 'w', reason = 'boom'): Promise<string> {
  const { body } = await scene.json('POST', '/v1/functions/dead/jobs', { body: workload });
  const worker = scene.peer();
  const { handle } = await grab(worker, 'dead');
  worker.send(`WORK_EXCEPTION ${handle}·${reason}`);
  await until('it is dead', async () => (await scene.json('GET', `/v1/dead-letters/${body.handle}`)).status === 200);
  worker.destroy();
  return body.handle;
}

describe('submitting over HTTP', () => {
  it('accepts a background job with any bytes, and says where it is', async () => {
    const scene = await startWeb();
    const response = await scene.ask('POST', '/v1/functions/f/jobs?priority=high&unique=u', {
      body: new Uint8Array([0, 255, 1]),
    });
    expect(response.status).toBe(202);
    const { handle, coalesced } = (await response.json()) as { handle: string; coalesced: boolean };
    expect(coalesced).toBe(false);
    const location = new URL(response.headers.get('location')!, response.url);
    expect(location.pathname).toBe(`/v1/jobs/${encodeURIComponent(handle)}`);
    const job = await scene.json('GET', location.pathname);
    expect(job.body).toMatchObject({
      handle,
      function: 'f',
      unique: 'u',
      priority: 'high',
      state: 'waiting',
      size: 3,
      isBackground: true,
    });
    const workload = await scene.ask('GET', `${location.pathname}/workload`);
    expect([...new Uint8Array(await workload.arrayBuffer())]).toEqual([0, 255, 1]);
    expect(workload.headers.get('content-disposition')).toBe('attachment');
    const again = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x', headers: { 'Idempotency-Key': 'u' } });
    expect(again.body).toEqual({ handle, coalesced: true });
  });

  it('tells a new job from one that joins another in storage', async () => {
    const scene = await startWeb({ ...STORED(), window: 1 });
    const first = await scene.json('POST', '/v1/functions/f/jobs?unique=a', { body: '1' });
    await scene.json('POST', '/v1/functions/f/jobs?unique=b', { body: '2' });
    const third = await scene.json('POST', '/v1/functions/f/jobs?unique=c', { body: '3' });
    expect(third.body.coalesced).toBe(false);
    expect((await scene.json('POST', '/v1/functions/f/jobs?unique=c', { body: '4' })).body).toEqual({
      ...third.body,
      coalesced: true,
    });
    expect((await scene.json('POST', '/v1/functions/f/jobs?unique=a', { body: '4' })).body).toEqual({
      ...first.body,
      coalesced: true,
    });
  });

  it('delays a job, and lets it run now', async () => {
    const scene = await startWeb();
    const { body } = await scene.json('POST', '/v1/functions/f/jobs?delay=3600', { body: 'x' });
    const path = `/v1/jobs/${body.handle}`;
    expect((await scene.json('GET', path)).body.state).toBe('delayed');
    expect((await scene.ask('POST', `${path}/run-now`)).status).toBe(204);
    expect((await scene.json('GET', path)).body.state).toBe('waiting');
    expect((await scene.json('POST', `${path}/run-now`)).body).toMatchObject({ status: 409, code: 'not-delayed' });
  });

  it('runs a job in the foreground: its data and its result are the answer', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'hello' });
    const { handle, workload } = await grab(worker);
    expect(workload).toBe('hello');
    worker.send(`WORK_DATA ${handle}·one `, `WORK_COMPLETE ${handle}·two`);
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([200, 'one two']);
    expect(decodeURIComponent(response.headers.get('gearman-handle')!)).toBe(handle);
  });

  it('answers a failed job with 422 and its exception', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    const answer = scene.json('POST', '/v1/functions/f/run', { body: 'x' });
    const { handle } = await grab(worker);
    worker.send(`WORK_EXCEPTION ${handle}·because`);
    expect(await answer).toMatchObject({
      status: 422,
      body: { code: 'job-failed', handle, exception: { text: 'because' } },
    });
  });

  it('tells what happens as events where these are accepted', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'x', headers: { Accept: 'text/event-stream' } });
    const { handle } = await grab(worker);
    worker.send(
      `WORK_STATUS ${handle}·1·2`,
      `WORK_DATA ${handle}·d`,
      `WORK_WARNING ${handle}·w`,
      `WORK_COMPLETE ${handle}·r`,
    );
    const events = await (await answer).text();
    expect(events.replaceAll(handle, 'H')).toBe(
      'retry: 2000\n\n' +
        'event: created\ndata: {"handle":"H"}\n\n' +
        'event: status\ndata: {"numerator":1,"denominator":2}\n\n' +
        'event: data\ndata: {"text":"d"}\n\n' +
        'event: warning\ndata: {"text":"w"}\n\n' +
        'event: complete\ndata: {"handle":"H","text":"r"}\n\n',
    );
  });

  it('ends as events where the job failed', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'x', headers: { Accept: 'text/event-stream' } });
    const { handle } = await grab(worker);
    worker.send(`WORK_EXCEPTION ${handle}·because`);
    const [, , last] = (await (await answer).text()).trimEnd().split('\n\n');
    const [event, data] = last!.split('\n');
    expect(event).toBe('event: fail');
    expect(JSON.parse(data!.replace('data: ', ''))).toMatchObject({
      status: 422,
      code: 'job-failed',
      handle,
      exception: { text: 'because' },
    });
  });

  it('hands the trace of its caller on beside the workload, and how the job was submitted', async () => {
    const scene = await startWeb();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const metadataOf = (handle: string): unknown => {
      const metadata = coreOf(scene.server).engine.find(handle)?.metadata;
      return metadata === undefined ? undefined : JSON.parse(metadata);
    };
    const metadataFor = async (query: string, headers: Record<string, string>): Promise<unknown> => {
      const { body } = await scene.json('POST', `/v1/functions/f/jobs${query}`, { body: 'x', headers });
      return metadataOf(body.handle);
    };
    const tracestate = 'a=1';
    expect(await metadataFor('', { traceparent })).toEqual({ traceparent, 'gearman-submitted': 'background' });
    expect(await metadataFor('?delay=60', { traceparent, tracestate })).toEqual({
      traceparent,
      tracestate,
      'gearman-submitted': 'delayed',
    });
    const batch = { body: '{"jobs":[{"function":"f","text":"x"}]}', headers: { traceparent } };
    const { body } = await scene.json('POST', '/v1/jobs', batch);
    expect(metadataOf(body.jobs[0].handle)).toEqual({ traceparent, 'gearman-submitted': 'background' });
    const nones = ['no', traceparent.replace(/b7ad.*-/, '0000000000000000-'), traceparent.replace('00-', 'ff-')];
    for (const none of nones) expect(await metadataFor('', { traceparent: none, tracestate })).toBeUndefined();
  });

  it('takes a reducer, and a time as a date and in seconds', async () => {
    const scene = await startWeb(STORED());
    const handleOf = async (query: string): Promise<string> =>
      (await scene.json('POST', `/v1/functions/f/jobs?${query}`, { body: 'x' })).body.handle;
    const { engine } = coreOf(scene.server);
    expect(engine.find(await handleOf('reducer=r%C3%A9'))).toMatchObject({ reducer: 'r\xc3\xa9' });
    const date = Date.UTC(2100, 0, 31, 8);
    for (const at of ['2100-01-31T08:00:00Z', String(date / 1_000)]) {
      const handle = await handleOf(`at=${at}`);
      expect((await scene.json('GET', `/v1/jobs/${handle}`)).body.state).toBe('delayed');
      expect(await coreOf(scene.server).storedJobs!.jobOf(handle)).toMatchObject({ at: date });
    }
    const past = await handleOf('at=1');
    expect((await scene.json('GET', `/v1/jobs/${past}`)).body.state).toBe('waiting');
    const both = await scene.json('POST', '/v1/functions/f/jobs?at=1&delay=1', { body: 'x' });
    expect(both.body).toMatchObject({ status: 400, detail: 'at and delay: must be given one without the other' });
  });

  it('gives a job up when its caller goes away, or is tired of waiting', async () => {
    const scene = await startWeb();
    const gone = new AbortController();
    const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'x', signal: gone.signal });
    await until('the job waits', () => coreOf(scene.server).engine.jobCount === 1);
    gone.abort();
    await expect(answer).rejects.toThrow();
    await until('the job is gone', () => coreOf(scene.server).engine.jobCount === 0);
    const late = await scene.json('POST', '/v1/functions/f/run?timeout=0.05', { body: 'x' });
    expect(late).toMatchObject({ status: 504, body: { code: 'timeout' } });
    expect(coreOf(scene.server).engine.jobCount).toBe(0);
  });

  it('takes names that a path cannot carry', async () => {
    const scene = await startWeb();
    for (const name of [Buffer.from('..'), Buffer.from([0x66, 0xff]), Buffer.from('-')]) {
      const name64 = name.toString('base64url');
      expect((await scene.ask('POST', `/v1/functions/-/jobs?function64=${name64}`, { body: 'x' })).status).toBe(202);
      const { status } = await scene.json('GET', `/v1/functions/-?function64=${name64}`);
      expect(status).toBe(200);
    }
    expect((await scene.ask('POST', '/v1/functions/a%2Fb%3Fc%23d%20e/jobs', { body: 'x' })).status).toBe(202);
    const { body } = await scene.json('GET', '/v1/functions');
    expect(body.functions.map((each: { name: string }) => each.name)).toEqual(['..', 'f\ufffd', '-', 'a/b?c#d e']);
    expect(body.functions[1].name64).toBe('Zv8');
  });

  it('submits a list, with an outcome for each', async () => {
    const scene = await startWeb();
    const jobs = [
      { function: 'f', json: { a: 1 } },
      { function: 'f', text: 'é', priority: 'low' },
      { function: 'f', base64: '/wA=' },
      { function: '' },
      { function: 'f', priority: 'urgent' },
      { function: 'f', text: 'a', json: 1 },
    ];
    const { status, body } = await scene.json('POST', '/v1/jobs', { body: JSON.stringify({ jobs }) });
    expect(status).toBe(202);
    expect(body.jobs.map((each: { code?: string }) => each.code)).toEqual([
      undefined,
      undefined,
      undefined,
      ...Array(3).fill('invalid-request'),
    ]);
    const workloads = await Promise.all(
      body.jobs.slice(0, 3).map(async ({ handle }: { handle: string }) => {
        return Buffer.from(await (await scene.ask('GET', `/v1/jobs/${handle}/workload`)).arrayBuffer()).toString('hex');
      }),
    );
    expect(workloads).toEqual([Buffer.from('{"a":1}').toString('hex'), 'c3a9', 'ff00']);
    expect((await scene.json('POST', '/v1/jobs', { body: '{' })).body.code).toBe('invalid-request');
  });

  it('says when the job server is ending', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    const { handle } = await grab(worker);
    const ending = scene.server.stop({ gracePeriod: Infinity });
    for (const path of ['/v1/functions/f/jobs', '/v1/functions/f/run']) {
      const late = await scene.ask('POST', path, { body: 'x' });
      expect([late.status, late.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await late.json()).toMatchObject({ code: 'shutting-down' });
    }
    worker.send(`WORK_COMPLETE ${handle}·`);
    await ending;
  });

  it.each([
    ['/v1/functions/f/jobs?priority=urgent', 400, 'invalid-request'],
    ['/v1/functions/f/jobs?at=soon', 400, 'invalid-request'],
    ['/v1/functions/f/jobs?delay=-1', 400, 'invalid-request'],
    ['/v1/functions/f/run?delay=1', 400, 'invalid-request'],
    ['/v1/functions/f%00/jobs', 400, 'invalid-request'],
    ['/v1/functions/%FF/jobs', 400, 'invalid-request'],
    ['/v1/functions/-/jobs?function64=', 400, 'invalid-request'],
    [`/v1/functions/f/jobs?unique=${'u'.repeat(65)}`, 400, 'argument-too-large'],
    ['/v1/functions/f/jobs?server=other', 400, 'invalid-request'],
  ])('refuses %s', async (path, status, code) => {
    const scene = await startWeb();
    expect((await scene.json('POST', path, { body: 'x' })).body).toMatchObject({ status, code });
  });

  it('says when a queue is full', async () => {
    const scene = await startWeb({ maxQueue: [1, 1, 1] });
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    const full = await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    expect([full.status, full.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await full.json()).toMatchObject({ code: 'queue-full' });
  });
});

describe('jobs over HTTP', () => {
  it('searches them page by page', async () => {
    const scene = await startWeb();
    for (let number = 0; number < 5; number++) {
      await scene.ask('POST', `/v1/functions/f/jobs`, { body: `{"user":{"id":${number % 2}}}` });
    }
    await scene.ask('POST', '/v1/functions/g/jobs?priority=low', { body: 'a needle here' });
    const count = async (q: string): Promise<number> =>
      (await scene.json('GET', `/v1/jobs?q=${encodeURIComponent(q)}`)).body.jobs.length;
    expect(
      await Promise.all(
        ['', 'function:f', 'user.id:1', 'priority:low', '"a needle"', 'state:running', 'age>1h', 'hex:6e65'].map(count),
      ),
    ).toEqual([6, 5, 2, 1, 1, 0, 0, 1]);
    const first = await scene.json('GET', '/v1/jobs?limit=4');
    const second = await scene.json('GET', `/v1/jobs?limit=4&cursor=${first.body.next}`);
    expect([first.body.jobs.length, second.body.jobs.length, second.body.next]).toEqual([4, 2, undefined]);
    expect((await scene.json('GET', '/v1/jobs?q=state:no')).body.code).toBe('invalid-request');
  });

  it('waits for a result, keeps it, and says when it does not', async () => {
    const scene = await startWeb(STORED());
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    const path = `/v1/jobs/${body.handle}`;
    const waiting = await scene.ask('GET', `${path}/result`);
    expect([waiting.status, waiting.headers.get('retry-after')]).toEqual([202, '1']);
    const answer = scene.ask('GET', `${path}/result?wait=60`);
    const worker = scene.peer();
    const { handle } = await grab(worker);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await (await answer).text()).toBe('done');
    expect(await (await scene.ask('GET', `${path}/result`)).text()).toBe('done');
    expect((await scene.json('GET', path)).body).toEqual({ handle, state: 'complete' });
    expect((await scene.json('GET', '/v1/jobs/none/result')).status).toBe(404);
    const forgetful = await startWeb();
    expect((await forgetful.json('GET', '/v1/jobs/none/result')).body.code).toBe('results-not-kept');
  });

  it('cancels what waits, and keeps what runs from being queued again', async () => {
    const scene = await startWeb(STORED());
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    expect((await scene.ask('DELETE', `/v1/jobs/${body.handle}`)).status).toBe(204);
    expect((await scene.json('DELETE', `/v1/jobs/${body.handle}`)).status).toBe(404);
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    const worker = scene.peer();
    const { handle } = await grab(worker);
    expect((await scene.ask('DELETE', `/v1/jobs/${handle}`)).status).toBe(202);
  });

  it('does not keep a job alive that is only watched', async () => {
    const scene = await startWeb({ abandonedTimeout: 1 });
    const client = scene.peer();
    const handle = await submit(client, 'SUBMIT_JOB f··w');
    const events = await fetch(`http://127.0.0.1:${scene.port}/v1/jobs/${handle}/events`);
    expect((await scene.json('GET', `/v1/jobs/${handle}`)).body.clients).toBe(1);
    client.destroy();
    const last = (await events.text()).trimEnd().split('\n\n').at(-1);
    expect(last).toBe('event: fail\ndata: {"outcome":"abandoned","text":""}');
    expect((await scene.json('GET', `/v1/jobs/${handle}`)).status).toBe(404);
  });

  it('lets anybody watch a job, and ends when the job does', async () => {
    const scene = await startWeb();
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    // Not by ask: it reads the whole answer.
    const events = await fetch(`http://127.0.0.1:${scene.port}/v1/jobs/${body.handle}/events`);
    expect(events.headers.get('cache-control')).toBe('no-cache, no-transform');
    const worker = scene.peer();
    const { handle } = await grab(worker);
    worker.send(`WORK_STATUS ${handle}·1·2`, `WORK_FAIL ${handle}`);
    const names = [...(await events.text()).matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
    expect(names).toEqual(['job', 'started', 'status', 'fail']);
  });
});

describe('operating over HTTP', () => {
  it('pauses, resumes, limits and purges a function', async () => {
    const scene = await startWeb();
    const told: unknown[] = [];
    scene.server.on('audit', ({ action, target, count }) => told.push([action, target, count]));
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    await scene.ask('POST', '/v1/functions/f/pause');
    expect((await scene.json('GET', '/v1/functions/f')).body).toMatchObject({ isPaused: true, total: 1 });
    await scene.ask('POST', '/v1/functions/f/resume');
    const limits = { high: 1, normal: 2, low: 3 };
    await scene.ask('PUT', '/v1/functions/f/limits', { body: JSON.stringify(limits) });
    expect((await scene.json('GET', '/v1/functions/f')).body).toMatchObject({ isPaused: false, limits });
    expect((await scene.json('DELETE', '/v1/functions/f/jobs')).body).toEqual({ purged: 1 });
    expect((await scene.json('PUT', '/v1/functions/f/limits', { body: '{"high":-1}' })).status).toBe(400);
    expect((await scene.json('GET', '/v1/functions/none')).status).toBe(404);
    expect(told).toEqual([
      ['pause', 'f', 1],
      ['resume', 'f', 1],
      ['limits', 'f', 1],
      ['purge', 'f', 1],
    ]);
  });

  it('tells what a worker runs and since when, the ten jobs that it was given first', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    worker.send('CAN_DO f');
    const handles: string[] = [];
    for (let number = 1; number <= 11; number++) {
      await scene.ask('POST', '/v1/functions/f/jobs', { body: `${number}` });
      handles.push((await grab(worker)).handle);
    }
    const [told] = (await scene.json('GET', '/v1/workers')).body.workers;
    expect(told.running).toBe(11);
    expect(told.jobs.map(({ handle }: { handle: string }) => handle)).toEqual(handles.slice(0, 10));
    const { startedAt } = (await scene.json('GET', `/v1/jobs/${handles[0]}`)).body;
    // Both are reckoned from now, which goes on between them.
    expect(Math.abs(Date.parse(told.jobs[0].startedAt) - Date.parse(startedAt))).toBeLessThan(1_000);
    expect(told.jobs[0].function).toBe('f');
  });

  it('quiets a worker, wakes it and closes its connection', async () => {
    const scene = await startWeb();
    const worker = scene.peer();
    worker.send('SET_CLIENT_ID w1', 'CAN_DO f', 'ECHO_REQ x');
    await worker.next();
    const { body } = await scene.json('GET', '/v1/workers');
    expect(body.workers).toMatchObject([{ clientId: 'w1', functions: ['f'], isQuiet: false }]);
    const path = `/v1/workers/${body.workers[0].id}`;
    expect((await scene.ask('POST', `${path}/quiet`)).status).toBe(204);
    expect((await scene.json('GET', '/v1/workers')).body.workers[0].isQuiet).toBe(true);
    expect((await scene.ask('DELETE', `${path}/quiet`)).status).toBe(204);
    expect((await scene.ask('DELETE', path)).status).toBe(204);
    expect((await scene.json('DELETE', '/v1/workers/999')).status).toBe(404);
    await until('it is gone', async () => (await scene.json('GET', '/v1/workers')).body.workers.length === 0);
  });

  it('lists, replays and purges dead letters', async () => {
    const scene = await startWeb(STORED());
    const [one, two, three] = [await die(scene, '1'), await die(scene, '2', 'other'), await die(scene, '3')];
    const list = async (query = ''): Promise<string[]> =>
      (await scene.json('GET', `/v1/dead-letters${query}`)).body.deadLetters.map(
        ({ handle }: { handle: string }) => handle,
      );
    expect(await list()).toEqual([one, two, three]);
    expect(await list('?q=other')).toEqual([two]);
    expect((await scene.json('GET', '/v1/dead-letters?limit=2')).body.next).toBe('2');
    expect(await list('?cursor=2')).toEqual([three]);
    expect(await (await scene.ask('GET', `/v1/jobs/${one}/workload`)).text()).toBe('1');
    expect((await scene.ask('POST', `/v1/dead-letters/${one}/replay`)).status).toBe(204);
    const replay = { body: JSON.stringify({ q: 'other' }) };
    expect((await scene.json('POST', '/v1/dead-letters/replay', replay)).body).toEqual({
      matched: 1,
      done: 1,
      failed: 0,
    });
    expect((await scene.ask('DELETE', `/v1/dead-letters/${three}`)).status).toBe(204);
    expect((await scene.json('POST', '/v1/dead-letters/purge', { body: '{}' })).body).toEqual({
      matched: 0,
      done: 0,
      failed: 0,
    });
    expect((await scene.json('POST', '/v1/dead-letters/purge', { body: '{"limit":0}' })).status).toBe(400);
  });
});

describe('the route table', () => {
  it('is in openapi.json, line by line', async () => {
    const { paths } = await describeApi();
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(ROUTES.map(({ method, template }) => `${method} ${template}`).sort());
  });

  it('answers nothing else', async () => {
    const scene = await startWeb();
    expect((await scene.json('GET', '/v1/none')).body).toMatchObject({ status: 404, code: 'no-such-route' });
    const wrong = await scene.ask('PATCH', '/v1/jobs');
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD']);
    const head = await scene.ask('HEAD', '/v1/functions');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await scene.json('GET', '/v1/server')).body).toMatchObject({ name: 'main', isEnding: false });
    expect(await (await scene.ask('GET', '/metrics')).text()).toContain('gearman_');
    expect(head.headers.get('x-content-type-options')).toBe('nosniff');
    expect(head.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('what is bounded', () => {
  it('refuses a body that is too large, whether it says so first or not', async () => {
    const scene = await startWeb({ maxPacketBytes: 1_000 });
    const said = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(1_001) });
    expect(said.body).toEqual({
      type: 'about:blank',
      title: 'Payload Too Large',
      status: 413,
      detail: 'A body may have 1000 bytes here: a workload maxPacketBytes.',
      code: 'body-too-large',
    });
    const stream = new ReadableStream(
      { pull: (controller) => controller.enqueue(new Uint8Array(600)) },
      { highWaterMark: 0 },
    );
    const unsaid = fetch(`http://127.0.0.1:${scene.port}/v1/functions/f/jobs`, {
      method: 'POST',
      body: stream,
      duplex: 'half',
    } as RequestInit);
    expect((await unsaid.catch(() => ({ status: 413 }))).status).toBe(413);
    expect(coreOf(scene.server).engine.jobCount).toBe(0);
    expect(
      (await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(1_000 - 12 - 'f··'.length) })).status,
    ).toBe(202);
  });

  it('accepts no job that is larger than a client of Gearman may send, however it is written down', async () => {
    const scene = await startWeb({ maxPacketBytes: 10_000 });
    const worker = scene.peer();
    const longest = 10_000 - 12 - 'f·unique·'.length;
    const post = (bytes: number, path = 'jobs'): Promise<Response> =>
      scene.ask('POST', `/v1/functions/f/${path}?unique=unique`, { body: 'x'.repeat(bytes) });
    for (const path of ['jobs', 'run']) {
      expect(await (await post(longest + 1, path)).json()).toMatchObject({
        status: 413,
        code: 'body-too-large',
        detail:
          'This job has 10001 bytes as a packet, and maxPacketBytes is 10000: raise it, or make the workload shorter',
      });
    }
    // A number of JSON may be written at greater length than it came.
    const { body } = await scene.json('POST', '/v1/jobs', {
      body: `{"jobs":[{"function":"f","json":[${Array(1_000).fill('1e20').join()}]}]}`,
    });
    expect(body.jobs).toMatchObject([{ status: 413, code: 'body-too-large' }]);
    expect((await post(longest)).status).toBe(202);
    worker.send('CAN_DO f', 'GRAB_JOB_UNIQ');
    const assigned = await worker.next();
    expect(assigned).toContain('x'.repeat(longest));
    expect(Buffer.byteLength(assigned) - 'JOB_ASSIGN_UNIQ '.length + 12).toBeLessThanOrEqual(10_128);
  });

  it('gives up a body that does not come to its end, and says so', async () => {
    const scene = await startWeb({}, { bodyTimeout: 50 });
    const path = '/v1/functions/f/jobs';
    const headers = { 'Content-Length': 10 };
    const half = httpRequest({ port: scene.port, host: '127.0.0.1', method: 'POST', path, headers });
    half.on('error', () => undefined).write('x');
    const [response] = (await once(half, 'response')) as [IncomingMessage];
    let body = '';
    for await (const part of response.setEncoding('utf8')) body += part;
    const { statusCode: status = 0, headers: told } = response;
    await mustFit('POST', path, { status, headers: new Headers(told as Record<string, string>), body });
    expect(told.connection).toBe('close');
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Request Timeout',
      status: 408,
      detail: 'The body took longer than 50 ms.',
      code: 'body-too-slow',
    });
  });

  it('borrows no room for what comes of a body that it has given up', async () => {
    const scene = await startWeb({}, { bodyTimeout: 1_000, maxBufferedBytes: 1_000_000 });
    const path = '/v1/functions/f/jobs';
    const headers = { 'Content-Length': 900_000 };
    const late = httpRequest({ port: scene.port, host: '127.0.0.1', method: 'POST', path, headers });
    late.on('error', () => undefined).write('x');
    const [response] = (await once(late, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(408);
    late.end(Buffer.alloc(899_999));
    await once(response.resume(), 'end');
    // On a busy machine this body may take too long as well.
    const statuses = new Set<number>();
    const post = async () => (await scene.json('POST', path, { body: new Uint8Array(900_000) })).status;
    await until('a body came in time', async () => statuses.add(await post()).has(202) || statuses.has(503));
    expect(statuses).not.toContain(503);
  });

  it('ends event streams and waits when it is closed', async () => {
    const scene = await startWeb();
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    const events = await fetch(`http://127.0.0.1:${scene.port}/v1/jobs/${body.handle}/events`);
    const runs = Array.from({ length: 20 }, () => scene.json('POST', '/v1/functions/g/run', { body: 'x' }));
    await until('they wait', () => coreOf(scene.server).engine.jobCount === 21);
    await scene.handler.close();
    expect(await events.text()).toMatch(/^retry/);
    for (const run of runs) expect(await run).toMatchObject({ status: 503, body: { code: 'closed' } });
  });
});
