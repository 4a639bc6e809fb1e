import { expect, it } from '@jest/globals';
import { startSample } from '../support/sample.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

/** The moments that reports were printed for, in the order of the lines, in seconds. */
const reportsIn = (output: string): number[] =>
  [...output.matchAll(/^report (\S+) \(short\)$/gm)].map(([, time]) => Date.parse(time!) / 1_000);

it('makes a report every two seconds, and catches up with what it missed while it was dead', async () => {
  const env = { FOLDER: tempDir(), GEARMAN_PORT: '0' };
  const first = startSample('11-schedules', env);
  await first.says(/^digest: next at \S+T0[56]:00:00\.000Z$/m);
  await until('two reports', () => reportsIn(first.output()).length >= 2);
  await first.end('SIGKILL');
  const before = reportsIn(first.output());
  // Dead over two ticks at least.
  await until('time passes', () => Date.now() / 1_000 > before.at(-1)! + 5);
  const second = startSample('11-schedules', env);
  await until('it goes on', () => reportsIn(second.output()).at(-1)! > Date.now() / 1_000 - 3);
  await second.end('SIGINT');
  const all = new Set([...before, ...reportsIn(second.output())]);
  const ticks = [...all].sort((one, other) => one - other);
  expect(ticks).toEqual(Array.from(ticks, (_, index) => ticks[0]! + 2 * index));
  expect(ticks.length).toBeGreaterThanOrEqual(before.length + 2);
}, 120_000);
