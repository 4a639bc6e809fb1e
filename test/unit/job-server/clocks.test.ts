import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import type { RawPeer } from '../../support/raw-peer.js';
import { echo, serverWithClocks } from '../../support/set-clocks.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const nextLook = (): void => void jest.advanceTimersByTime(1_000);

async function runningJob(peer: () => RawPeer, timeout: number) {
  const [client, worker, other] = [peer(), peer(), peer()];
  worker.send(`CAN_DO_TIMEOUT f·${timeout}`);
  client.send('SUBMIT_JOB f··x');
  const handle = (await client.next()).split(' ')[1]!;
  worker.send('GRAB_JOB');
  expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
  other.send('CAN_DO f', 'PRE_SLEEP');
  await echo(other);
  return { client, worker, other, handle };
}

describe('when the clock of the machine is set', () => {
  // The job server looks at the clock of dates each second: a test says when such a second is over.
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime', 'Date'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([-DAY, -HOUR, HOUR, 30 * DAY])(
    'by %d ms, a worker keeps its job as long as it may, and no longer',
    async (by) => {
      const { clocks, peer } = await serverWithClocks();
      const { worker, other, handle } = await runningJob(peer, 60_000);
      clocks.ahead += by;
      expect(await echo(other)).toEqual([]);
      worker.send(`GET_STATUS ${handle}`);
      expect(await worker.next()).toBe(`STATUS_RES ${handle}·1·1·0·0`);
      clocks.passed += 60_000;
      expect(await echo(other)).toEqual(['NOOP']);
    },
  );

  it('far ahead, a quiet peer stays as long as it may, also in the middle of a packet', async () => {
    const { clocks, peer } = await serverWithClocks({ idleTimeout: 5, packetTimeout: 5 });
    // No time passes at all, but for what the clock of dates tells.
    clocks.frozenAt = clocks.now;
    const [quiet, half, client, worker] = [peer(), peer(), peer(), peer()];
    half.stream.write(Buffer.from('\0REQ\0\0\0\x10'));
    worker.send('CAN_DO f', 'PRE_SLEEP');
    client.send(`SUBMIT_JOB_EPOCH f··${Math.ceil((clocks.date + DAY) / 1_000)}·x`);
    await client.next();
    clocks.ahead += 30 * DAY;
    nextLook();
    expect(await worker.next()).toBe('NOOP');
    half.stream.write(Buffer.from('\0\0\0\x01x'));
    expect(await half.next()).toBe('ECHO_RES x');
    expect(await echo(quiet)).toEqual([]);
  });

  describe.each([
    ['in memory', () => ({})],
    ['with a storage', () => ({ storage: new MemoryStorage() })],
  ])('a job with a date, %s,', (_title, options) => {
    const inDays = (days: number, { date }: { date: number }): string => String(Math.ceil((date + days * DAY) / 1_000));

    it('runs as soon as the clock has been set to its date', async () => {
      const { clocks, peer } = await serverWithClocks(options());
      const [client, worker] = [peer(), peer()];
      worker.send('CAN_DO f', 'PRE_SLEEP');
      client.send(`SUBMIT_JOB_EPOCH f··${inDays(3, clocks)}·x`);
      const handle = (await client.next()).split(' ')[1]!;
      expect(await echo(worker)).toEqual([]);
      clocks.ahead += 3 * DAY + 1_000;
      nextLook();
      expect(await worker.next()).toBe('NOOP');
      worker.send('GRAB_JOB');
      expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
    });

    it('does not run before its date, however much time passes', async () => {
      const { clocks, peer } = await serverWithClocks(options());
      const [client, worker] = [peer(), peer()];
      worker.send('CAN_DO f');
      client.send(`SUBMIT_JOB_EPOCH f··${Math.ceil(clocks.date / 1_000) + 1}·x`);
      await client.next();
      clocks.ahead -= HOUR;
      clocks.passed += HOUR / 2;
      worker.send('GRAB_JOB');
      expect(await worker.next()).toBe('NO_JOB');
      worker.send('PRE_SLEEP');
      clocks.passed += HOUR / 2 + 2_000;
      nextLook();
      expect(await worker.next()).toBe('NOOP');
    });

    it('runs at once when its date is past by a clock that was set since anybody looked', async () => {
      const { clocks, peer } = await serverWithClocks(options());
      const [client, worker] = [peer(), peer()];
      await echo(client);
      clocks.ahead += 3 * DAY;
      worker.send('CAN_DO f');
      client.send(`SUBMIT_JOB_EPOCH f··${inDays(-1, clocks)}·x`);
      const handle = (await client.next()).split(' ')[1]!;
      worker.send('GRAB_JOB');
      expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
      clocks.ahead -= 30 * DAY;
      client.send(`SUBMIT_JOB_EPOCH f··${inDays(1, clocks)}·y`);
      await client.next();
      worker.send('GRAB_JOB');
      expect(await worker.next()).toBe('NO_JOB');
    });
  });

  it('a job to be tried again is not forgotten, nor tried too early', async () => {
    const policies = { f: { retries: 1, backoff: { initialDelay: HOUR, jitter: 0 } } };
    const { clocks, peer } = await serverWithClocks({ storage: new MemoryStorage(), policies });
    const [client, worker] = [peer(), peer()];
    worker.send('CAN_DO f');
    client.send('SUBMIT_JOB_BG f··x');
    const handle = (await client.next()).split(' ')[1]!;
    worker.send('GRAB_JOB');
    await worker.next();
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    worker.send('PRE_SLEEP');
    expect(await echo(worker)).toEqual([]);
    clocks.ahead += HOUR;
    nextLook();
    expect(await worker.next()).toBe('NOOP');
  });
});
