import { describe, expect, it } from '@jest/globals';
import type { JobServerOptions } from 'nestjs-gearman/job-server';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { retryDelay } from '../../../../lib/job-server/durable/function-policy.js';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { settled } from '../../../support/turns.js';
import { until } from '../../../support/until.js';

const AT_ONCE = { initialDelay: 0, maxDelay: 0 };

async function start(options: JobServerOptions): Promise<JobServer> {
  const jobServer = new JobServer({ listeners: [], storage: new MemoryStorage(), ...options });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

async function submit(jobServer: JobServer, packet: string): Promise<string> {
  const client = new RawPeer(jobServer.connect());
  client.send(packet);
  return (await client.next()).slice('JOB_CREATED '.length);
}

async function grab(worker: RawPeer): Promise<string> {
  worker.send('PRE_SLEEP');
  expect(await worker.next()).toBe('NOOP');
  worker.send('GRAB_JOB');
  return worker.next();
}

async function lines(peer: RawPeer, words: string): Promise<string[]> {
  peer.sendText(`${words}\n`);
  return (await peer.list()).slice(0, -1);
}

describe('a policy for background jobs', () => {
  it('runs a failed job again, and buries it with its last error when it is out of retries', async () => {
    const jobServer = await start({ policies: { f: { retries: 1, backoff: AT_ONCE } } });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f··x');
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_FAIL ${handle}`);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_EXCEPTION ${handle}·no such file`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');

    const [letter] = await lines(worker, 'show dead jobs');
    expect(letter).toMatch(new RegExp(`^${handle}\tf\t1\t0\t\\d+\tno%20such%20file\n$`));
    expect(await lines(worker, 'status')).toEqual(['f\t0\t0\t1\n']);
  });

  it.each([
    ['three bytes a character', '€'.repeat(5_000), '€'.repeat(4_096)],
    ['a character of two code units at the cut', `a${'😀'.repeat(3_000)}`, `a${'😀'.repeat(2_047)}`],
    ['a cut within the last character looked at', `ab${'€'.repeat(5_000)}`, `ab${'€'.repeat(4_094)}`],
    ['a short one', 'no', 'no'],
  ])('keeps the first 4,096 characters of a long exception: %s', async (_, exception, kept) => {
    const jobServer = await start({ policies: { f: { retries: 0 } } });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f··x');
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    worker.send(`WORK_EXCEPTION ${handle}·${Buffer.from(exception).toString('latin1')}`);
    await worker.untilEcho();
    const errors: string[] = [];
    for await (const { error } of jobServer.deadLetters()) errors.push(error);
    expect(errors).toEqual([kept]);
  });

  it('counts a lost worker as a failure', async () => {
    const jobServer = await start({ policies: { '*': { retries: 0 } } });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f··x');
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    await grab(worker);
    worker.stream.destroy();
    const admin = new RawPeer(jobServer.connect());
    const dead = await until('it is dead', async () => {
      const letters = await lines(admin, 'show dead jobs');
      return letters.length > 0 && letters;
    });
    expect(dead[0]).toContain(`${handle}\tf\t0\t1\t`);
    expect(dead[0]).toContain('its%20worker%20was%20lost');
  });

  it('lets a client that waits for the job hear only how it ended at last', async () => {
    const jobServer = await start({ policies: { f: { retries: 1, backoff: AT_ONCE } } });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f·u·x');
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB f·u·x');
    expect(await client.next()).toBe(`JOB_CREATED ${handle}`);
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·done`);
  });

  it('replays a dead letter and purges another', async () => {
    const jobServer = await start({ policies: { f: { retries: 0 } } });
    const [first, second] = [
      await submit(jobServer, 'SUBMIT_JOB_BG f··1'),
      await submit(jobServer, 'SUBMIT_JOB_BG f··2'),
    ];
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    for (const handle of [first, second]) {
      await grab(worker);
      worker.send(`WORK_FAIL ${handle}`);
    }
    worker.sendText(`replay job ${first}\n`);
    expect(await worker.next()).toBe('OK\r\n');
    worker.sendText(`purge job ${second}\n`);
    expect(await worker.next()).toBe('OK\r\n');
    expect(await lines(worker, 'show dead jobs')).toEqual([]);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${first}·f·1`);
  });

  it('leaves a failed job ended where no policy names its function', async () => {
    const jobServer = await start({ policies: { other: {} } });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f··x');
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    expect(await lines(worker, 'show dead jobs')).toEqual([]);
  });

  it('waits longer before each retry, up to the longest wait, less what is left to chance', () => {
    const policy = { backoff: { initialDelay: 100, factor: 3, maxDelay: 1_000, jitter: 0.5 } };
    expect([0, 1, 2, 3].map((attempts) => retryDelay(policy, attempts, 0))).toEqual([100, 300, 900, 1_000]);
    expect(retryDelay(policy, 1, 1)).toBe(150);
    // 2 ** 2,000 is more than a number can be.
    expect(retryDelay({ backoff: { initialDelay: 0 } }, 2_000, 0.5)).toBe(0);
    expect(retryDelay({ backoff: { jitter: 0 } }, 2_000, 0.5)).toBe(600_000);
  });

  it('is refused at start without a storage, or with a number that is not allowed', () => {
    expect(() => new JobServer({ policies: { f: {} } })).toThrow(/^policies: must be given together with a storage/);
    const storage = new MemoryStorage();
    expect(() => new JobServer({ storage, policies: { f: { retries: -1 } } })).toThrow(
      "policies['f'].retries: must be a whole number from 0, not -1",
    );
  });
});

