import { request as httpRequest } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { ROUTES } from '../../../lib/web/api/routes.js';
import { newToken } from '../../../lib/web/access/token-file.js';
import type { Grant } from '../../../lib/web/index.js';
import { createWebHandler } from '../../../lib/web/web-handler.js';
import { EventReader } from '../../support/event-reader.js';
import { startFront } from '../../support/front.js';
import { startListening } from '../../support/job-servers.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';
import { grab, startWeb, type WebScene } from '../../support/web-scene.js';

/** Asks with headers that fetch does not let one set. */
function askRaw({ port }: WebScene, method: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = httpRequest({ host: '127.0.0.1', port, method, path, headers });
    asking.on('response', (response) => resolve(response.resume().statusCode!)).on('error', reject);
    asking.end();
  });
}

/** Makes a job and its function without asking anybody. */
async function submitTo({ server }: WebScene): Promise<{ handle: string }> {
  const spec = { function: 'f', unique: '', workload: 'x', priority: 1, isBackground: true, at: 0 } as const;
  return { handle: (await coreOf(server).submitForNobody(spec)) as string };
}

const bearer = (token: string): RequestInit => ({ headers: { Authorization: `Bearer ${token}` } });

describe('who may do what', () => {
  it('has no default, and names the choices', async () => {
    const { server } = await startFront();
    const options = { sources: [{ name: 'main', jobServer: server }] };
    expect(() => createWebHandler(options as never)).toThrow(/access.*'open', \{ tokens: FILE \}, \{ basic/s);
    expect(() => createWebHandler({ ...options, access: 'open', port: 1 } as never)).toThrow(/port/);
    expect(() => createWebHandler({ ...options, access: 'open', hosts: 'a' } as never)).toThrow(
      /hosts: .*a list of names/,
    );
  });

  it('is what a token says; the file has only its digest, and is read again', async () => {
    const path = join(tempDir(), 'tokens');
    const [reader, operator] = [newToken('reader', 'read'), newToken('ops', 'operate')];
    await writeFile(path, `# who\n\n${reader.line}\n`);
    const scene = await startWeb({}, { access: { tokens: path } });
    const none = await scene.ask('GET', '/v1/functions');
    expect([none.status, none.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="Gearman", charset="UTF-8"',
    ]);
    expect((await scene.ask('GET', '/v1/functions', bearer(reader.token))).status).toBe(200);
    expect((await scene.ask('POST', '/v1/functions/f/pause', bearer(reader.token))).status).toBe(403);
    expect((await scene.ask('POST', '/v1/functions/f/pause', bearer(operator.token))).status).toBe(401);
    await writeFile(path, operator.line);
    scene.handler.reload();
    expect((await scene.ask('POST', '/v1/functions/f/pause', bearer(operator.token))).status).toBe(204);
    expect((await scene.ask('GET', '/v1/functions', bearer(reader.token))).status).toBe(401);
    const basic = { headers: { Authorization: `Basic ${Buffer.from(`x:${operator.token}`).toString('base64')}` } };
    expect((await scene.ask('GET', '/v1/functions', basic)).status).toBe(200);
    await writeFile(path, 'nonsense');
    expect(() => scene.handler.reload()).toThrow(`${path}:1: must be NAME ROLE SHA256`);
    expect((await scene.ask('GET', '/v1/functions', basic)).status).toBe(200);
    expect(scene.log.some((line) => line.includes('web: ops (127.0.0.1): pause f: 1'))).toBe(true);
  });

  it('ends what is open where a token says no longer what it did, and nothing else', async () => {
    const path = join(tempDir(), 'tokens');
    const [stays, leaves, shrinks] = ['a', 'b', 'c'].map((name) => newToken(name, 'operate'));
    await writeFile(path, [stays, leaves, shrinks].map((each) => each!.line).join('\n'));
    const scene = await startWeb({}, { access: { tokens: path } });
    const follow = ({ token }: { token: string }): Promise<EventReader> =>
      EventReader.open(`http://127.0.0.1:${scene.port}/v1/events`, { Authorization: `Bearer ${token}` });
    const readers = await Promise.all([stays!, leaves!, shrinks!].map(follow));
    const run = scene.json('POST', '/v1/functions/f/run', { ...bearer(leaves!.token), body: 'x' });
    await until('the job waits', () => coreOf(scene.server).engine.jobCount === 1);
    await writeFile(path, [stays!.line, shrinks!.line.replace('operate', 'read')].join('\n'));
    scene.handler.reload();
    for (const reader of readers.slice(1)) for (let event = await reader.next(); event; event = await reader.next());
    expect((await run).body).toMatchObject({ status: 401, code: 'unauthorized' });
    expect(coreOf(scene.server).engine.jobCount).toBe(0);
    await submitTo(scene);
    await readers[0]!.nextOf('functions', ({ names }) => names.flat().includes('f'));
  });

  it('is what names and passwords say', async () => {
    const users = [{ name: 'ann', password: 'a:b', role: 'submit' as const }];
    const scene = await startWeb({}, { access: { basic: users } });
    const as = (text: string): RequestInit => ({
      headers: { Authorization: `Basic ${Buffer.from(text).toString('base64')}` },
    });
    expect((await scene.ask('GET', '/v1/functions', as('ann:a:b'))).status).toBe(200);
    expect((await scene.ask('GET', '/v1/functions', as('ann:a'))).status).toBe(401);
    expect((await scene.ask('GET', '/v1/functions', as('bob:a:b'))).status).toBe(401);
    expect((await scene.ask('POST', '/v1/functions/f/jobs', { ...as('ann:a:b'), body: 'x' })).status).toBe(202);
  });

  it.each([
    [{ name: 'ann', password: undefined }, /access\.basic\.password: of ann must be a text, not an empty one/],
    [{ name: 'ann', password: '' }, /access\.basic\.password/],
    [{ name: undefined, password: 'p' }, /access\.basic\.name/],
    [{ name: 'a:b', password: 'p' }, /access\.basic\.name: .*without a colon/],
    [{ name: 'ann', password: 'p', role: 'admin' }, /access\.basic\.role/],
    [{ name: 'ann', password: 'p', functions: 'mail*' }, /access\.basic\.functions: .*a list of names/],
  ])('refuses somebody who could be anybody: %j', async (user, message) => {
    await expect(startWeb({}, { access: { basic: [user as never] } })).rejects.toThrow(message);
  });

  it.each([
    [
      'read',
      ['GET /v1/functions', 'GET /metrics', 'GET /v1/openapi.json'],
      ['GET /v1/jobs?q=text', 'GET /v1/jobs/H/workload'],
    ],
    ['inspect', ['GET /v1/jobs?q=text'], ['POST /v1/functions/f/jobs', 'POST /v1/functions/f/run']],
    [
      'submit',
      ['POST /v1/functions/f/jobs'],
      ['POST /v1/functions/f/pause', 'DELETE /v1/workers/1', 'POST /v1/dead-letters/purge'],
    ],
  ] as const)('the role %s may some things and not others', async (role, allowed, refused) => {
    const scene = await startWeb({}, { access: () => role });
    const statusOf = async (line: string): Promise<number> => {
      const [method, path] = line.split(' ') as [string, string];
      return (await scene.ask(method, path)).status;
    };
    for (const line of allowed) expect(await statusOf(line)).toBeLessThan(300);
    for (const line of refused) expect(await statusOf(line)).toBe(403);
  });

  it('is capped where the handler is read-only', async () => {
    const scene = await startWeb({}, { readOnly: true });
    expect((await scene.ask('GET', '/v1/jobs?q=x')).status).toBe(200);
    expect((await scene.ask('POST', '/v1/functions/f/jobs')).status).toBe(403);
    expect((await scene.ask('DELETE', '/v1/functions/f/jobs')).status).toBe(403);
  });

  it('may be for some functions: others are unknown', async () => {
    const narrowed: { functions?: string[] } = {};
    const scene = await startWeb({}, { access: () => ({ role: 'operate', name: 'tenant', ...narrowed }) });
    const worker = scene.peer();
    worker.send('CAN_DO mail.send', 'CAN_DO other', 'ECHO_REQ x');
    await worker.next();
    const mine = (await scene.json('POST', '/v1/functions/mail.send/jobs', { body: 'x' })).body.handle;
    const others = (await scene.json('POST', '/v1/functions/other/jobs', { body: 'x' })).body.handle;
    narrowed.functions = ['mail*'];
    expect((await scene.json('GET', '/v1/functions')).body.functions.map(({ name }: { name: string }) => name)).toEqual(
      ['mail.send'],
    );
    expect((await scene.json('GET', '/v1/jobs')).body.jobs.map(({ handle }: { handle: string }) => handle)).toEqual([
      mine,
    ]);
    // It does one job of each: how many others have is not told.
    worker.send('GRAB_JOB', 'GRAB_JOB');
    await worker.nextOnes(2);
    expect((await scene.json('GET', '/v1/workers')).body.workers).toMatchObject([
      { functions: ['mail.send'], running: 1, done: null, jobs: [{ handle: mine }] },
    ]);
    expect((await scene.json('GET', '/v1/jobs?q=x')).body).toMatchObject({ scanned: 1 });
    expect((await scene.ask('GET', `/v1/jobs/${mine}`)).status).toBe(200);
    // What others have is answered as what never was, word by word.
    const never = others.replace(/\d+$/, '999');
    const answersFor = async (handle: string): Promise<string[]> => {
      const asked = ['', '/workload', '/events', '/times', '/result', '/result?wait=1'].map(
        (end) => ['GET', end] as const,
      );
      const lines = [...asked, ['DELETE', ''], ['POST', '/run-now']] as const;
      const answers = lines.map(async ([method, end]) => {
        const { status, body } = await scene.json(method, `/v1/jobs/${handle}${end}`);
        return `${method} ${end} ${status} ${JSON.stringify(body).replaceAll(handle, 'H')}`;
      });
      const { body } = await scene.json('GET', `/v1/jobs?q=handle:${handle}`);
      return [...(await Promise.all(answers)), JSON.stringify(body)];
    };
    const seen = await answersFor(others);
    expect(seen).toEqual(await answersFor(never));
    expect(seen.map((line) => / (\d+) /.exec(line)?.[1])).toEqual([
      '404',
      '404',
      '404',
      '200',
      '409',
      '409',
      '404',
      '404',
      undefined,
    ]);
    for (const path of ['jobs', 'run', 'pause', 'resume']) {
      expect((await scene.ask('POST', `/v1/functions/other/${path}`)).status).toBe(403);
    }
    expect((await scene.ask('GET', '/metrics')).status).toBe(403);
    expect((await scene.ask('DELETE', '/v1/workers/1')).status).toBe(403);
    const batch = { body: JSON.stringify({ jobs: [{ function: 'other' }, { function: 'mail.x' }] }) };
    expect((await scene.json('POST', '/v1/jobs', batch)).body.jobs).toMatchObject([
      { code: 'forbidden' },
      { coalesced: false },
    ]);
    const named = 'MAIL xmail mail'.split(' ').map((name) => scene.ask('POST', `/v1/functions/${name}/pause`));
    expect((await Promise.all(named)).map(({ status }) => status)).toEqual([403, 403, 204]);
  });

  it('may be for some functions: dead letters of others are unknown, and stay', async () => {
    const narrowed: { functions?: string[] } = {};
    const access = (): Grant => ({ role: 'operate', ...narrowed });
    const policies = { '*': { retries: 0 } };
    const scene = await startWeb({ storage: new MemoryStorage(), policies }, { access });
    const die = async (name: string): Promise<string> => {
      const { body } = await scene.json('POST', `/v1/functions/${name}/jobs`, { body: 'x' });
      const worker = scene.peer();
      const { handle } = await grab(worker, name);
      worker.send(`WORK_EXCEPTION ${handle}·boom`);
      await worker.untilEcho();
      await until('it is dead', async () => (await scene.json('GET', `/v1/dead-letters/${handle}`)).status === 200);
      return body.handle;
    };
    const [mine, others] = [await die('mail.send'), await die('other')];
    narrowed.functions = ['mail*'];
    const handlesOf = async (): Promise<string[]> =>
      (await scene.json('GET', '/v1/dead-letters')).body.deadLetters.map(({ handle }: { handle: string }) => handle);
    expect(await handlesOf()).toEqual([mine]);
    const answersFor = (handle: string): Promise<string[]> => {
      const lines = [
        'GET dead-letters/H',
        'GET jobs/H/workload',
        'POST dead-letters/H/replay',
        'DELETE dead-letters/H',
      ];
      const answers = lines.map(async (line) => {
        const [method, path] = line.replace('H', handle).split(' ') as [string, string];
        const { status, body } = await scene.json(method, `/v1/${path}`);
        return `${line} ${status} ${JSON.stringify(body).replaceAll(handle, 'H')}`;
      });
      return Promise.all(answers);
    };
    const seen = await answersFor(others);
    expect(seen).toEqual(await answersFor('H:never:1'));
    for (const line of seen) expect(line).toContain(' 404 ');
    expect((await scene.ask('GET', `/v1/jobs/${others}/result`)).status).toBe(409);
    const all = { matched: 1, done: 1, failed: 0 };
    expect((await scene.json('POST', '/v1/dead-letters/purge', { body: '{}' })).body).toEqual(all);
    delete narrowed.functions;
    expect(await handlesOf()).toEqual([others]);
  });

  it('is asked of the authorize hook by whatever tells something of a job server', async () => {
    const asked: string[] = [];
    const authorize = ({ action }: { action: string }): boolean => {
      asked.push(action);
      return false;
    };
    const scene = await startWeb({ authorize, schedules: { s: { function: 'f', every: 60_000 } } });
    const { handle } = await submitTo(scene);
    const open = ['/v1/me', '/v1/openapi.json'];
    const routes = ROUTES.filter(({ method, template }) => method === 'GET' && !open.includes(template));
    // Of what is not there nobody is asked, and nothing told.
    const unknown = ['/v1/dead-letters/{handle}'];
    for (const { template } of routes.filter((route) => !unknown.includes(route.template))) {
      const path = template.replace('{function}', 'f').replace('{handle}', handle).replace('{id}', 's');
      expect([template, (await scene.json('GET', path)).body.code]).toEqual([template, 'access-denied']);
    }
    expect(new Set(asked)).toEqual(new Set(['status']));
  });

  it('is asked of the authorize hook too', async () => {
    const asked: unknown[] = [];
    const authorize = (request: { action: string; function?: string }): boolean => {
      asked.push([request.action, request.function]);
      return request.action !== 'admin';
    };
    const scene = await startWeb({ authorize });
    expect((await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' })).status).toBe(202);
    expect((await scene.json('POST', '/v1/functions/f/pause')).body.code).toBe('access-denied');
    expect(asked).toEqual([
      ['submit', 'f'],
      ['admin', 'f'],
    ]);
    // Counted as what the hook refuses Gearman's own peers.
    expect(await (await scene.ask('GET', '/metrics')).text()).toContain(
      '\ngearman_access_denied_total{action="admin"} 1\n',
    );
  });

  it('bounds how many patterns each job is held against', async () => {
    const scene = await startWeb({}, { access: () => 'read' });
    const of = (count: number) => scene.ask('HEAD', `/v1/events?${'function=a*&'.repeat(count)}`);
    expect([(await of(100)).status, (await of(101)).status]).toEqual([200, 400]);
  });
});

describe('a change', () => {
  it('is a line of the log, with what it is about for programs, whatever names are in it', async () => {
    const lines: unknown[] = [];
    const log = (level: string, message: string, fields?: object): void => void lines.push([level, message, fields]);
    const access = (): Grant => ({ role: 'operate', name: 'ann' });
    const scene = await startWeb({ log }, { access });
    const { body } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    await scene.ask('DELETE', `/v1/jobs/${body.handle}`);
    await scene.ask('POST', '/v1/functions/a%0Ab/pause');
    const by = { who: 'ann', peer: '127.0.0.1', count: 1 };
    expect(lines).toEqual([
      ['info', `web: ann (127.0.0.1): cancel ${body.handle}: 1`, { ...by, action: 'cancel', handle: body.handle }],
      ['info', 'web: ann (127.0.0.1): pause a\\x{0a}b: 1', { ...by, action: 'pause', function: 'a\nb' }],
    ]);
  });

  it('that the authorize hook throws at is an error of the log, with peer and function for programs', async () => {
    const lines: unknown[] = [];
    const log = (level: string, message: string, fields?: object): void => void lines.push([level, message, fields]);
    const authorize = (): boolean => {
      throw new Error('no database');
    };
    const scene = await startWeb({ log, authorize });
    const { status } = await scene.json('POST', '/v1/functions/f/jobs', { body: 'x' });
    expect(status).toBe(403);
    const about = { peer: '127.0.0.1', function: 'f' };
    expect(lines).toEqual([['error', 'authorize threw, so the answer is no: Error: no database', about]]);
  });

  it('that fails as nobody foresaw is an error of the log, with what it was about for programs', async () => {
    const lines: [string, string, object?][] = [];
    const log = (level: string, message: string, fields?: object): void => void lines.push([level, message, fields]);
    const scene = await startWeb({ log });
    const { operations, engine } = coreOf(scene.server);
    const fail = (): never => {
      throw new Error('no such luck');
    };
    operations.job = fail;
    engine.pause = fail;
    const about = { peer: '127.0.0.1', duration: expect.any(Number) };
    const problem = { status: 500, code: 'internal' };
    expect((await scene.json('GET', '/v1/jobs/H:x:1?q=secret')).body).toMatchObject(problem);
    expect((await scene.json('POST', '/v1/functions/f/pause')).body).toMatchObject(problem);
    coreOf(scene.server).submit = fail;
    const { body } = await scene.json('POST', '/v1/jobs', { body: '{"jobs":[{"function":"f","text":"x"}]}' });
    expect(body.jobs).toMatchObject([problem]);
    expect(lines).toEqual([
      [
        'error',
        expect.stringMatching(/^web: GET \/v1\/jobs\/\{handle\}: Error: no such luck/),
        { ...about, handle: 'H:x:1' },
      ],
      [
        'error',
        expect.stringMatching(/^web: POST \/v1\/functions\/\{function\}\/pause: Error/),
        { ...about, function: 'f' },
      ],
      ['error', expect.stringMatching(/^web: Error: no such luck/), { peer: '127.0.0.1', function: 'f' }],
    ]);
    for (const [, message] of lines) expect(message).not.toMatch(/secret|\n/);
  });

  it('at a job server elsewhere is one too, in one line', async () => {
    const lines: unknown[] = [];
    const { port } = await startListening();
    const log = (_level: string, message: string, fields?: object): void => void lines.push([message, fields]);
    const scene = await startWeb({}, { log, sources: [{ name: 'there', server: `127.0.0.1:${port}` }] });
    expect((await scene.ask('POST', '/v1/functions/a%0Ab/pause')).status).toBe(204);
    expect(lines).toEqual([
      [
        'web: - (127.0.0.1): pause a\\x{0a}b of there: 1',
        expect.objectContaining({ function: 'a\nb', action: 'pause' }),
      ],
    ]);
  });
});

describe('what a browser is told to do with an answer', () => {
  it.each([
    ['GET', '/v1/functions', 200],
    ['GET', '/metrics', 200],
    ['HEAD', '/v1/events', 200],
    ['GET', '/v1/none', 404],
    ['PATCH', '/v1/jobs', 405],
    ['GET', '/v1/jobs?limit=x', 400],
    ['GET', '/', 401],
  ])('%s %s (%i): to run, frame, guess and keep nothing', async (method, path, status) => {
    const scene = await startWeb({}, { access: () => (status === 401 ? undefined : 'operate') });
    const response = await scene.ask(method, path);
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': path === '/v1/events' ? 'no-cache, no-transform' : 'no-store',
    });
  });
});

/** How a browser asks for what. */
const LINK = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const FRAME = { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' };
const IMAGE = { 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' };
const SCRIPT = { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' };

describe('who else may make a browser ask', () => {
  it.each([
    [{ 'Sec-Fetch-Site': 'same-origin' }, 204],
    [{ 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'none' }, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    // Nobody is asked for one: an app that lets other sites send headers lets them send this.
    [{ 'Sec-Fetch-Site': 'cross-site', Authorization: 'Bearer x' }, 403],
    [{ Origin: 'http://evil.example', Authorization: 'Bearer x' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site', ...LINK }, 403],
    [{}, 204],
  ])('%j is answered with %i', async (headers, status) => {
    const scene = await startWeb();
    expect(await askRaw(scene, 'POST', '/v1/functions/f/pause', headers as Record<string, string>)).toBe(status);
  });

  it('a proxy that changes the Host makes another site of its own page, unless it is named', async () => {
    const scene = await startWeb({}, { access: () => 'operate', hosts: ['ops.example'] });
    for (const [Origin, status] of [
      ['http://ops.example', 204],
      ['https://ops.example:8443', 204],
      ['http://ops.example.evil.example', 403],
    ] as const) {
      expect(await askRaw(scene, 'POST', '/v1/functions/f/pause', { Origin, Host: '127.0.0.1:4780' })).toBe(status);
    }
  });

  it.each(['cross-site', 'same-site', 'none'])('who has a token is no page of another site: %s', async (site) => {
    const path = join(tempDir(), 'tokens');
    const { token, line } = newToken('ops', 'operate');
    await writeFile(path, line);
    const scene = await startWeb({}, { access: { tokens: path } });
    const statusOf = (Authorization: string): Promise<number> =>
      askRaw(scene, 'POST', '/v1/functions/f/pause', { 'Sec-Fetch-Site': site, Authorization });
    expect(await statusOf(`Bearer ${token}`)).toBe(204);
    // A browser sends along by itself what its user has logged in with.
    expect(await statusOf(`Basic ${btoa(`x:${token}`)}`)).toBe(403);
  });

  it.each([
    [{ 'Sec-Fetch-Site': 'same-origin', ...SCRIPT }, 200],
    [{ 'Sec-Fetch-Site': 'none', ...LINK }, 200],
    [{ 'Sec-Fetch-Site': 'cross-site', ...LINK }, 200],
    [{ 'Sec-Fetch-Site': 'cross-site', ...FRAME }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site', ...IMAGE }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site', ...SCRIPT }, 403],
    [{ 'Sec-Fetch-Site': 'same-site', ...SCRIPT }, 403],
    [{ Origin: 'http://evil.example' }, 403],
    [{}, 200],
  ])('reading is no matter of other pages either: %j is answered with %i', async (headers, status) => {
    const scene = await startWeb();
    for (const path of ['/v1/jobs?q=secret', '/v1/events', '/metrics']) {
      const method = path === '/v1/events' ? 'HEAD' : 'GET';
      expect([path, await askRaw(scene, method, path, headers as Record<string, string>)]).toEqual([path, status]);
    }
  });

  it.each([
    ['localhost', 200],
    ['127.0.0.1:80', 200],
    ['[::1]:4780', 200],
    ['gearman.example', 200],
    ['evil.example', 421],
    ['localhost.evil.example', 421],
  ])('the Host %s is answered with %i where nobody logs in', async (Host, status) => {
    const scene = await startWeb({}, { hosts: ['Gearman.Example'] });
    expect(await askRaw(scene, 'GET', '/v1/functions', { Host })).toBe(status);
  });
});
