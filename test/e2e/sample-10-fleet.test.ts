import { expect, it } from '@jest/globals';
import { describeWith } from '../support/peers.js';
import { startSample } from '../support/sample.js';

describeWith('postgres', 'sample 10', () => {
  it('does every job that a job server had accepted when it was killed', async () => {
    const sample = startSample('10-fleet');
    expect(await sample.ended).toBe(0);
    const [killed, done, ...rest] = sample.output().trim().split('\n');
    expect(rest).toEqual([]);
    const [, one, two] = /^one accepted (\d+) jobs and was killed, two accepted (\d+)$/.exec(killed!)!;
    expect(Number(one) + Number(two)).toBe(2_000);
    expect(Number(one)).toBeGreaterThan(900);
    expect(Number(two)).toBeGreaterThan(900);
    expect(done).toBe('2000 of 2000 jobs are done');
  }, 120_000);
});
