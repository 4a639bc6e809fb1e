import { beforeAll, expect, it } from '@jest/globals';
import { JobWorker } from 'nestjs-gearman';
import { JobServer } from 'nestjs-gearman/job-server';
import { requireBuild } from '../../support/built.js';
import { atEnd } from '../../support/cleanup.js';
import { COMMAND, runCommand } from '../../support/command.js';
import { describeWith } from '../../support/peers.js';
import { inTerminal, type RealTerminal } from '../../support/tmux.js';
import { until } from '../../support/until.js';

requireBuild();

describeWith('tmux', 'on a real terminal', () => {
  let at: string[];
  let jobServer: JobServer;
  /** How many steps the job of `steps` may take. */
  let allowed = 0;

  beforeAll(async () => {
    jobServer = new JobServer({ listeners: [{ port: 0 }] });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    at = ['-h', '127.0.0.1', '-p', `${jobServer.port}`];
    const worker = new JobWorker({ servers: jobServer.addresses[0]! });
    atEnd(() => worker.close());
    const step = (number: number) => until(`step ${number} is allowed`, () => allowed >= number);
    worker.register('steps', async (job) => {
      await step(1);
      job.status(1, 4);
      await step(2);
      job.status(2, 4);
      await step(3);
      job.warning('evil\u001b[31m\n');
      job.data('part\n');
      job.status(3, 4);
      await step(4);
      return 'the result\n';
    });
    worker.register('fast', (job) => {
      job.status(1, 2);
      return 'the result\n';
    });
    await worker.start();
  });

  const run = (...line: string[]): Promise<RealTerminal> => inTerminal([process.execPath, COMMAND, ...line]);

  it('submit shows progress as a bar with rate and time left, which gives way to what is printed', async () => {
    const terminal = await run('submit', ...at, 'steps', 'x');
    allowed++;
    await terminal.shows(/^█+░+ 25% {2}1 of 4 {2}\S+\/s {2}\S+ left$/m);
    allowed++;
    await terminal.shows(/^█{15}░{15} 50% {2}2 of 4 {2}[\d.e+]+\/s {2}\d+s left$/m);
    allowed++;
    await terminal.shows(/^evil\\x\{1b\}\[31m\npart\n█+░+ 75% {2}3 of 4/);
    allowed++;
    await terminal.shows(/^evil\\x\{1b\}\[31m\npart\nthe result\n\[ended with 0\]$/);
  });

  it('work shows a line of what it does, below what its commands say', async () => {
    const working = await run('work', ...at, '-f', 'say', '--', 'sh', '-c', 'echo said >&2; read word; echo $word');
    await working.shows(/^0 done, 0 failed, 0 running: waits for say$/);
    expect((await runCommand(['submit', ...at, 'say', 'word\n'])).stdout).toBe('word\n');
    await working.shows(/^said\n1 done, 0 failed, 0 running: waits for say$/);
    await working.press('C-c');
    await working.shows(/^said\n1 done, 0 failed, 0 running: waits for say\n\[ended with 0\]$/m);
  });

  it('work that cannot begin shows only why', async () => {
    const nowhere = await run('work', '-h', '127.0.0.1', '-p', '1', '--connect-timeout', '200ms', '-f', 'say');
    await nowhere.shows(/^nestjs-gearman: no job server could be reached [^[]*\[ended with 1\]$/);
  });

  it('nothing of that where stdout is no terminal', async () => {
    const piped = await runCommand(['submit', ...at, 'fast', 'x']);
    expect(piped).toEqual({ code: 0, stdout: 'the result\n', stderr: '' });
    const told = await runCommand(['submit', ...at, '--progress', 'fast', 'x']);
    expect(told).toEqual({ code: 0, stdout: 'the result\n', stderr: '1 of 2\n' });
  });
});
