import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { Disk } from '../support/disk.js';
import {
  crashAndRestart,
  jobCount,
  mustAccept,
  startDurableJobServer,
  workAll,
} from '../support/durable-job-server.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { until } from '../support/until.js';

const FULL = /^ERROR QUEUE_ERROR·the disk of .* is full: make room$/;

/**
 * Submits jobs, each of some bytes, until 20 are refused one after the other;
 * the workloads of those that were accepted. At the margin the journal has room
 * when the file of jobs has none, and one job may fit where several do not.
 */
async function submitUntilRefused(client: RawPeer, bytes: number): Promise<string[]> {
  const accepted: string[] = [];
  for (let refused = 0; refused < 20;) {
    const workload = `${accepted.length} `.padEnd(bytes, 'x');
    client.send(`SUBMIT_JOB_BG f··${workload}`);
    const answer = await client.next();
    if (answer.startsWith('JOB_CREATED')) {
      accepted.push(workload);
      refused = 0;
    } else {
      expect(answer).toMatch(FULL);
      refused++;
    }
  }
  return accepted;
}

/** How many jobs a job server would start with if it were killed now. */
async function jobsOnDisk(path: string): Promise<number> {
  const { stdout } = await runCommand(['export', '--queue-path', path]);
  return stdout.split('\n').length - 1;
}

/** A job server does not start: how it ended. */
const startInVain = (path: string) =>
  runCommand(['job-server', '-p', '0', '-L', '127.0.0.1', '-q', 'file', '--queue-path', path]);

describeWith('a disk of its own', 'a job server on a small disk', () => {
  it.each([100, 5_000, 100_000])(
    'refuses jobs of %i bytes when it is full, runs those it accepted, and accepts again in the room they leave',
    async (bytes) => {
      const disk = await Disk.mount('3m');
      const path = join(disk.path, 'jobs');
      const server = await startDurableJobServer(path);
      const client = await RawPeer.connect(server);
      if (bytes < 1_000) disk.fill();
      const accepted = await submitUntilRefused(client, bytes);
      expect(await jobCount(server)).toBe(accepted.length);

      const restarted = await crashAndRestart(server, path);
      expect(await workAll(restarted)).toEqual(accepted);
      // Nothing else was deleted: the ends were written on the full disk.
      const again = await RawPeer.connect(restarted);
      await until('there is room again', async () => {
        again.send('SUBMIT_JOB_BG f··in their place');
        return (await again.next()).startsWith('JOB_CREATED');
      });
      await until('the ends are on disk', async () => (await jobsOnDisk(path)) === 1);
      const last = await crashAndRestart(restarted, path);
      expect(await workAll(last)).toEqual(['in their place']);
    },
  );

  it('is not started on one that is full or read-only, and says why', async () => {
    const disk = await Disk.mount('1m');
    const path = join(disk.path, 'jobs');
    disk.fill();
    expect(await startInVain(path)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^nestjs-gearman: the disk of .* is full: make room$/m),
    });
    disk.clear();
    const server = await startDurableJobServer(path);
    await mustAccept(await RawPeer.connect(server), 'SUBMIT_JOB_BG f··kept');
    expect(await server.stop()).toBe(0);
    await disk.makeReadOnly();
    expect(await startInVain(path)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^nestjs-gearman: .* cannot be written \(.*\): mount it read-write, or give/m),
    });
    await disk.makeWritable();
    expect(await workAll(await startDurableJobServer(path))).toEqual(['kept']);
  });
});
