import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { JobBeside } from '../job-beside.js';
import { StorageError } from '../storage-error.js';
import type { Entry, EntryIndex } from './entry.js';
import { FORMER_FILE, formerForm, storageError } from './file-errors.js';
import { Leasing } from './leasing.js';
import { copyLog } from './log-copy.js';
import { DEAD } from './record.js';
import { readLog } from './recovery.js';
import { segmentOfName, type Damage } from './segment.js';

/**
 * The jobs of a log, read beside the process that owns it, or without one: its
 * segments are open before the last is read, so none is missed. It owns nothing,
 * writes nothing to the folder and holds no writer up.
 */
export class LogBeside {
  private constructor(
    private readonly path: string,
    private readonly index: EntryIndex,
    private readonly damages: Damage[],
  ) {}

  /** Rejects with a {@link StorageError}. */
  static async open(folder: string): Promise<LogBeside> {
    const path = resolve(folder);
    if (existsSync(join(path, FORMER_FILE))) throw formerForm(path);
    if (!hasLog(path)) throw missing(path);
    const damages: Damage[] = [];
    for (;;) {
      try {
        const { index } = readLog<Entry>(path, (damage) => damages.push(damage), { isBeside: true });
        return new LogBeside(path, index, damages);
      } catch (error) {
        // One was deleted since the folder was read.
        const { code } = ((error as StorageError).cause ?? {}) as NodeJS.ErrnoException;
        if (code !== 'ENOENT' || !hasLog(path)) throw storageError(error, path);
        damages.length = 0;
      }
    }
  }

  /** All jobs as this moment has them: each function's by priority, in their order, then the dead letters. */
  *read(): Generator<JobBeside> {
    const { index, damages } = this;
    const leasing = new Leasing(index);
    for (const queue of [...index.queues.values()].sort((one, other) => one.key - other.key)) {
      // Those without a time first.
      for (const until of [-1, Infinity]) {
        for (let entry = leasing.take(queue, until); entry; entry = leasing.take(queue, until)) {
          index.hold(entry.stored!.number);
          yield { is: 'job', job: entry.job };
        }
      }
    }
    for (const { dead } = index; dead.size > 0; dead.pop()) {
      const item = index.isFree(dead.number) ? index.read(dead.number) : undefined;
      if (item?.kind !== DEAD) continue;
      const { job, death } = leasing.entryOf(item, dead.number);
      yield { is: 'dead', letter: { job, ...death! } };
    }
    for (const { reason } of damages) yield { is: 'unreadable', reason };
  }

  /** What is kept beside the jobs. */
  settings(): ReadonlyMap<string, string> {
    const { index } = this;
    return new Map([...index.settings].map(([name, { number }]) => [name, index.read(number)?.text ?? '']));
  }

  /** Copies the folder, as this moment has it, to a new one. */
  async copy(path: string): Promise<void> {
    await copyLog(this.path, path);
  }

  async close(): Promise<void> {
    this.index.close();
  }
}

function hasLog(path: string): boolean {
  try {
    return readdirSync(path).some((name) => segmentOfName(name));
  } catch {
    return false;
  }
}

function missing(path: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `${path} holds no jobs: name the folder that the job server was given as --queue-path`,
  );
}
