import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Leasing } from '../../../lib/job-server/storage/log/leasing.js';
import { claimedLength, DEAD, sealRecord } from '../../../lib/job-server/storage/log/record.js';
import { readLog } from '../../../lib/job-server/storage/log/recovery.js';
import { LogStorage, StorageError } from '../../../lib/job-server/storage/index.js';
import { addAll, bytesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

const SEGMENT = '0000000001-1.log';

/** How many bytes there are before the zeros that are written ahead. */
const usedBytes = (bytes: Buffer): number => bytes.findLastIndex((byte) => byte !== 0) + 1;

/** What a log says: a line for each job, dead letter and setting, and what it says cannot be read. */
interface Said {
  readonly lines: string[];
  readonly damages: string[];
}

/** Reads a folder as a start would. */
function read(path: string): Said {
  const damages: string[] = [];
  const index = readLog(path, ({ reason }) => damages.push(reason));
  const leasing = new Leasing(index);
  const lines: string[] = [];
  for (const queue of index.queues.values()) {
    for (let entry = leasing.take(queue, Infinity); entry; entry = leasing.take(queue, Infinity)) {
      index.setInMemory(entry.stored!.number);
      const { handle, unique, attempts, losses, at, workload } = entry.job;
      lines.push([handle, queue.functionName, unique, attempts, losses, at, bytesOf(workload).toString()].join(' '));
    }
  }
  for (; index.dead.size > 0; index.dead.pop()) {
    const item = index.isFree(index.dead.number) ? index.read(index.dead.number) : undefined;
    if (item?.kind === DEAD) lines.push(`dead ${item.handle} ${item.text}`);
  }
  for (const [name, { number }] of index.settings) {
    const item = index.read(number);
    if (item) lines.push(`setting ${name} ${item.text}`);
  }
  index.close();
  return { lines: lines.sort(), damages };
}

describe('a log', () => {
  let folder: string;
  let path: string;
  /** How long the file was after each batch that was told durable, and what it said then. */
  let batches: { size: number; said: Said }[];
  let storage: LogStorage;

  beforeEach(async () => {
    folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gearman-log-'));
    path = join(folder, 'jobs');
    batches = [];
    storage = new LogStorage({ path });
    await storage.open(new RecordingListener());
    const durable = async (): Promise<void> => {
      await storage.flush();
      batches.push({ size: usedBytes(readFileSync(join(path, SEGMENT))), said: read(path) });
    };
    await addAll(storage, newJob({ handle: 'H:1', workload: 'one' }), newJob({ handle: 'H:2', unique: 'u' }));
    await durable();
    await addAll(storage, newJob({ handle: 'H:3', at: NOW + 9 }), newJob({ handle: 'own', function: 'g' }));
    await durable();
    await storage.lease('reverse', 1, 9, NOW);
    storage.done('H:1');
    storage.release('H:2', { attempts: 1 });
    await durable();
    await storage.lease('g', 1, 9, NOW);
    storage.bury('own', 'boom', NOW);
    storage.set('paused', 'yes');
    await durable();
    await storage.addOnce(newJob({ handle: 'H:4' }), 'elsewhere/1');
    await durable();
  });

  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  /** Reads a copy of the folder after something was done to one of its files. */
  function readAfter(name: string, change: (bytes: Buffer) => Buffer): Said | StorageError {
    const copy = join(folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(copy);
    for (const each of readdirSync(path)) {
      if (!/log$|index$|checkpoint/.test(each)) continue;
      const bytes = readFileSync(join(path, each));
      writeFileSync(join(copy, each), each === name ? change(bytes) : bytes);
    }
    try {
      return read(copy);
    } catch (error) {
      if (error instanceof StorageError) return error;
      throw error;
    }
  }

  /** After a byte was changed: nothing is said that was never so, and what is not said any more is told as lost. */
  function expectLossTold(offset: number, said: Said | StorageError): void {
    if (said instanceof StorageError) {
      // Its version alone says of itself that it cannot be read.
      expect([offset, said.code]).toEqual([offset, 'GEARMAN_STORAGE_VERSION']);
      return;
    }
    const ever = new Set(batches.flatMap((batch) => batch.said.lines));
    expect([offset, said.lines.filter((line) => !ever.has(line))]).toEqual([offset, []]);
    const isWhole = said.lines.join() === batches.at(-1)!.said.lines.join();
    if (!isWhole) expect([offset, said.damages.length]).not.toEqual([offset, 0]);
  }

  it('says all that it was told, and nothing else', () => {
    expect(batches.at(-1)!.said).toEqual({
      lines: [
        'H:2 reverse u 1 0 0 Hello world!',
        `H:3 reverse  0 0 ${NOW + 9} Hello world!`,
        'H:4 reverse  0 0 0 Hello world!',
        'dead own boom',
        'setting paused yes',
      ],
      damages: [],
    });
  });

  it.each([
    ['is cut off', (bytes: Buffer, length: number) => bytes.subarray(0, length)],
    ['has zeros from', (bytes: Buffer, length: number) => bytes.fill(0, length)],
  ])('that %s anywhere says what was durable before, and that something is missing', (_, cut) => {
    const { size } = batches.at(-1)!;
    const whole = readFileSync(join(path, SEGMENT));
    expect(whole.length).toBeGreaterThan(size + 1_000);
    for (let length = batches[0]!.size; length < size; length++) {
      const said = readAfter(SEGMENT, (bytes) => cut(bytes, length));
      const before = batches.findLast((batch) => batch.size <= length)!;
      if (said instanceof StorageError) throw said;
      expect([length, said.lines]).toEqual([length, before.said.lines]);
      expect(said.damages).toHaveLength(Math.sign(usedBytes(whole.subarray(before.size, length))));
    }
  });

  it('with nothing but zeros, as a crash may leave its first write, holds nothing, and nothing is missing', () => {
    expect(readAfter(SEGMENT, (bytes) => bytes.fill(0))).toEqual({ lines: [], damages: [] });
  });

  it.each([0x01, 0x80, 0xff])(
    'with any byte changed (by %i) says what is lost, and nothing that was never so',
    (mask) => {
      const { size } = batches.at(-1)!;
      // The zeros behind it included.
      for (let offset = 0; offset < size + 64; offset++) {
        const said = readAfter(SEGMENT, (bytes) => {
          bytes[offset]! ^= mask;
          return bytes;
        });
        expectLossTold(offset, said);
      }
    },
  );

  it('of several MiB is read piece by piece: records of any length, and what is damaged where a piece ends', async () => {
    for (let index = 0; index < 40; index++) {
      const workload = 'x'.repeat(index === 7 ? 2_500_000 : 20_000 + ((index * 7_919) % 40_000));
      await addAll(storage, newJob({ handle: `H:large:${index}`, workload }));
    }
    const handles = (said: Said | StorageError): string[] => {
      if (said instanceof StorageError) throw said;
      return said.lines.map((line) => line.split(' ', 1)[0]!);
    };
    const all = handles(read(path));
    expect(all).toHaveLength(5 + 40);
    const MIB = 1024 * 1024;
    for (const offset of [1, 2, 3].flatMap((each) => [-1, 0, 1].map((by) => 128 + each * MIB + by))) {
      const said = readAfter(SEGMENT, (bytes) => {
        bytes[offset]! ^= 0x80;
        return bytes;
      });
      const lost = all.filter((handle) => !handles(said).includes(handle));
      // A block that is read later says it again.
      const places = new Set((said as Said).damages.map((reason) => / at (\d+) of /.exec(reason)?.[1]));
      expect([offset, lost.length, places.size]).toEqual([offset, 1, 1]);
    }
  });

  it('is not read at a start after a clean stop: what its index files say is believed until it is asked for', async () => {
    // It would be looked up.
    storage.set('paused', undefined);
    await storage.close();
    const file = join(path, SEGMENT);
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('Hello world!')]! ^= 1;
    writeFileSync(file, bytes);
    const damages: string[] = [];
    const index = readLog(path, ({ reason }) => damages.push(reason));
    index.close();
    const total = [...index.queues.values()].reduce((sum, { counts: [all] }) => sum + all, 0);
    expect([damages, total]).toEqual([[], 3]);
    expect(read(path).damages).toHaveLength(1);
  });

  it('needs neither its checkpoint nor its index files: any byte of them may be another', async () => {
    const { lines } = batches.at(-1)!.said;
    await storage.close();
    const caches = readdirSync(path).filter((name) => /checkpoint|index/.test(name));
    expect(caches).toEqual(['0000000001-1.index', 'checkpoint']);
    for (const name of caches) {
      const { length } = readFileSync(join(path, name));
      for (let offset = 0; offset < length; offset++) {
        const said = readAfter(name, (bytes) => {
          bytes[offset]! ^= 0x10;
          return bytes;
        });
        expect([name, offset, said]).toEqual([name, offset, { lines, damages: [] }]);
      }
      expect(readAfter(name, () => Buffer.alloc(0))).toEqual({ lines, damages: [] });
    }
  });

  it('with any byte changed under its index files says what is lost once it is read', async () => {
    const { size } = batches.at(-1)!;
    await storage.close();
    for (let offset = 0; offset < size; offset++) {
      const said = readAfter(SEGMENT, (bytes) => {
        bytes[offset]! ^= 0x01;
        return bytes;
      });
      expectLossTold(offset, said);
    }
  });
});

it('where there is damage, no workload passes for the beginning of a record: who made it does not know the secret', () => {
  const bytes = Buffer.alloc(1_000);
  // As a workload may say it: what it pretends to be is as long as it likes.
  for (let offset = 0; offset + 40 <= bytes.length; offset += 40) {
    bytes[offset + 14] = 1;
    sealRecord(bytes, offset, 40, 1);
  }
  const offsets = [...bytes.keys()];
  expect(offsets.filter((offset) => claimedLength(bytes, offset, 2) > 0)).toEqual([]);
  expect(offsets.filter((offset) => claimedLength(bytes, offset, 1) === 40)).toHaveLength(25);
});
