import { valued } from '../options/option.js';
import { text } from '../options/values.js';

/** The options that name the database of several job servers, instead of a folder. */
export const FLEET_DATABASE = {
  'pg-url': valued('The database that job servers share, in the place of a folder; the job servers may run.', text, {
    argument: 'URL',
  }),
  'pg-schema': valued('The schema of --pg-url. Default gearman.', text, { argument: 'NAME' }),
} as const;

/** The values given for it. */
export interface DatabaseValues {
  readonly 'pg-url': string | undefined;
  readonly 'pg-schema': string | undefined;
}

/** The named database, as options of a storage; undefined if none was named. */
export function databaseOf(values: DatabaseValues): { readonly url: string; readonly schema?: string } | undefined {
  const { 'pg-url': url, 'pg-schema': schema } = values;
  return url === undefined ? undefined : { url, ...(schema !== undefined && { schema }) };
}
