import { expect, it } from '@jest/globals';
import { AdminClient, WorkException } from '../../../lib/driver/index.js';
import { atEnd } from '../../support/cleanup.js';
import { follow, gate, newWorker, resultOf, startClient } from '../../support/driver-jobs.js';
import { startPerlGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';

describeWith('perl gearmand', "the driver and Perl's job server", () => {
  it('work together, though it knows neither ALL_YOURS nor GRAB_JOB_UNIQ', async () => {
    const { port } = await startPerlGearmand();
    const servers = `127.0.0.1:${port}`;
    const door = gate();
    const worker = newWorker({ servers });
    worker.register('reverse', (job) => [...job.workload.toString()].reverse().join(''));
    worker.register('except', () => Promise.reject(new WorkException('why')));
    worker.register('shared', async (job) => {
      await door.opened;
      job.status(1, 2);
      return 'all';
    });
    await worker.start();
    const client = startClient({ servers });
    const workload = Buffer.from('Hello world!');
    const results = await Promise.all(
      Array.from({ length: 50 }, () => resultOf(client, { function: 'reverse', workload, priority: 'high' })),
    );
    expect(new Set(results.map(String))).toEqual(new Set(['!dlrow olleH']));
    await expect(resultOf(client, { function: 'except', workload })).rejects.toMatchObject({
      code: 'GEARMAN_JOB_EXCEPTION',
      bytes: Buffer.from('why'),
    });
    const shared = Array.from({ length: 3 }, () => follow(client, { function: 'shared', workload, unique: 'u' }));
    await Promise.all(shared.map(({ created }) => created));
    door.open();
    await Promise.all(shared.map(({ over }) => over));
    for (const { heard } of shared) expect(heard).toEqual(['status 1/2', 'complete all']);

    await expect(client.statusByUnique('u')).rejects.toMatchObject({ code: 'GEARMAN_SERVER_ERROR' });
    const admin = new AdminClient({ server: servers });
    atEnd(() => admin.close());
    expect((await admin.status()).map((row) => row.function).sort()).toEqual(['except', 'reverse', 'shared']);
    expect(await admin.version()).toMatch(/^v?\d/);
    await expect(admin.priorityStatus()).rejects.toMatchObject({ serverCode: 'unknown_command' });
    await worker.close();
    await admin.shutdown();
  });
});
