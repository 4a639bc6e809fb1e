import { describe, expect, it } from '@jest/globals';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import type { RawPeer } from '../../support/raw-peer.js';
import { echo, serverWithClocks } from '../../support/set-clocks.js';

const HOUR = 3_600_000;

/** A background job with a retry policy, at a worker whose time has run out. */
async function lateJob() {
  const storage = new MemoryStorage();
  const policies = { f: { retries: 3, backoff: { initialDelay: HOUR, jitter: 0 } } };
  const { clocks, peer } = await serverWithClocks({ storage, policies, keepResults: HOUR });
  const [client, worker] = [peer(), peer()];
  client.send('SUBMIT_JOB_BG f··x');
  const handle = (await client.next()).split(' ')[1]!;
  worker.send('CAN_DO_TIMEOUT f·1000', 'GRAB_JOB');
  expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
  clocks.passed += 1_000;
  expect(await echo(worker)).toEqual([]);
  return { clocks, peer, client, worker, handle, storage };
}

async function statusOf(peer: RawPeer, handle: string): Promise<string> {
  peer.send(`GET_STATUS ${handle}`);
  return (await peer.next()).replace(handle, '');
}

describe('a stored job whose time ran out, and that a policy tries again in an hour', () => {
  it('is its worker’s again when that goes on with it, and done when it says so', async () => {
    const { client, worker, handle, storage } = await lateJob();
    expect(await statusOf(client, handle)).toBe('STATUS_RES ·1·0·0·0');
    worker.send(`WORK_STATUS ${handle}·1·2`);
    expect(await echo(worker)).toEqual([]);
    expect(await statusOf(client, handle)).toBe('STATUS_RES ·1·1·1·2');
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await echo(worker)).toEqual([]);
    expect(await statusOf(client, handle)).toBe('STATUS_RES ·0·0·0·0');
    expect(storage.counts()).toEqual([]);
    await expect(storage.findByHandle(handle)).resolves.toMatchObject({ state: 'ended', outcome: { result: 'done' } });
  });

  it('is run by another in an hour when its worker has left', async () => {
    const { clocks, peer, worker, handle, storage } = await lateJob();
    worker.destroy();
    const other = peer();
    other.send('CAN_DO f', 'GRAB_JOB');
    expect(await other.next()).toBe('NO_JOB');
    clocks.passed += HOUR;
    other.send('PRE_SLEEP');
    expect(await other.next()).toBe('NOOP');
    other.send('GRAB_JOB');
    expect(await other.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
    await expect(storage.findByHandle(handle)).resolves.toMatchObject({ job: { attempts: 1, losses: 1 } });
  });
});
