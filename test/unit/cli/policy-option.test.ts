import { describe, expect, it } from '@jest/globals';
import { parseJobServerLine } from '../../../lib/cli/job-server/options.js';
import { settingsFrom } from '../../../lib/cli/job-server/settings.js';

const settings = (...line: string[]) => settingsFrom(parseJobServerLine(line), {});
const policies = async (...line: string[]) =>
  (await settings('-L', '127.0.0.1', '-q', 'file', '--queue-path', '/d', ...line)).jobServer.policies;

describe('--policy', () => {
  it('reads every setting', async () => {
    expect(
      await policies('--policy', 'resize:retries=5,backoff=1s..10m,factor=1.5,jitter=0.5,dead-letter=off'),
    ).toEqual({
      resize: {
        retries: 5,
        backoff: { initialDelay: 1_000, maxDelay: 600_000, factor: 1.5, jitter: 0.5 },
        deadLetter: false,
      },
    });
  });

  it('takes a function each, * for the others, and colons in a name', async () => {
    expect(
      await policies('--policy=*:retries=0', '--policy=Image::resize:backoff=1h', '--policy=a:dead-letter=on'),
    ).toEqual({
      '*': { retries: 0 },
      'Image::resize': { backoff: { initialDelay: 3_600_000 } },
      a: { deadLetter: true },
    });
    expect(await policies()).toEqual({});
  });

  it.each([
    ['resize', '--policy: must be FUNCTION:SETTING,SETTING, as resize:retries=5'],
    [':retries=5', '--policy: must be FUNCTION:SETTING,SETTING'],
    ['resize:', '--policy: must be FUNCTION:SETTING,SETTING'],
    ['f:retrys=5', 'there are retries, backoff, factor, jitter, dead-letter; retrys=5 is none'],
    ['f:retries', 'retries is none'],
    ['f:retries=-1', "(retries must be a whole number from 0), not 'f:retries=-1'"],
    ['f:retries=1,retries=2', 'retries is given twice'],
    ['f:backoff=5', 'backoff must be a time with its unit: 500ms, 10s, 2m, 1h'],
    ['f:backoff=10s..1s', 'backoff must be the first wait, then the longest: 1s..10m'],
    ['f:factor=0.5', 'factor must be a number from 1'],
    ['f:jitter=2', 'jitter must be a number from 0 to 1'],
    ['f:dead-letter=yes', 'dead-letter must be on or off'],
  ])('refuses %s, saying what is allowed', async (policy, message) => {
    await expect((async () => policies('--policy', policy))()).rejects.toMatchObject({
      message: expect.stringContaining(message),
      exitCode: 2,
    });
  });

  it('refuses two for one function, and any without a queue on disk', async () => {
    await expect(policies('--policy=f:retries=1', '--policy=f:retries=2')).rejects.toThrow(
      '--policy is given twice for f',
    );
    await expect(settings('--policy=f:retries=1')).rejects.toThrow('--policy needs --queue-type file');
  });
});
