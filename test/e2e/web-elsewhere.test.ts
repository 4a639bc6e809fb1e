import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import type { Grant } from '../../lib/web/index.js';
import { coreOf } from '../../lib/job-server/core-of.js';
import { runCommand, spawnCommand } from '../support/command.js';
import { EventReader } from '../support/event-reader.js';
import { freePort } from '../support/free-port.js';
import { startGearmand } from '../support/gearmand.js';
import { startListening } from '../support/job-servers.js';
import { numbered } from '../support/numbered.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { until } from '../support/until.js';
import { startWeb, type WebScene } from '../support/web-scene.js';

/** A page for one job server elsewhere, beside another that is away; every answer is held against openapi.json. */
const webFor = (port: number): Promise<WebScene> =>
  startWeb(
    {},
    {
      sources: [
        { name: 'there', server: `127.0.0.1:${port}` },
        { name: 'away', server: '127.0.0.1:9', connectTimeout: 500 },
      ],
    },
  );

/** What any Gearman job server can be asked. */
async function playWith(port: number): Promise<WebScene> {
  const scene = await webFor(port);
  const worker = await RawPeer.connect({ port });
  worker.send('SET_CLIENT_ID w1');
  const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'hello' });
  const { handle, workload } = await take(worker, 'f');
  expect(workload).toBe('hello');
  worker.send(`WORK_DATA ${handle}·one `, `WORK_COMPLETE ${handle}·two`);
  expect(await (await answer).text()).toBe('one two');
  const failing = scene.json('POST', '/v1/functions/f/run', { body: 'fail' });
  worker.send(`WORK_FAIL ${(await take(worker, 'f')).handle}`);
  expect((await failing).body).toMatchObject({ status: 422, code: 'job-failed' });
  worker.send('CANT_DO f', 'CAN_DO g');

  const { body: one } = await scene.json('POST', '/v1/functions/f/jobs?priority=high', { body: '1' });
  expect(one).toEqual({ handle: expect.stringMatching(/^H:/), coalesced: null });
  const { body: list } = await scene.json('POST', '/v1/jobs', { body: '{"jobs":[{"function":"f","text":"2"}]}' });
  const { body: functions } = await scene.json('GET', '/v1/functions');
  expect(functions.functions).toContainEqual(
    expect.objectContaining({ name: 'f', total: 2, queued: { high: 1, normal: 1, low: 0 }, running: 0 }),
  );
  expect((await scene.json('GET', '/v1/functions/none')).status).toBe(404);
  expect((await scene.json('GET', '/v1/workers')).body.workers).toMatchObject([
    { clientId: 'w1', functions: ['g'], done: null, isQuiet: null },
  ]);
  expect((await scene.json('GET', `/v1/jobs/${one.handle}`)).body).toMatchObject({ state: 'waiting', function: null });
  expect((await scene.json('GET', `/v1/jobs?q=handle:${list.jobs[0].handle}`)).body.jobs).toHaveLength(1);
  expect((await scene.json('GET', '/v1/jobs?q=needle')).body).toMatchObject({ status: 501, code: 'not-told' });
  expect((await scene.ask('DELETE', `/v1/jobs/${one.handle}`)).status).toBe(204);
  expect((await scene.json('GET', '/v1/jobs')).body.jobs).toHaveLength(1);
  const limits = { high: 1, normal: 1, low: 1 };
  expect((await scene.ask('PUT', '/v1/functions/f/limits', { body: JSON.stringify(limits) })).status).toBe(204);
  expect((await scene.json('POST', '/v1/functions/f/jobs', { body: '3' })).body).toMatchObject({
    status: 429,
    code: 'queue-full',
  });
  expect((await scene.json('GET', '/v1/server')).body).toMatchObject({ name: 'there', isEnding: null });
  expect((await scene.json('GET', '/v1/history')).body).toMatchObject({ status: 501 });
  expect((await scene.json('GET', '/v1/events?topics=jobs')).body).toMatchObject({ status: 501 });
  const away = await scene.ask('GET', '/v1/functions?server=away');
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
  return scene;
}

/** Waits for a job as any worker does, and takes it. */
async function take(worker: RawPeer, name: string): Promise<{ handle: string; workload: string }> {
  worker.send(`CAN_DO ${name}`, 'GRAB_JOB');
  for (let answer = await worker.next(); ; answer = await worker.next()) {
    const [, handle, workload] = /^JOB_ASSIGN ([^·]+)·[^·]*·(.*)$/s.exec(answer) ?? [];
    if (handle !== undefined) return { handle, workload: workload! };
    worker.send(answer === 'NO_JOB' ? 'PRE_SLEEP' : 'GRAB_JOB');
  }
}

