import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { JobServerOptions } from 'nestjs-gearman/job-server';
import { InvalidOptionError } from '../../../../lib/ground/index.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'storage-option-'));
  atEnd(() => rmSync(path, { recursive: true }));
  return path;
}

/** Submits a job to a job server with this storage, stops it, and asks another one with that storage for jobs. */
async function statusAfterRestart(
  before: JobServerOptions['storage'],
  after: JobServerOptions['storage'],
): Promise<string> {
  const first = new JobServer({ listeners: [], storage: before });
  await first.start();
  const client = new RawPeer(first.connect());
  client.send('SUBMIT_JOB_BG f··x');
  expect(await client.next()).toMatch(/^JOB_CREATED/);
  await first.stop();

  const second = new JobServer({ listeners: [], storage: after });
  atEnd(() => second.stop());
  await second.start();
  const admin = new RawPeer(second.connect());
  admin.sendText('status\n');
  return admin.next();
}

describe('the option storage', () => {
  it('keeps jobs in a folder, for the next job server that is given it', async () => {
    const storage = { type: 'file', path: join(folder(), 'made') } as const;
    expect(await statusAfterRestart(storage, storage)).toBe('f\t1\t0\t0\n');
  });

  it('keeps jobs in memory, for as long as that job server is there', async () => {
    const storage = { type: 'memory' } as const;
    expect(await statusAfterRestart(storage, storage)).toBe('.\n');
  });

  it('takes a storage of your own', async () => {
    const storage = new MemoryStorage();
    expect(await statusAfterRestart(storage, storage)).toBe('f\t1\t0\t0\n');
  });

  it.each([
    [
      'file',
      "storage: must be { type: 'file', path }, { type: 'postgres', url }, { type: 'memory' } or a JobStorage, not 'file'",
    ],
    [
      {},
      "storage: must be { type: 'file', path }, { type: 'postgres', url }, { type: 'memory' } or a JobStorage, not {}",
    ],
    [{ type: 'sqlite' }, "storage.type: must be 'file', 'postgres' or 'memory', not 'sqlite'"],
    [
      { type: 'lmdb', path: '/tmp/x' },
      "storage.type: must be 'file', 'postgres' or 'memory': write { type: 'file', path } with the path of another folder in the place of 'lmdb', and have `nestjs-gearman import --from lmdb DIR --queue-path PATH` bring its jobs",
    ],
    [{ type: 'file' }, 'storage.path: must be the name of a folder, not undefined'],
    [
      { type: 'file', path: '/tmp/x', durability: 'often' },
      "storage.durability: must be 'always', 'interval' or 'none', not 'often'",
    ],
    [
      { type: 'file', dir: '/tmp/x' },
      'storage.dir: is no option of the storage; there are type, path, durability, flushInterval',
    ],
  ])('refuses %j and says what is allowed', (storage, message) => {
    expect(() => new JobServer({ storage: storage as never })).toThrow(InvalidOptionError);
    expect(() => new JobServer({ storage: storage as never })).toThrow(message);
  });

  it('opens nothing before the job server starts, and says who has the folder when another one does', async () => {
    const storage = { type: 'file', path: folder() } as const;
    const first = new JobServer({ listeners: [], storage });
    const second = new JobServer({ listeners: [], storage });
    await first.start();
    atEnd(() => first.stop());
    await expect(second.start()).rejects.toMatchObject({
      code: 'GEARMAN_STORAGE_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await first.stop();
    await second.start();
    await second.stop();
  });
});
