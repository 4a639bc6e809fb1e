import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { GroupCommit, type CommitHost } from '../../../../lib/job-server/storage/group-commit.js';

/** A disk that takes as long as the test likes. */
class Disk implements CommitHost<{ bytes: number }> {
  /** How many changes each write had. */
  readonly writes: number[] = [];
  private finish: (() => void) | undefined;

  write(items: readonly unknown[]): Promise<void> {
    this.writes.push(items.length);
    return new Promise((resolve) => (this.finish = resolve));
  }

  /** Ends the write that is being made, after so many milliseconds. */
  async endWrite(milliseconds: number): Promise<void> {
    jest.advanceTimersByTime(milliseconds);
    this.finish?.();
    await turns();
  }

  /** What those do who are told of a write. */
  told = (): void => undefined;

  async settled(): Promise<void> {
    this.told();
    await new Promise((resolve) => setImmediate(resolve));
  }

  failed(): [] {
    throw new Error('this disk does not fail');
  }

  dropped(): void {
    // Nobody waits for it.
  }

  trouble(): void {
    throw new Error('this disk does not fail');
  }
}

/** Lets the event loop read what there is to read, and act on it. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('GroupCommit', () => {
  let disk: Disk;
  let commit: GroupCommit<{ bytes: number }>;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    disk = new Disk();
    commit = new GroupCommit(disk, 50);
  });
  afterEach(async () => {
    const stopped = commit.stop();
    await disk.endWrite(0);
    await stopped;
    jest.useRealTimers();
  });

  async function submit(count: number): Promise<void> {
    for (let index = 0; index < count; index++) commit.mark({ bytes: 1 }, true);
    await turns();
  }

  it('lets the others have their turn between two large batches', async () => {
    const happened: string[] = [];
    disk.write = async () => void happened.push('written');
    disk.settled = async () => {
      happened.push('told');
      setImmediate(() => happened.push('a turn of others'));
    };
    for (let index = 0; index < 10_000; index++) commit.mark({ bytes: 1 }, false);
    await turns();
    const each = ['written', 'told', 'a turn of others'];
    expect(happened).toEqual([...each, ...each, ...each]);
  });

  it('waits for those that were told of the last write', async () => {
    await submit(3);
    await submit(2);
    expect(disk.writes).toEqual([3]);
    await disk.endWrite(10);
    expect(disk.writes).toEqual([3]);
    await submit(1);
    expect(disk.writes).toEqual([3]);
    await submit(2);
    expect(disk.writes).toEqual([3, 5]);
  });

  it('writes what stays in its order, however much came and went while a write took long', async () => {
    const written: { bytes: number }[] = [];
    const write = disk.write.bind(disk);
    disk.write = (items: readonly { bytes: number }[]) => {
      written.push(...items);
      return write(items);
    };
    await submit(1);
    const stay = Array.from({ length: 5_000 }, (_, index) => ({ bytes: 1 + index }));
    for (const change of stay) {
      const passing = Array.from({ length: 4 }, () => ({ bytes: 1 }));
      for (const each of [passing[0]!, change, change, ...passing.slice(1)]) commit.mark(each, false);
      for (const each of passing) commit.unmark(each);
    }
    expect(commit.backlog).toBe(5_000);
    for (let count = 0; count < 3; count++) await disk.endWrite(100);
    expect(written.slice(1)).toEqual(stay);
    expect(commit.backlog).toBe(0);
  });

  it('waits half as long as the last write took', async () => {
    await submit(3);
    await submit(2);
    await disk.endWrite(10);
    jest.advanceTimersByTime(4);
    await turns();
    expect(disk.writes).toEqual([3]);
    jest.advanceTimersByTime(1);
    await turns();
    expect(disk.writes).toEqual([3, 2]);
  });

  it('waits for nobody who was back before the write was over', async () => {
    disk.told = () => {
      for (let count = 0; count < 3; count++) commit.mark({ bytes: 1 }, true);
    };
    await submit(3);
    await disk.endWrite(10);
    disk.told = () => undefined;
    expect(disk.writes).toEqual([3, 3]);
  });

  it('does not keep a lone submitter waiting', async () => {
    await submit(1);
    await disk.endWrite(10);
    await submit(1);
    expect(disk.writes).toEqual([1, 1]);
  });

  it('does not wait for more when there are many', async () => {
    await submit(300);
    await submit(100);
    await disk.endWrite(10);
    expect(disk.writes).toEqual([300, 100]);
  });

  it('does not wait when it is to flush', async () => {
    await submit(3);
    await submit(2);
    await disk.endWrite(10);
    const flushed = commit.flush();
    await turns();
    expect(disk.writes).toEqual([3, 2]);
    await disk.endWrite(10);
    await flushed;
  });

  it('settles nothing where it was only to flush', async () => {
    let settled = 0;
    disk.told = () => void settled++;
    await commit.flush();
    expect([settled, disk.writes]).toEqual([0, []]);
  });

  it('expects those who were told of a write for a while only', async () => {
    for (let count = 0; count < 300; count++) commit.mark({ bytes: 1 }, true);
    await turns();
    expect(commit.crowd).toBe(300);
    await disk.endWrite(5);
    expect(commit.crowd).toBe(300);
    jest.advanceTimersByTime(1_000);
    expect(commit.crowd).toBe(0);
    commit.mark({ bytes: 1 }, true);
    expect(commit.crowd).toBe(1);
  });
});
