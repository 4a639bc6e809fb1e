import { resolve } from 'node:path';
import { StorageError } from '../storage-error.js';

/** Options of a {@link LogStorage}. */
export interface LogStorageOptions {
  /** The folder of the log; made if missing. One process owns it at a time. */
  readonly path: string;
  /**
   * When a job counts as accepted, and what a crash may take:
   *
   * - `'always'`: once it is on disk (fsync). Nothing accepted is lost.
   * - `'interval'`: at once. Lost is what came in the last {@link flushInterval},
   *   when the process is killed as well as when the machine fails.
   * - `'none'`: at once, and nothing is ever synced. When the process is killed,
   *   what came in its last moments is lost; when the machine fails, the
   *   whole log may be.
   *
   * @default 'always'
   */
  readonly durability?: 'always' | 'interval' | 'none';
  /** How often `'interval'` writes to disk, in milliseconds. @default 1000 */
  readonly flushInterval?: number;
}

const DURABILITIES: readonly unknown[] = ['always', 'interval', 'none'];

/** Options with their defaults; throws GEARMAN_STORAGE_INVALID naming the one that is wrong. */
export function checkOptions(options: LogStorageOptions): Required<LogStorageOptions> {
  const { path, durability = 'always', flushInterval = 1_000, ...others } = options;
  for (const option of Object.keys(others)) if (option !== 'type') throw unknown(option);
  if (typeof path !== 'string' || path === '') throw invalid('path', path, 'the name of a folder');
  if (!DURABILITIES.includes(durability)) throw invalid('durability', durability, `'always', 'interval' or 'none'`);
  if (!(flushInterval >= 1 && flushInterval <= 60_000)) {
    throw invalid('flushInterval', flushInterval, 'a number of milliseconds from 1 to 60000');
  }
  return { path: resolve(path), durability, flushInterval };
}

function unknown(option: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `the storage has no option ${option}; it has path, durability and flushInterval`,
  );
}

function invalid(option: string, value: unknown, allowed: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `the storage's option ${option} is ${allowed}, not ${JSON.stringify(value)}`,
  );
}

/** How large the log's files become; other values are for tests. */
export interface LogSizes {
  /** A segment is sealed once it has so many bytes. */
  readonly segmentBytes: number;
  /** While nothing is written, the log has at most so many bytes more than several times what lives in it. */
  readonly idleSlack: number;
}

export const LOG_SIZES: LogSizes = { segmentBytes: 64 * 1024 * 1024, idleSlack: 64 * 1024 };
