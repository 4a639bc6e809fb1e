const { readdirSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');

/** The name of the file that runs all tests of its folder in one, see together.ts. */
const TOGETHER = 'folder.tests.ts';

/**
 * What Jest runs of the files it found: where all tests of a folder are asked
 * for, those of the folder together, and otherwise each file for itself.
 *
 * @param {string[]} found
 */
module.exports = function wholeFolders(found) {
  const isFound = new Set(found);
  const areTogether = new Set(
    found
      .filter((path) => basename(path) === TOGETHER)
      .map((path) => dirname(path))
      .filter((folder) =>
        readdirSync(folder).every((name) => !name.endsWith('.test.ts') || isFound.has(join(folder, name))),
      ),
  );
  const filtered = found.filter((path) => areTogether.has(dirname(path)) === (basename(path) === TOGETHER));
  return { filtered };
};
