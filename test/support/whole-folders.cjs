const { readdirSync } = require('node:fs');
const { dirname, join } = require('node:path');

/** The names of the files that run many tests as one, see together.ts: for a tree, and for a folder. */
const TREE = 'tree.tests.ts';
const FOLDER = 'folder.tests.ts';

/** The test files below a folder, except in trees of their own; or only in the folder itself. */
function testsOf(folder, isTree) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return entry.name.endsWith('.test.ts') ? [path] : [];
    return isTree && !readdirSync(path).includes(TREE) ? testsOf(path, true) : [];
  });
}

/**
 * Decides which of the found files Jest runs: if all tests of a tree, or else of a
 * folder, are asked for, those together as one file, and otherwise each file by itself.
 *
 * @param {string[]} found
 */
module.exports = function wholeFolders(found) {
  const left = new Set(found.filter((path) => path.endsWith('.test.ts')));
  const together = [TREE, FOLDER].flatMap((name) =>
    found.filter((path) => {
      if (!path.endsWith(`/${name}`) && !path.endsWith(`\\${name}`)) return false;
      const tests = testsOf(dirname(path), name === TREE);
      if (!tests.every((test) => left.has(test))) return false;
      for (const test of tests) left.delete(test);
      return true;
    }),
  );
  return { filtered: [...together, ...left] };
};

module.exports.testsOf = testsOf;
