import { valued } from '../options/option.js';
import { text } from '../options/values.js';

/** The folder of the jobs; it was called `--lmdb-path` once, and still may be. */
export const QUEUE_PATH = {
  'queue-path': valued('The job server’s folder.', text, { argument: 'DIR' }),
  'lmdb-path': valued('The same, by its former name.', text, { argument: 'DIR' }),
} as const;

/** What was given of it. */
export interface PathValues {
  readonly 'queue-path': string | undefined;
  readonly 'lmdb-path': string | undefined;
}

/** The folder that was named, by either name. */
export function queuePathOf(values: PathValues): string | undefined {
  return values['queue-path'] ?? values['lmdb-path'];
}
