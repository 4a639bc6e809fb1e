import { beforeAll, expect, it, jest } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { timesAsLong } from '../support/patience.js';
import { describeWith } from '../support/peers.js';
import { run } from '../support/run.js';

jest.setTimeout(timesAsLong(3));

const numberIn = (report: string, line: string): number =>
  Number(new RegExp(`^${line} +(\\d+)`, 'm').exec(report)?.[1]);

describeWith('postgres', 'three job servers whose PostgreSQL is killed and hung as well', () => {
  beforeAll(requireBuild);

  it('lose no accepted job, and come to their end', async () => {
    const options = ['--servers', '3', '--database', '--seconds', '60', '--seed', '1'];
    const args = ['test/chaos/run.mjs', ...options, '--until', 'job-server=3,primary=1'];
    const { code, stdout, stderr } = await run(process.execPath, args, { cwd: ROOT });
    // Shown whole where it fails: it says what was lost, what ran again without a cause, and who has what is left.
    expect(code === 0 && stderr === '' ? '' : `${stdout}${stderr}`).toBe('');
    expect(numberIn(stdout, 'ended')).toBeGreaterThan(0);
    expect(numberIn(stdout, 'accepted')).toBeGreaterThan(0);
    expect(stdout).toMatch(/^lost +0$/m);
    expect(stdout).toMatch(/^unexplained +0$/m);
  });
});
