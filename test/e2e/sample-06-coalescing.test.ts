import { expect, it } from '@jest/globals';
import { startSample } from '../support/sample.js';

it('sample 06 runs one job for a thousand callers', async () => {
  const sample = startSample('06-coalescing');
  expect(await sample.ended).toBe(0);
  expect(sample.output().trim().split('\n')).toEqual([
    expect.stringMatching(/^without a unique: 100 callers, 100 runs, 100 answers in \d+ ms$/),
    expect.stringMatching(/^with a unique: 1000 callers, 1 run, 1000 answers in \d+ ms$/),
  ]);
});