/** The rows of `f` in the first answer of events, by column. */
async function rowOfF(scene: WebScene): Promise<Record<string, unknown>> {
  const reader = await EventReader.open(`http://127.0.0.1:${scene.port}/v1/events`);
  const { data: hello } = (await reader.next())!;
  const { data } = await reader.nextOf('functions');
  reader.close();
  const [id] = numbered<string>(data.names).find(([, name]) => name === 'f')!;
  const [, values] = numbered<(number | null)[]>(data.rows).find(([row]) => row === id)!;
  return Object.fromEntries(hello.columns.map((column: string, index: number) => [column, values[index] ?? null]));
}

describe('HTTP for a job server of ours elsewhere', () => {
  it('tells and does what its admin words can', async () => {
    const { port } = await startListening({ storage: new MemoryStorage(), policies: { dead: { retries: 0 } } });
    const scene = await playWith(port);
    expect((await scene.ask('POST', '/v1/functions/f/pause')).status).toBe(204);
    expect((await scene.json('GET', '/v1/functions/f')).body).toMatchObject({ isPaused: true, delayed: 0 });
    expect(await rowOfF(scene)).toMatchObject({ normal: 1, paused: 1, submitted: 4, completed: 1, failed: 1 });
    const { body } = await scene.json('POST', '/v1/functions/dead/jobs', { body: 'w' });
    const worker = await RawPeer.connect({ port });
    const { handle } = await take(worker, 'dead');
    expect(handle).toBe(body.handle);
    worker.send(`WORK_EXCEPTION ${handle}·boom`);
    await until('it is dead', async () => (await scene.json('GET', `/v1/dead-letters/${handle}`)).status === 200);
    expect((await scene.json('GET', '/v1/dead-letters?q=boom')).body.deadLetters).toMatchObject([
      { handle, function: 'dead', error: 'boom', unique: null },
    ]);
    expect((await scene.ask('POST', `/v1/dead-letters/${handle}/replay`)).status).toBe(204);
    expect((await scene.json('DELETE', `/v1/dead-letters/${handle}`)).status).toBe(404);
  });
});

it('takes a job back at a job server elsewhere when its caller leaves', async () => {
  const { port, server } = await startListening();
  const scene = await webFor(port);
  const gone = new AbortController();
  const answer = scene.ask('POST', '/v1/functions/f/run', { body: 'x', signal: gone.signal });
  await until('the job waits there', () => coreOf(server).engine.jobCount === 1);
  gone.abort();
  await expect(answer).rejects.toThrow();
  await until('the job is gone', () => coreOf(server).engine.jobCount === 0);
});

describe('schedules of a job server of ours elsewhere', () => {
  it('are put, told, paused, run and dropped there; those it declares are not', async () => {
    const { port, server } = await startListening({ schedules: { nightly: { function: 'f', cron: '0 3 * * *' } } });
    const scene = await webFor(port);
    const put = (body: object): Promise<{ status: number; body: unknown }> =>
      scene.json('PUT', '/v1/schedules/hourly', { body: JSON.stringify(body) });
    const hourly = { function: 'g', every: 3_600_000, workload: { json: { a: 1 } } };
    expect(await put(hourly)).toMatchObject({
      status: 201,
      body: { id: 'hourly', source: 'put', options: { ...hourly, workload: '{"a":1}' } },
    });
    expect(await put({ ...hourly, every: 60_000 })).toMatchObject({
      status: 200,
      body: { options: { every: 60_000 } },
    });
    expect(await put({ function: 'g', every: 5 })).toMatchObject({ status: 400, body: { code: 'invalid-schedule' } });
    expect((await scene.json('GET', '/v1/schedules')).body.schedules).toMatchObject([
      { id: 'hourly', isPaused: false },
      { id: 'nightly', source: 'options', nextTick: expect.stringMatching(/T03:00:00/) },
    ]);
    expect((await scene.ask('POST', '/v1/schedules/hourly/pause')).status).toBe(204);
    expect((await scene.json('GET', '/v1/schedules/hourly')).body.isPaused).toBe(true);
    expect((await scene.ask('POST', '/v1/schedules/hourly/resume')).status).toBe(204);
    const ran = await scene.json('POST', '/v1/schedules/hourly/run');
    expect(ran.status).toBe(202);
    const job = coreOf(server).engine.find(ran.body.handle);
    expect(Buffer.from(job!.workload as Uint8Array).toString()).toBe('{"a":1}');
    expect((await scene.ask('DELETE', '/v1/schedules/hourly')).status).toBe(204);
    expect((await scene.ask('DELETE', '/v1/schedules/hourly')).status).toBe(404);
    const declared = { status: 409, body: { code: 'declared-elsewhere' } };
    expect(await scene.json('DELETE', '/v1/schedules/nightly')).toMatchObject(declared);
  });

  it('are those of the functions alone that somebody may see', async () => {
    const schedules = { mine: { function: 'f', every: 60_000 }, others: { function: 'g', every: 60_000 } };
    const { port } = await startListening({ schedules });
    const access = (): Grant => ({ role: 'operate', functions: ['f'] });
    const scene = await startWeb({}, { access, sources: [{ name: 'there', server: `127.0.0.1:${port}` }] });
    expect((await scene.json('GET', '/v1/schedules')).body.schedules).toMatchObject([{ id: 'mine' }]);
    expect((await scene.ask('POST', '/v1/schedules/others/run')).status).toBe(404);
    const body = JSON.stringify({ function: 'g', every: 60_000 });
    expect((await scene.ask('PUT', '/v1/schedules/new', { body })).status).toBe(403);
  });
});

