import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { undoAfterEachTest } from './cleanup.js';

const { testsOf } = createRequire(import.meta.url)('./whole-folders.cjs') as {
  testsOf(folder: string, isTree: boolean): string[];
};

/**
 * Has all test files of a folder, or of a tree of folders, run as one, for what
 * they import costs more than what they test: it is loaded once. So a hook of one
 * of them that is outside of every `describe` stands for all of them.
 */
export async function together(folder: string, isTree = false): Promise<void> {
  undoAfterEachTest();
  for (const file of testsOf(folder, isTree).sort()) await import(pathToFileURL(file).href);
}
