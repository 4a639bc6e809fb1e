import { writeSync } from 'node:fs';

/**
 * Says what was skipped, where a title says why, and closes every run with one
 * line a machine can read: `N passed, N failed, N skipped`.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    for (const title of skippedTitles(results)) process.stdout.write(`skipped: ${title}\n`);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // Jest's own summary comes after every reporter, on stderr; a log of both must still end with this line.
    process.once('exit', () => {
      writeSync(1, `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
}

function skippedTitles(results) {
  const tests = results.testResults.flatMap(({ testResults }) => testResults);
  const titles = tests.filter(({ status }) => status === 'pending').map(({ ancestorTitles }) => ancestorTitles[0]);
  return new Set(titles.filter((title) => title?.includes('(skipped: ')));
}
