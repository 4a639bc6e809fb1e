import { afterEach, describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { AdminClient, ServerError } from '../../../lib/driver/index.js';
import type { JobServerOptions } from '../../../lib/job-server/index.js';
import { startFront } from '../../support/front.js';

const admins: AdminClient[] = [];
afterEach(async () => {
  await Promise.all(admins.splice(0).map((admin) => admin.close()));
});

async function scene(options: JobServerOptions = {}) {
  const { server } = await startFront(options);
  const admin = new AdminClient({ server: { connect: () => server.connect(), name: 'ours' } });
  admins.push(admin);
  return { server, admin };
}

describe('an AdminClient', () => {
  it('puts a schedule, lists it, runs it, pauses it and drops it', async () => {
    const { server, admin } = await scene();
    const id = 'nächtlich,%20+1';
    await admin.putSchedule(id, {
      function: 'größe',
      cron: '0 3 * * *',
      timeZone: 'Europe/Berlin',
      workload: Buffer.from([0, 255]),
      startAt: new Date('2027-01-01T00:00:00Z'),
    });
    expect(await admin.schedules()).toEqual([
      {
        id,
        source: 'put',
        isPaused: false,
        lastTick: expect.any(Date),
        nextTick: expect.any(Date),
        problem: undefined,
        options: {
          function: 'größe',
          cron: '0 3 * * *',
          timeZone: 'Europe/Berlin',
          workload: { base64: 'AP8=' },
          priority: 'normal',
          missed: 'once',
          missedWithin: 3_600_000,
          overlap: 'skip',
          jitter: 0,
          startAt: Date.UTC(2027, 0, 1),
        },
      },
    ]);
    const handle = await admin.runSchedule(id);
    expect(coreOf(server).engine.find(handle!)?.function_.name).toBe(Buffer.from('größe').toString('latin1'));
    expect(await admin.pauseSchedule(id)).toBe(true);
    expect((await admin.schedules())[0]).toMatchObject({ isPaused: true, nextTick: undefined });
    expect(await admin.resumeSchedule(id)).toBe(true);
    expect(await admin.dropSchedule(id)).toBe(true);
    expect(await admin.schedules()).toEqual([]);
  });

  it('tells schedules that are not there from refusals', async () => {
    const { admin } = await scene({ schedules: { s: { function: 'f', every: 60_000 } } });
    expect(await admin.dropSchedule('none')).toBe(false);
    expect(await admin.pauseSchedule('none')).toBe(false);
    expect(await admin.resumeSchedule('none')).toBe(false);
    expect(await admin.runSchedule('none')).toBeUndefined();
    await expect(admin.dropSchedule('s')).rejects.toMatchObject({
      serverCode: 'INVALID_SCHEDULE',
      message: expect.stringContaining('schedules.s: is declared by options: change it there'),
    });
    await expect(admin.dropSchedule('s')).rejects.toThrow(ServerError);
  });

  it('has a refusal in the words of its job server', async () => {
    const { admin } = await scene();
    const missed = '50% + ä;"';
    await expect(admin.putSchedule('s', { function: 'f', every: 1_000, missed })).rejects.toThrow(
      `schedules.s.missed: must be 'once', 'skip' or 'all', not '${missed}'`,
    );
  });

  it('sends none that its job server would not read', async () => {
    const { admin } = await scene();
    const put = admin.putSchedule('s', { function: 'f', every: 1_000, workload: 'x'.repeat(9_000) });
    await expect(put).rejects.toThrow('at most 8190 bytes as JSON');
    await admin.putSchedule('s', { function: 'f', every: 1_000, workload: 'x'.repeat(8_000) });
    expect((await admin.schedules())[0]!.options.workload).toHaveLength(8_000);
  });
});
