import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { undoAfterEachTest } from './cleanup.js';

const { testsOf } = createRequire(import.meta.url)('./whole-folders.cjs') as {
  testsOf(folder: string, isTree: boolean): string[];
};

/**
 * Runs all test files of a folder, or of a tree of folders, as one file. What they
 * import takes longer to load than their tests take to run, and so it is loaded once.
 * A hook that stands outside of every `describe` therefore applies to all of them.
 */
export async function together(folder: string, isTree = false): Promise<void> {
  undoAfterEachTest();
  for (const file of testsOf(folder, isTree).sort()) await import(pathToFileURL(file).href);
}
