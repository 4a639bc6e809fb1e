import { writeSync } from 'node:fs';

/**
 * Prints what was skipped, with the reason if a title has one, and ends every run
 * with one line that a machine can read: `N passed, N failed, N skipped`.
 */
export default class SummaryReporter {
  onRunComplete(_contexts, results) {
    for (const title of skippedTitles(results)) process.stdout.write(`skipped: ${title}\n`);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // Jest writes its own summary to stderr after all reporters; a log of both must still end with this line.
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
