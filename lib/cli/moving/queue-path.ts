import { valued } from '../options/option.js';
import { text } from '../options/values.js';

/** The option for the folder of the jobs; its former name `--lmdb-path` is still accepted. */
export const QUEUE_PATH = {
  'queue-path': valued('The job server’s folder.', text, { argument: 'DIR' }),
  'lmdb-path': valued('The same, by its former name.', text, { argument: 'DIR' }),
} as const;

/** The values given for it. */
export interface PathValues {
  readonly 'queue-path': string | undefined;
  readonly 'lmdb-path': string | undefined;
}

/** The folder that was named with either name. */
export function queuePathOf(values: PathValues): string | undefined {
  return values['queue-path'] ?? values['lmdb-path'];
}