describeWith('gearmand', 'HTTP for C gearmand', () => {
  it('tells and does what gearmand can, and what it cannot tell is null', async () => {
    const { port } = await startGearmand();
    const scene = await playWith(port);
    expect((await scene.json('POST', '/v1/functions/f/pause')).body).toMatchObject({ status: 501, code: 'not-told' });
    expect((await scene.json('GET', '/v1/functions/f')).body).toMatchObject({
      isPaused: null,
      delayed: null,
      limits: null,
    });
    const row = await rowOfF(scene);
    expect(row).toMatchObject({ normal: 1, workers: 0, delayed: null, submitted: null, oldestAt: null, paused: null });
    expect((await scene.json('GET', '/v1/dead-letters')).body).toMatchObject({ status: 501 });
    expect((await scene.json('GET', '/v1/schedules')).body).toMatchObject({ status: 501, code: 'not-told' });
    expect((await scene.json('GET', '/v1/jobs/H:x:1/result')).body).toMatchObject({ status: 409 });
  });
});

it('says what no admin word is there for, as docs/http.md lists it', async () => {
  const { port } = await startListening();
  const scene = await webFor(port);
  const lines = [
    'GET history',
    'GET history/jobs',
    'GET jobs/H:x:1/times',
    'GET jobs/H:x:1/workload',
    'GET jobs/H:x:1/events',
    'POST jobs/H:x:1/run-now',
    'POST workers/1/quiet',
    'DELETE workers/1/quiet',
    'DELETE workers/1',
    'POST jobs/cancel',
    'DELETE functions/f/jobs',
    'POST dead-letters/replay',
    'POST dead-letters/purge',
  ];
  const answers = lines.map(async (line) => {
    const [method, path] = line.split(' ') as [string, string];
    const { body } = await scene.json(method, `/v1/${path}`);
    return `${line} ${body.status} ${body.code}`;
  });
  expect(await Promise.all(answers)).toEqual(lines.map((line) => `${line} 501 not-told`));
});

describe('nestjs-gearman web', () => {
  it('answers for several job servers, and ends when it is told to', async () => {
    const [one, two] = [await startListening(), await startListening()];
    const port = await freePort();
    const child = spawnCommand([
      'web',
      ...['--server', `127.0.0.1:${one.port}`, '--server', `127.0.0.1:${two.port}`],
      ...['--port', `${port}`],
    ]);
    let output = '';
    child.stderr!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until('it listens', () => output.includes(`http://127.0.0.1:${port}/v1`));
    coreOf(two.server).engine.createFunction('two');
    const url = `http://127.0.0.1:${port}/v1/functions?server=127.0.0.1:${two.port}`;
    expect(await (await fetch(url)).json()).toMatchObject({ functions: [{ name: 'two' }] });
    await EventReader.open(`http://127.0.0.1:${port}/v1/events`);
    const code = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    expect(await code).toBe(0);
  });

  it.each([
    [['--listen', '0.0.0.0'], 2, /--listen 0\.0\.0\.0 needs --tokens FILE/],
    [['--tokens', '/none'], 1, /--tokens: ENOENT/],
    [['word'], 2, /takes no words/],
  ])('refuses %j', async (args, code, message) => {
    const outcome = await runCommand(['web', ...args]);
    expect(outcome).toMatchObject({ code, stderr: expect.stringMatching(message) });
  });
});
