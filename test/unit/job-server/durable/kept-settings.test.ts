import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { LogStorage, MemoryStorage, StorageError, type JobStorage } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { tempDir } from '../../../support/temp-dir.js';

const lines: string[] = [];

async function start(storage: JobStorage): Promise<JobServer> {
  lines.length = 0;
  const jobServer = new JobServer({ listeners: [], storage, log: (level, line) => lines.push(`${level}: ${line}`) });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

/** What a job server says of its functions: name, whether paused, limits. */
function settingsOf(server: JobServer): unknown[] {
  const { engine } = coreOf(server);
  return Array.from(engine.functions, ({ name, isPaused, limits }) => [name, isPaused, limits.join()]);
}

const storages: [string, () => JobStorage][] = [
  ['memory', () => new MemoryStorage()],
  ['a log', () => new LogStorage({ path: join(tempDir(), 'jobs') })],
];

describe.each(storages)('what an operator set, with a storage in %s,', (_, makeStorage) => {
  it('holds after a restart: paused functions give nothing, limited ones refuse', async () => {
    const storage = makeStorage();
    const before = await start(storage);
    const client = new RawPeer(before.connect());
    client.send('SUBMIT_JOB_BG paused··x', 'SUBMIT_JOB_BG limited··x');
    await client.nextOnes(2);
    coreOf(before).engine.pause('paused');
    coreOf(before).engine.limitQueue('limited', [0, 1, 0]);
    await before.stop();

    const after = await start(storage);
    const [worker, other] = [new RawPeer(after.connect()), new RawPeer(after.connect())];
    worker.send('CAN_DO paused', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    other.send('SUBMIT_JOB_BG limited··y', 'SUBMIT_JOB_HIGH_BG limited··y');
    expect(await other.next()).toBe('ERROR QUEUE_ERROR·Job queue is full');
    expect(await other.next()).toMatch(/^JOB_CREATED /);
    coreOf(after).engine.resume('paused');
    await after.stop();

    const last = await start(storage);
    expect(settingsOf(last)).toContainEqual(['paused', false, '0,0,0']);
    expect(settingsOf(last)).toContainEqual(['limited', false, '0,1,0']);
  });

  it('holds for functions that nobody has named yet', async () => {
    const storage = makeStorage();
    const before = await start(storage);
    coreOf(before).engine.pause('\xff');
    const admin = new RawPeer(before.connect());
    admin.sendText('maxqueue new 1 2 3\n');
    expect(await admin.next()).toBe('OK\r\n');
    await before.stop();
    await (await start(storage)).stop();

    const after = await start(storage);
    expect(settingsOf(after)).toEqual([['\xff', true, '0,0,0']]);
    coreOf(after).engine.createFunction('new');
    expect(settingsOf(after)).toContainEqual(['new', false, '1,2,3']);
  });

  it('is forgotten with a function that is dropped', async () => {
    const storage = makeStorage();
    const before = await start(storage);
    coreOf(before).engine.pause('f');
    coreOf(before).engine.dropFunction('f');
    await before.stop();
    expect(settingsOf(await start(storage))).toEqual([]);
  });

  it('before the storage was opened holds, whatever it kept', async () => {
    const storage = makeStorage();
    const first = await start(storage);
    coreOf(first).engine.limitQueue('f', [1, 1, 1]);
    await first.stop();
    const second = new JobServer({ listeners: [], storage });
    coreOf(second).engine.limitQueue('f', [2, 2, 2]);
    await second.start();
    await second.stop();
    coreOf(await start(storage)).engine.createFunction('f');
    expect([...storage.settings()]).toEqual([['function:f', '{"paused":false,"limits":[2,2,2]}']]);
  });
});

describe('settings in a storage', () => {
  it.each([
    '',
    '{',
    '1',
    'null',
    '{"paused":1}',
    '{"paused":true,"limits":[1,2]}',
    '{"paused":true,"limits":[1,2,-3]}',
  ])('that cannot be understood (%s) are left out and logged', async (value) => {
    const storage = new MemoryStorage();
    await storage.open({ ready: () => {}, trouble: () => {}, setAside: () => {} });
    storage.set('function:f', value);
    storage.set('function:g', '{"paused":true}');
    storage.set('something else', value);
    await storage.close();
    expect(settingsOf(await start(storage))).toEqual([['g', true, '0,0,0']]);
    expect(lines).toEqual([`error: storage: the settings of f are left out: ${value} cannot be understood`]);
  });

  it('that cannot be kept hold until the end, and the log says so', async () => {
    class FullStorage extends MemoryStorage {
      override set(): void {
        throw new StorageError('GEARMAN_STORAGE_INVALID', 'a storage keeps at most 10000 settings');
      }
    }
    const jobServer = await start(new FullStorage());
    coreOf(jobServer).engine.pause('f');
    expect(settingsOf(jobServer)).toEqual([['f', true, '0,0,0']]);
    expect(lines).toEqual([
      'error: storage: the settings of f will not survive a restart: a storage keeps at most 10000 settings',
    ]);
  });
});
