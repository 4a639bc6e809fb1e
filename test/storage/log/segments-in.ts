import { readdirSync } from 'node:fs';

/** The names of a log's segments. */
export function segmentsIn(path: string): string[] {
  return readdirSync(path).filter((name) => name.endsWith('.log'));
}
