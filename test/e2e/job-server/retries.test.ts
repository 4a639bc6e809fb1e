import { describe, expect, it } from '@jest/globals';
import { CrashingJobServer, grab } from '../../support/crashing-job-server.js';
import { command } from '../../support/terminal.js';

const AT_ONCE = 'backoff=0..0';

describe('a policy of nestjs-gearman job-server', () => {
  it('retries what a worker reports as failed, throws, or leaves by dying; then keeps it with its last error', async () => {
    const server = await CrashingJobServer.start('--policy', `f:retries=3,${AT_ONCE}`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const assigned = `JOB_ASSIGN ${handle}·f·x`;
    const worker = await server.worker('CAN_DO f');
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_FAIL ${handle}`);
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_EXCEPTION ${handle}·not yet`);
    expect(await grab(worker)).toBe(assigned);
    worker.destroy();
    const other = await server.worker('CAN_DO f');
    expect(await grab(other)).toBe(assigned);
    other.send(`WORK_EXCEPTION ${handle}·gr\xc3\xb6\xc3\x9fe`);
    expect(await server.untilDead()).toEqual([
      { handle, function: 'f', attempts: 3, losses: 1, error: 'größe', diedAt: expect.any(Date) },
    ]);
    expect(await server.status('f')).toBe('f\t0\t0\t1\n');
  });

  it('waits before a retry, also where the job server crashes meanwhile', async () => {
    const server = await CrashingJobServer.start('--policy', 'f:backoff=1h');
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    // A later submission is durable: so is what was told before it.
    await server.submit('SUBMIT_JOB_BG g··x');
    await server.crash();
    const again = await server.worker('CAN_DO f', 'GRAB_JOB');
    expect(await again.next()).toBe('NO_JOB');
    expect(await server.status('f')).toBe('f\t1\t0\t1\n');
  });

  it('keeps a job over crashes in every state: waiting, running, dead, replayed', async () => {
    const server = await CrashingJobServer.start('--policy', `*:retries=0`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const assigned = `JOB_ASSIGN ${handle}·f·x`;
    await server.crash();
    expect(await grab(await server.worker('CAN_DO f'))).toBe(assigned);
    await server.crash();
    const worker = await server.worker('CAN_DO f');
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_EXCEPTION ${handle}·why`);
    await server.untilDead();
    // What came before is on disk with this one at the latest, which is too large for the journal.
    await server.submit(`SUBMIT_JOB_BG g··${'x'.repeat(70_000)}`);
    await server.crash();
    expect(await server.dead()).toMatchObject([{ handle, error: 'why' }]);
    const replayed = await command(['dead', 'replay', handle, '-s', server.address]);
    expect(replayed).toMatchObject({ stdout: `replayed ${handle}\n`, stderr: '' });
    await server.submit(`SUBMIT_JOB_BG g··${'y'.repeat(70_000)}`);
    await server.crash();
    expect(await server.dead()).toEqual([]);
    expect(await grab(await server.worker('CAN_DO f'))).toBe(assigned);
  });

  it('runs a replayed job with all its retries', async () => {
    const server = await CrashingJobServer.start('--policy', `f:retries=1,${AT_ONCE}`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    for (let round = 0; round < 2; round++) {
      for (let run = 0; run < 2; run++) {
        expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
        worker.send(`WORK_FAIL ${handle}`);
      }
      expect(await server.untilDead()).toMatchObject([{ attempts: 1, error: 'its worker reported failure' }]);
      if (round > 0) break;
      const replayed = await command(['dead', 'replay', '--all', '-s', server.address]);
      expect(replayed).toEqual({ stdout: `replayed ${handle}\n`, stderr: '', exitCode: 0 });
    }
  });

  it('counts a time that ran out, and says so', async () => {
    const server = await CrashingJobServer.start('--policy', 'f:retries=0');
    await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO_TIMEOUT f·20');
    await grab(worker);
    expect(await server.untilDead()).toMatchObject([{ losses: 1, error: expect.stringContaining('CAN_DO_TIMEOUT') }]);
  });

  it('retries a job that had a time of its own', async () => {
    const server = await CrashingJobServer.start('--policy', `f:retries=1,${AT_ONCE}`);
    const handle = await server.submit(`SUBMIT_JOB_EPOCH f··${Math.ceil(Date.now() / 1_000)}·x`);
    const worker = await server.worker('CAN_DO f');
    for (let run = 0; run < 2; run++) {
      expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
      worker.send(`WORK_FAIL ${handle}`);
    }
    await server.untilDead();
  });

  it('frees the unique of a dead job, and does not replay it beside another with that unique', async () => {
    const server = await CrashingJobServer.start('--policy', 'f:retries=0');
    const first = await server.submit('SUBMIT_JOB_BG f·u·1');
    expect(await server.submit('SUBMIT_JOB_BG f·u·ignored')).toBe(first);
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${first}`);
    await server.untilDead();
    const second = await server.submit('SUBMIT_JOB_BG f·u·2');
    expect(second).not.toBe(first);
    const refused = await command(['dead', 'replay', first, '-s', server.address]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      `nestjs-gearman: not replayed: ${first}; no such dead letter, or a job with its unique waits or runs\n`,
    ]);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${second}·f·2`);
    worker.send(`WORK_COMPLETE ${second}·`);
    expect((await command(['dead', 'replay', first, '-s', server.address])).exitCode).toBe(0);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${first}·f·1`);
  });

  it('tells a client that waits for a background job its end alone, and lets it join between two tries', async () => {
    const server = await CrashingJobServer.start('--policy', `f:retries=1,backoff=200ms`);
    const handle = await server.submit('SUBMIT_JOB_BG f·u·x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`);
    const client = await server.peer();
    client.send('SUBMIT_JOB f·u·x');
    expect(await client.next()).toBe(`JOB_CREATED ${handle}`);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_EXCEPTION ${handle}·no`);
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    await server.untilDead();
  });

  it('does nothing for functions without one, as gearmand', async () => {
    const server = await CrashingJobServer.start('--policy', 'other:retries=5');
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    expect(await server.dead()).toEqual([]);
    expect(await server.status('f')).toBe('f\t0\t0\t1\n');
  });
});
