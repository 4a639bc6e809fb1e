import { describe, expect, it } from '@jest/globals';
import { Backoff, backoffOptions } from '../../../lib/connection/index.js';

describe('backoff', () => {
  const wait = (options: object, random: number) => new Backoff(backoffOptions(options), () => random);

  it('doubles its waits up to the longest', () => {
    const backoff = wait({ initialDelay: 100, maxDelay: 1_000 }, 0);
    expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('takes up to the jitter off', () => {
    const backoff = wait({ initialDelay: 100, factor: 1, jitter: 0.25 }, 1);
    expect(backoff.next()).toBe(75);
  });

  it('starts again after a reset', () => {
    const backoff = wait({ initialDelay: 10, factor: 3, jitter: 0 }, 0.5);
    expect([backoff.next(), backoff.next()]).toEqual([10, 30]);
    backoff.reset();
    expect(backoff.next()).toBe(10);
  });

  it('stays at the longest wait however often it is asked', () => {
    const backoff = wait({}, 0);
    for (let attempt = 0; attempt < 5_000; attempt++) backoff.next();
    expect(backoff.next()).toBe(10_000);
  });

  it.each([
    [{ initialDelay: 0 }, 'reconnect.initialDelay: must be a whole number of milliseconds from 1'],
    [{ initialDelay: 500, maxDelay: 100 }, 'reconnect.maxDelay: must be a whole number of milliseconds from 500'],
    [{ factor: 0.5 }, 'reconnect.factor: must be a number from 1, not 0.5'],
    [{ jitter: 2 }, 'reconnect.jitter: must be a number from 0 to 1, not 2'],
    [{ jitter: 'a' }, "reconnect.jitter: must be a number from 0 to 1, not 'a'"],
  ])('refuses %j', (options, message) => {
    expect(() => backoffOptions(options as object)).toThrow(message);
  });
});
