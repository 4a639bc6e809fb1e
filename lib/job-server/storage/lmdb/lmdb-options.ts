import { resolve } from 'node:path';
import { checkNames, checkOption, InvalidOptionError, number, oneOf } from '../../../ground/index.js';

/** Options of an {@link LmdbStorage}. */
export interface LmdbStorageOptions {
  /** The folder of the file; made if missing. One process owns it at a time. */
  readonly path: string;
  /**
   * When a job counts as accepted, and what a crash may take:
   *
   * - `'always'`: once it is on disk (fsync). Nothing accepted is lost.
   * - `'interval'`: at once. Lost is what came in the last {@link flushInterval},
   *   when the process is killed as well as when the machine fails.
   * - `'none'`: at once, and nothing is ever synced. When the process is killed,
   *   what came in its last moments is lost; when the machine fails, the whole
   *   file may be.
   *
   * @default 'always'
   */
  readonly durability?: 'always' | 'interval' | 'none';
  /** How often `'interval'` writes to disk, in milliseconds. @default 1000 */
  readonly flushInterval?: number;
}

const KNOWN = ['type', 'path', 'durability', 'flushInterval'];

/** Options with their defaults. @throws InvalidOptionError */
export function checkOptions(options: LmdbStorageOptions): Required<LmdbStorageOptions> {
  checkNames(options, KNOWN, 'option of the storage');
  const { path, durability = 'always', flushInterval = 1_000 } = options;
  if (typeof path !== 'string' || path === '')
    throw InvalidOptionError.notAllowed('path', path, 'the name of a folder');
  checkOption('durability', durability, oneOf('always', 'interval', 'none'));
  checkOption('flushInterval', flushInterval, number(1, 60_000, 'milliseconds'));
  return { path: resolve(path), durability, flushInterval };
}
