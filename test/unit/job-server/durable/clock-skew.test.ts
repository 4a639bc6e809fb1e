import { expect, it } from '@jest/globals';
import { ClockSkew } from '../../../../lib/job-server/durable/clock-skew.js';

const NOW = 1_700_000_000_000;

it('says when the clock is more than a second away from the other one, once, and when it no longer is', () => {
  const lines: string[] = [];
  const clocks = { now: 0, date: NOW };
  const skew = new ClockSkew(clocks, (level, line) => void lines.push(`${level}: ${line}`));
  skew.compare(NOW - 1_000, 0);
  // The answer took five seconds: the other clock may have said it at their beginning.
  skew.compare(NOW - 5_500, 5_000);
  skew.compare(NOW + 900, 5_000);
  expect(lines).toEqual([]);
  skew.compare(NOW - 8_300, 5_000);
  skew.compare(NOW - 8_300, 5_000);
  expect(lines).toEqual([
    "warn: storage: this machine's clock is 3.3 s ahead of the database's: jobs that have a time start too early here; " +
      'have NTP set the clocks of all machines (chrony, systemd-timesyncd)',
  ]);
  skew.compare(NOW, 5_000);
  expect(lines.at(-1)).toBe("info: storage: this machine's clock and the database's agree again");
  skew.compare(NOW + 2_000, 5_000);
  expect(lines.at(-1)).toContain("2.0 s behind the database's: jobs that have a time start too late here");
  clocks.date += 2_000;
  skew.compare(NOW + 2_000, 5_000);
  expect(lines).toHaveLength(4);
});
