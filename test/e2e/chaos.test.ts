import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { timesAsLong } from '../support/patience.js';
import { run } from '../support/run.js';

jest.setTimeout(timesAsLong(2));

/** Runs the harness; test/chaos/run.mjs says what it does. */
async function chaos(...options: string[]): Promise<{ code: number | null; stdout: string }> {
  const { code, stdout, stderr } = await run(process.execPath, ['test/chaos/run.mjs', ...options], { cwd: ROOT });
  expect(stderr).toBe('');
  return { code, stdout };
}

const numberIn = (report: string, line: string): number =>
  Number(new RegExp(`^${line} +(\\d+)`, 'm').exec(report)?.[1]);

/** How many are killed at least; on a machine so busy that a minute is too short for that, fewer. */
const KILLS = 'job-server=4,worker=4,client=2';

// The kills fall at random on whatever the machine has got done by then: a run in which too little was done says nothing.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

describe('job servers, workers and clients that are killed at random', () => {
  beforeAll(requireBuild);

  it('lose no accepted job, and run none again that was not running', async () => {
    const { code, stdout } = await chaos('--seconds', '60', '--seed', '1', '--until', KILLS);
    expect(stdout).toMatch(/^lost +0$/m);
    expect(stdout).toMatch(/^unexplained +0$/m);
    expect(stdout).toMatch(/^accounted for +\d+ jobs of [1-3] functions since the last kill$/m);
    expect(code).toBe(0);
    expect(numberIn(stdout, 'ended')).toBeGreaterThan(0);
    expect(numberIn(stdout, 'accepted')).toBeGreaterThan(0);
    expect(Number(/(\d+) of them over HTTP/.exec(stdout)?.[1])).toBeGreaterThan(0);
  });

  it('fire every tick of every schedule once, and catch up with what they missed', async () => {
    const { code, stdout } = await chaos('--schedules', '--kills', '5', '--seed', '1');
    expect(stdout).toMatch(/^lost +0$/m);
    expect(stdout).toMatch(/^twice +0$/m);
    expect(code).toBe(0);
    expect(numberIn(stdout, 'ran')).toBeGreaterThan(50);
  });
});
