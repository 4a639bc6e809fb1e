import { expect, it } from '@jest/globals';
import { Log2Histogram } from '../../../lib/telemetry/metrics/index.js';

it('puts a value into the smallest power of two that is not below it', () => {
  const histogram = new Log2Histogram();
  for (const value of [0, 1, 2, 3, 4, 5, 1_000]) histogram.add(value);
  expect(histogram.value([0, 1, 2, 3, 10], 1)).toEqual({
    bounds: [1, 2, 4, 8, 1_024],
    cumulative: [2, 3, 5, 6, 7],
    count: 7,
    sum: 1_015,
  });
});

it('has seconds from one millisecond to 33 by powers of two, then 131, 524 and 2,097', () => {
  const { bounds } = new Log2Histogram().value();
  expect(bounds).toEqual([
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384, 32.768,
    131.072, 524.288, 2097.152,
  ]);
});

it('counts what lies beyond the last bound, up to the largest 32-bit number, and takes less than nothing for nothing', () => {
  const histogram = new Log2Histogram();
  for (const value of [-1, 2 ** 21, 2 ** 21 + 1, 2 ** 31 - 1]) histogram.add(value);
  const { cumulative, count, sum } = histogram.value();
  expect({ first: cumulative[0], last: cumulative.at(-1), count }).toEqual({ first: 1, last: 2, count: 4 });
  expect(sum).toBeCloseTo((2 ** 21 + 2 ** 21 + 1 + 2 ** 31 - 1) / 1_000, 3);
});

it('puts what lies between two whole numbers above the lower one', () => {
  const histogram = new Log2Histogram();
  for (const value of [0.5, 1.5, 2.5, 4.001]) histogram.add(value);
  expect(histogram.value([0, 1, 2, 3], 1).cumulative).toEqual([1, 2, 3, 4]);
});

it('takes in what another one counted, and reading takes nothing out', () => {
  const one = new Log2Histogram();
  const other = new Log2Histogram();
  one.add(1);
  other.add(4);
  one.addAll(other);
  expect(one.value([0, 2], 1)).toEqual({ bounds: [1, 4], cumulative: [1, 2], count: 2, sum: 5 });
  expect(one.value([0, 2], 1)).toEqual({ bounds: [1, 4], cumulative: [1, 2], count: 2, sum: 5 });
  expect(other.count).toBe(1);
});
