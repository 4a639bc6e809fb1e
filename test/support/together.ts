import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { undoAfterEachTest } from './cleanup.js';

/**
 * Has all test files of a folder run as one, for what they import costs more
 * than what they test: it is loaded once. So a hook of one of them that is
 * outside of every `describe` stands for all of them.
 */
export async function together(folder: string): Promise<void> {
  undoAfterEachTest();
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.ts'));
  for (const file of files.sort()) await import(pathToFileURL(join(folder, file)).href);
}
