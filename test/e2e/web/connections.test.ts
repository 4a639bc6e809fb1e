import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { requestText, sayHttp, statusesOf } from '../../support/raw-http.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

describe('connections', () => {
  it('carry a request after one that was refused before its body came', async () => {
    const scene = await startWeb({}, { access: ({ url }) => (url!.includes('/g/') ? 'submit' : 'read') });
    const first = requestText('POST /v1/functions/f/jobs', { Connection: 'keep-alive' }, 'GET /v1/me HTTP/1.1\r\n\r\n');
    const answer = await sayHttp(scene.port, first + requestText('POST /v1/functions/g/jobs', {}, 'x'));
    expect(statusesOf(answer)).toEqual([403, 202]);
  });

  it.each([
    ['Content-Length: 3\r\nTransfer-Encoding: chunked', '0\r\n\r\n'],
    ['Content-Length: 3\r\nContent-Length: 4', 'abcd'],
    ['Transfer-Encoding: chunked, identity', 'abcd'],
    ['Content-Length: +3', 'abc'],
    ['Transfer-Encoding : chunked', '0\r\n\r\n'],
  ])('end where it is not clear how long a body is: %j', async (headers, body) => {
    const scene = await startWeb();
    const head = `POST /v1/functions/f/jobs HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n`;
    const smuggled = requestText('POST /v1/functions/g/jobs');
    const answer = await sayHttp(scene.port, head + body + smuggled);
    expect(statusesOf(answer)).toEqual([400]);
    expect(coreOf(scene.server).engine.jobCount).toBe(0);
  });

  it('end at headers that are too large, and take large ones', async () => {
    const scene = await startWeb();
    const answer = await sayHttp(scene.port, requestText('GET /v1/me', { 'X-Large': 'x'.repeat(20_000) }));
    expect(statusesOf(answer)).toEqual([431]);
    expect(statusesOf(await sayHttp(scene.port, requestText('GET /v1/me', { 'X-Large': 'x'.repeat(10_000) })))).toEqual(
      [200],
    );
  });

  it('end after a body that is too large, and its sender reads why', async () => {
    const scene = await startWeb({ maxPacketBytes: 100_000 });
    const body = 'x'.repeat(20_000_000);
    const asked = requestText('POST /v1/functions/f/jobs', { Connection: 'keep-alive' }, body);
    const answer = await sayHttp(scene.port, asked + requestText('GET /v1/me'));
    expect(statusesOf(answer)).toEqual([413]);
    expect(answer).toMatch(/Connection: close/i);
    const chunk = `${(50_000).toString(16)}\r\n${'x'.repeat(50_000)}\r\n`;
    const head = 'POST /v1/functions/f/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(statusesOf(await sayHttp(scene.port, head + chunk.repeat(100) + '0\r\n\r\n'))).toEqual([413]);
  });

  it('end after a body that there is no room for, and its sender reads why', async () => {
    const scene = await startWeb({}, { maxBufferedBytes: 100_000 });
    const asked = requestText('POST /v1/functions/f/jobs', { Connection: 'keep-alive' }, 'x'.repeat(5_000_000));
    expect(statusesOf(await sayHttp(scene.port, asked + requestText('GET /v1/me')))).toEqual([503]);
  });

  it('may carry many requests at once, answered in their order', async () => {
    const scene = await startWeb();
    const asked = Array.from({ length: 50 }, (_, number) =>
      requestText(`GET /v1/functions/f${number}`, { Connection: 'keep-alive' }),
    );
    const answer = await sayHttp(scene.port, asked.join('') + requestText('GET /v1/me'));
    expect(answer.match(/There is no function f\d+/g)).toEqual(
      asked.map((_, number) => `There is no function f${number}`),
    );
  });
});

it('requests of one connection are served one after the other', async () => {
  const scene = await startWeb();
  const first = requestText('POST /v1/functions/f/run', { Connection: 'keep-alive' }, 'x');
  const answer = sayHttp(scene.port, first + requestText('POST /v1/functions/g/jobs', {}, 'y'));
  await until('the first one waits', async () => (await scene.json('GET', '/v1/functions/f')).status === 200);
  expect((await scene.json('GET', '/v1/functions/g')).status).toBe(404);
  const worker = scene.peer();
  const { handle } = await grab(worker);
  worker.send(`WORK_COMPLETE ${handle}·done`);
  expect(statusesOf(await answer)).toEqual([200, 202]);
});

it('a connection that asks a thousand times at once is ended', async () => {
  const scene = await startWeb();
  const socket = connect(scene.port, '127.0.0.1');
  let answers = '';
  socket.on('error', () => undefined).on('data', (part) => (answers += part.toString('latin1')));
  socket.write(requestText('GET /v1/functions', { Connection: 'keep-alive' }).repeat(1_000));
  // An 'error' may come first: what was written may be reset.
  await new Promise((resolve) => socket.once('close', resolve));
  expect(answers.split('HTTP/1.1 200').length - 1).toBeLessThan(1_000);
  expect((await scene.json('GET', '/v1/functions')).status).toBe(200);
});