describe('keepResults', () => {
  it('gives the result of a finished background job to who asks for results, and to nobody else', async () => {
    const jobServer = await start({ keepResults: 60_000 });
    const handle = await submit(jobServer, 'SUBMIT_JOB_BG f··x');
    const peer = new RawPeer(jobServer.connect());
    peer.send('CAN_DO f');
    await grab(peer);
    peer.send(`WORK_COMPLETE ${handle}·the result`, `GET_STATUS ${handle}`);
    expect(await peer.next()).toBe(`STATUS_RES ${handle}·0·0·0·0`);
    peer.send('OPTION_REQ results', `GET_STATUS ${handle}`);
    expect(await peer.next()).toBe('OPTION_RES results');
    expect(await peer.next()).toBe(`WORK_COMPLETE ${handle}·the result`);
    expect(await peer.next()).toBe(`STATUS_RES ${handle}·0·0·0·0`);
  });

  describe('whose time is over', () => {
    /** A storage that forgets when the test says so, or fails to. */
    class SlowToForget extends MemoryStorage {
      fail: ((error: Error) => void) | undefined;

      override forget(): Promise<number> {
        return new Promise((_, reject) => (this.fail = reject));
      }
    }

    const errorsOf = async (storage: SlowToForget): Promise<{ jobServer: JobServer; errors: string[] }> => {
      const errors: string[] = [];
      const log: JobServerOptions['log'] = (level, message) => void (level === 'error' && errors.push(message));
      const jobServer = await start({ keepResults: 60_000, storage, log });
      await until('it forgets', () => storage.fail !== undefined);
      return { jobServer, errors };
    };

    it('are an error of the log where they cannot be forgotten', async () => {
      const storage = new SlowToForget();
      const { errors } = await errorsOf(storage);
      storage.fail!(new Error('the disk failed'));
      await until('it is logged', () => errors.length > 0);
      expect(errors).toEqual(['storage: the disk failed']);
    });

    it.each(['ends', 'has ended'])('are none that a job server forgets no more as it %s', async (when) => {
      const storage = new SlowToForget();
      const { jobServer, errors } = await errorsOf(storage);
      const ended = jobServer.stop();
      if (when === 'has ended') await ended;
      storage.fail!(new Error('the storage is not open'));
      await ended;
      await settled();
      expect(errors).toEqual([]);
    });
  });
});
