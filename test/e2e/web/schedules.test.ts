import { describe, expect, it } from '@jest/globals';
import { startWeb } from '../../support/web-scene.js';

const NIGHTLY = { function: 'report', cron: '0 3 * * *', workload: { json: { all: true } } };

describe('schedules over HTTP', () => {
  it('are put, listed, run, paused, resumed and dropped', async () => {
    const scene = await startWeb();
    const told: unknown[] = [];
    scene.server.on('audit', ({ action, target }) => told.push(`${action} ${target}`));
    const put = { body: JSON.stringify(NIGHTLY) };
    const first = await scene.json('PUT', '/v1/schedules/n%C3%A4chtlich', put);
    expect(first).toMatchObject({
      status: 201,
      body: {
        id: 'nächtlich',
        source: 'put',
        isPaused: false,
        options: { function: 'report', cron: '0 3 * * *', timeZone: 'UTC', workload: '{"all":true}' },
      },
    });
    expect(first.body.nextTick).toMatch(/T03:00:00.000Z$/);
    expect((await scene.json('PUT', '/v1/schedules/n%C3%A4chtlich', put)).status).toBe(200);
    const path = '/v1/schedules/n%C3%A4chtlich';
    expect((await scene.ask('POST', `${path}/pause`)).status).toBe(204);
    const { body } = await scene.json('GET', '/v1/schedules');
    expect(body.schedules).toMatchObject([{ id: 'nächtlich', isPaused: true }]);
    expect(body.schedules[0].nextTick).toBeUndefined();
    expect((await scene.ask('POST', `${path}/resume`)).status).toBe(204);
    expect((await scene.json('GET', path)).body).toMatchObject({ isPaused: false });
    const run = await scene.ask('POST', `${path}/run`);
    const { handle } = (await run.json()) as { handle: string };
    expect(run.status).toBe(202);
    const location = new URL(run.headers.get('location')!, run.url).pathname;
    expect((await scene.json('GET', location)).body).toMatchObject({ handle, function: 'report', isBackground: true });
    expect(await (await scene.ask('GET', `${location}/workload`)).text()).toBe('{"all":true}');
    expect((await scene.ask('DELETE', path)).status).toBe(204);
    expect((await scene.json('GET', path)).body).toMatchObject({ status: 404, code: 'not-found' });
    for (const [method, rest] of [
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
    ] as const) {
      expect((await scene.ask(method, path + rest)).status).toBe(404);
    }
    expect(told).toEqual(['put', 'put', 'pause', 'resume', 'run', 'drop'].map((word) => `${word} schedule nächtlich`));
  });

  it('say what is wrong with them, and who declares those that cannot be changed here', async () => {
    // No tick of its own: one that waits would be the job that is run.
    const mine = { function: 'f', every: 60_000, startAt: '2100-01-01T00:00:00Z' };
    const scene = await startWeb({ schedules: { mine } });
    const put = (id: string, body: string) => scene.json('PUT', `/v1/schedules/${id}`, { body });
    expect(await put('x', '{"function":"f","cron":"61 * * * *"}')).toMatchObject({
      status: 400,
      body: {
        code: 'invalid-schedule',
        detail: expect.stringContaining('schedules.x.cron: must be a pattern of cron'),
      },
    });
    for (const body of ['null', '[]', '7', '{}', '{"function":7,"every":1000}', 'no JSON']) {
      expect((await put('x', body)).status).toBe(400);
    }
    expect((await put('y'.repeat(41), JSON.stringify(NIGHTLY))).body.detail).toContain('1 to 40 bytes');
    expect(await put('mine', JSON.stringify(NIGHTLY))).toMatchObject({
      status: 409,
      body: { code: 'declared-elsewhere', detail: 'The schedule mine is declared by options: change it there.' },
    });
    expect((await scene.ask('DELETE', '/v1/schedules/mine')).status).toBe(409);
    expect((await scene.ask('POST', '/v1/schedules/mine/pause')).status).toBe(204);
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'x' });
    await scene.ask('PUT', '/v1/functions/f/limits', { body: '{"high":1,"normal":1,"low":1}' });
    expect((await scene.json('POST', '/v1/schedules/mine/run')).body).toMatchObject({
      status: 429,
      code: 'queue-full',
    });
  });

  it('show what their jobs carry only to who may inspect', async () => {
    const schedules = { mine: { function: 'f', every: 60_000, workload: 'secret' } };
    const scene = await startWeb({ schedules }, { access: () => 'read' });
    expect(JSON.stringify((await scene.json('GET', '/v1/schedules')).body)).not.toContain('secret');
    expect((await scene.ask('POST', '/v1/schedules/mine/run')).status).toBe(403);
  });

  it("of functions that are not the caller's are unknown, and cannot be made", async () => {
    const schedules = { theirs: { function: 'payroll', every: 60_000 }, mine: { function: 'mail', every: 60_000 } };
    const scene = await startWeb({ schedules }, { access: () => ({ role: 'operate', functions: ['mail*'] }) });
    const { body } = await scene.json('GET', '/v1/schedules');
    expect(body.schedules.map(({ id }: { id: string }) => id)).toEqual(['mine']);
    expect((await scene.ask('GET', '/v1/schedules/theirs')).status).toBe(404);
    expect((await scene.ask('POST', '/v1/schedules/theirs/run')).status).toBe(404);
    const put = (id: string, name: string) =>
      scene.ask('PUT', `/v1/schedules/${id}`, { body: JSON.stringify({ function: name, every: 1_000 }) });
    expect((await put('new', 'payroll')).status).toBe(403);
    expect((await put('theirs', 'mail')).status).toBe(404);
    expect((await put('new', 'mail.daily')).status).toBe(201);
  });

  it('need what submitting needs, by the authorize hook', async () => {
    const scene = await startWeb({
      schedules: { mine: { function: 'payroll', every: 60_000 } },
      authorize: ({ action, function: name }) => action !== 'submit' || name !== 'payroll',
    });
    const body = JSON.stringify({ function: 'payroll', every: 1_000 });
    expect((await scene.json('PUT', '/v1/schedules/x', { body })).body).toMatchObject({ code: 'access-denied' });
    expect((await scene.ask('POST', '/v1/schedules/mine/run')).status).toBe(403);
    expect((await scene.ask('POST', '/v1/schedules/mine/pause')).status).toBe(204);
    expect((await scene.ask('POST', '/v1/schedules/mine/resume')).status).toBe(403);
    expect(scene.server.schedules.list().map(({ id }) => id)).toEqual(['mine']);
  });
});