describe('answers', () => {
  it('of any length are written as they are read, and leave nothing behind', async () => {
    const scene = await startWeb({ maxFunctions: 60_000 });
    for (let number = 0; number < 50_000; number++)
      coreOf(scene.server).engine.createFunction(`${'f'.repeat(200)}${number}`);
    let listeners = Infinity;
    scene.http.once('request', (_request, response: ServerResponse) => {
      const count = (): number => response.listenerCount('close') + response.listenerCount('drain');
      response.on('drain', () => (listeners = count()));
    });
    const socket = connect(scene.port, '127.0.0.1');
    let length = 0;
    socket.write(requestText('GET /v1/functions'));
    for await (const part of socket) length += (part as Buffer).length;
    expect(length).toBeGreaterThan(15_000_000);
    // It was waited for a hundred times.
    expect(listeners).toBeLessThan(10);
  });

  it('tell why a job is dead where its result is asked for', async () => {
    const scene = await startWeb({
      storage: new MemoryStorage(),
      keepResults: 60_000,
      policies: { f: { retries: 0 } },
    });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    const worker = scene.peer();
    const { handle } = await grab(worker);
    worker.send(`WORK_EXCEPTION ${handle}·boom`);
    const path = `/v1/jobs/${body.handle}`;
    await until('it is dead', async () => (await scene.json('GET', `/v1/dead-letters/${handle}`)).status === 200);
    expect((await scene.json('GET', `${path}/result?wait=60`)).body).toMatchObject({
      status: 422,
      code: 'job-failed',
      exception: { text: 'boom' },
    });
  });

  it('say when more watch jobs than may', async () => {
    const scene = await startWeb({}, { maxStreams: 300 });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    for (let number = 0; number < 256; number++) coreOf(scene.server).operations.watch(body.handle, {});
    expect((await scene.json('GET', `/v1/jobs/${body.handle}/events`)).body).toMatchObject({
      status: 503,
      code: 'too-many',
    });
  });
});

describe('who leaves', () => {
  it('leaves the job to who else waits for it', async () => {
    const scene = await startWeb();
    const gone = new AbortController();
    const first = scene.ask('POST', '/v1/functions/f/run?unique=u', { body: 'x', signal: gone.signal });
    await until('one waits', () => coreOf(scene.server).engine.jobCount === 1);
    const second = scene.ask('POST', '/v1/functions/f/run?unique=u', { body: 'x' });
    await until('two wait', async () => (await scene.json('GET', '/v1/jobs')).body.jobs[0].clients === 2);
    gone.abort();
    await expect(first).rejects.toThrow();
    await until('one waits', async () => (await scene.json('GET', '/v1/jobs')).body.jobs[0].clients === 1);
    const worker = scene.peer();
    const { handle } = await grab(worker);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await (await second).text()).toBe('done');
  });

  it('takes along what was asked behind an answer that ends the connection', async () => {
    const scene = await startWeb({ maxPacketBytes: 100_000 }, { maxStreams: 1, maxBufferedBytes: 150_000 });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(99_000) });
    const keep = { Connection: 'keep-alive' };
    const behind = [
      requestText(`GET /v1/jobs/${body.handle}/workload`, keep),
      requestText('GET /v1/events', keep),
      requestText('POST /v1/functions/g/run', keep, 'x'),
    ];
    const tooLarge = requestText('POST /v1/functions/f/jobs', keep, 'x'.repeat(100_001));
    for (let number = 0; number < 2; number++) {
      expect(statusesOf(await sayHttp(scene.port, tooLarge + behind.join('')))).toEqual([413]);
      await until('there is room', async () => {
        const { status } = await scene.ask('GET', `/v1/jobs/${body.handle}/workload`);
        return status === 200 && (await scene.ask('HEAD', '/v1/events')).status === 200;
      });
      await until('nobody waits', () => coreOf(scene.server).engine.jobCount === 1);
    }
    await scene.handler.close();
  });

  /** Asks, leaves while the access is looked up, and waits until that is known. */
  async function leave(scene: WebScene, path: string): Promise<void> {
    const socket = connect(scene.port, '127.0.0.1');
    socket.write(requestText(`GET ${path}`));
    await until('it is asked who that is', () => waiting.length === 1);
    socket.destroy();
    waiting.pop()!();
  }
  const waiting: (() => void)[] = [];

  it('before it is let in takes no place and keeps no answer open', async () => {
    let isSlow = true;
    const access = async (request: { socket: NodeJS.EventEmitter }): Promise<'operate'> => {
      if (isSlow) {
        const left = once(request.socket, 'close');
        await new Promise<void>((resolve) => waiting.push(resolve));
        await left;
      }
      return 'operate';
    };
    const scene = await startWeb({}, { access: access as never, maxStreams: 1 });
    for (let number = 0; number < 3; number++) await leave(scene, '/v1/events');
    isSlow = false;
    expect((await scene.ask('HEAD', '/v1/events')).status).toBe(200);
    await scene.handler.close();
  });

  it('while its workload is fetched keeps no room for it', async () => {
    const fetched: (() => void)[] = [];
    const storage = new MemoryStorage();
    const scene = await startWeb({ storage, window: 1 }, { maxBufferedBytes: 1_500_000 });
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'first' });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x'.repeat(1_000_000) });
    const { storedJobs } = coreOf(scene.server);
    const find = storedJobs!.recordOf.bind(storedJobs);
    let isSlow = true;
    storedJobs!.recordOf = async (handle) => {
      if (isSlow) await new Promise<void>((resolve) => fetched.push(resolve));
      return find(handle);
    };
    for (let number = 0; number < 2; number++) {
      const socket = connect(scene.port, '127.0.0.1');
      socket.write(requestText(`GET /v1/jobs/${body.handle}/workload`));
      await until('it is fetched', () => fetched.length === 1);
      const count = await connections(scene);
      socket.destroy();
      await until('it has left', async () => (await connections(scene)) < count);
      fetched.pop()!();
    }
    isSlow = false;
    expect((await scene.ask('GET', `/v1/jobs/${body.handle}/workload`)).status).toBe(200);
  });

  const connections = (scene: WebScene): Promise<number> =>
    new Promise((resolve, reject) => {
      scene.http.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });
});
