import { describe, expect, it } from '@jest/globals';
import { withProblem } from '../../../../lib/cli/top/readings.js';
import { filtered, rowsOf, sorted, type Row } from '../../../../lib/cli/top/rows.js';
import { activity, overview, reading, watched } from './top-scene.js';

const names = (rows: readonly Row[]): string[] => rows.map(({ name }) => name);

describe('the rows of `top`', () => {
  it('count what waits by all priorities, and rates between the readings of the last while', () => {
    const functions = [overview('f', { high: 1, normal: 2, low: 3, running: 4, delayed: 5, workers: 6 })];
    const first = reading(1_000, functions, [activity('f', { submitted: 100, completed: 50, failed: 7 })]);
    const last = reading(5_000, functions, [
      activity('f', { oldestWaiting: 30, longestRunning: 40, submitted: 120, completed: 56, failed: 9 }),
    ]);
    expect(rowsOf([watched('a:1', first, last)])).toEqual([
      {
        server: 'a:1',
        function: 'f',
        name: 'f',
        trouble: 'failing',
        waiting: 6,
        running: 4,
        delayed: 5,
        workers: 6,
        oldest: 30,
        longest: 40,
        in: 5,
        done: 2,
        failed: 0.5,
        isPaused: false,
      },
    ]);
  });

  it('have rates of the last five readings alone', () => {
    const at = (second: number) =>
      reading(second * 1_000, [overview('f')], [activity('f', { submitted: second < 6 ? 0 : 8 })]);
    expect(rowsOf([watched('a', ...[1, 2, 3, 4, 5, 6].map(at))])[0]!.in).toBe(2);
    expect(rowsOf([watched('a', ...[6, 7, 8, 9, 10, 11].map(at))])[0]!.in).toBe(0);
  });

  it.each([
    ['of one reading', watched('a', reading(1, [overview('f')], [activity('f')]))],
    [
      'when the job server began anew',
      watched(
        'a',
        reading(1, [overview('f')], [activity('f', { submitted: 5 })]),
        reading(2, [overview('f')], [activity('f', { submitted: 4 })]),
      ),
    ],
    ['of gearmand', watched('a', reading(1, [overview('f')]), reading(2, [overview('f')]))],
  ])('have no rates %s', (_, server) => {
    expect(rowsOf([server])[0]).toMatchObject({ in: undefined, done: undefined, failed: undefined });
  });

  it('leave blank what gearmand does not tell', () => {
    const foreign = { delayed: undefined, isPaused: undefined, limits: undefined };
    const [row] = rowsOf([watched('a', reading(1, [overview('f', { normal: 2, running: 1, ...foreign })]))]);
    expect(row).toMatchObject({ waiting: 2, delayed: undefined, oldest: undefined, longest: undefined });
  });

  it('are none of a job server that does not answer', () => {
    const gone = withProblem(watched('a', reading(1, [overview('f')])), 'gone');
    expect(rowsOf([gone, watched('b', reading(1, [overview('g')]))]).map(({ server }) => server)).toEqual(['b']);
  });

  it('show names so that they steer no terminal', () => {
    expect(names(rowsOf([watched('a', reading(1, [overview('e\u001b[31m')]))]))).toEqual(['e\\x{1b}[31m']);
  });
});

describe('trouble', () => {
  const troubleOf = (told: Parameters<typeof overview>[1], went: Parameters<typeof activity>[1] = {}, failed = 0) => {
    const after = activity('f', { ...went, failed });
    return rowsOf([
      watched('a', reading(0, [overview('f', told)], [activity('f')]), reading(1_000, [overview('f', told)], [after])),
    ])[0]!.trouble;
  };
  const limits = { high: 0, normal: 3, low: 0 };

  it.each([
    ['no workers', { normal: 1, workers: 0 }, {}, 0],
    ['stalled', { running: 1 }, { longestRunning: 600_001 }, 0],
    ['paused', { isPaused: true }, {}, 0],
    ['failing', {}, {}, 1],
    ['full', { total: 3, limits }, {}, 0],
    // Nobody is to be called for these.
    [undefined, { workers: 0 }, {}, 0],
    [undefined, { delayed: 5, workers: 0 }, {}, 0],
    [undefined, { running: 1 }, { longestRunning: 600_000 }, 0],
    [undefined, { running: 1 }, { longestRunning: 700_000, completed: 1 }, 0],
    [undefined, { total: 2, limits }, {}, 0],
    // The worst comes first.
    ['no workers', { normal: 1, workers: 0, isPaused: true, total: 3, limits }, {}, 1],
    ['paused', { isPaused: true, total: 3, limits }, {}, 1],
  ])('is %s of %j, %j', (trouble, told, went, failed) => expect(troubleOf(told, went, failed)).toBe(trouble));
});

describe('sorting', () => {
  const rows = rowsOf([
    watched(
      'a',
      reading(1, [
        overview('calm', { normal: 9 }),
        overview('paused', { isPaused: true, normal: 50 }),
        overview('alone', { normal: 1, workers: 0 }),
        overview('lonely', { normal: 2, workers: 0 }),
        overview('Zero', { delayed: undefined }),
      ]),
    ),
  ]);

  it('has trouble first, and within it what waits most', () => {
    expect(names(sorted(rows, 'trouble', false))).toEqual(['lonely', 'alone', 'paused', 'calm', 'Zero']);
  });

  it('has large numbers first, or last, and names as equals', () => {
    expect(names(sorted(rows, 'waiting', false))).toEqual(['paused', 'calm', 'lonely', 'alone', 'Zero']);
    expect(names(sorted(rows, 'waiting', true))).toEqual(['Zero', 'alone', 'lonely', 'calm', 'paused']);
    expect(names(sorted(rows, 'running', true))).toEqual(['Zero', 'alone', 'calm', 'lonely', 'paused']);
  });

  it('has what is not known last, either way', () => {
    expect(names(sorted(rows, 'delayed', false)).at(-1)).toBe('Zero');
    expect(names(sorted(rows, 'delayed', true)).at(-1)).toBe('Zero');
  });

  it('keeps what has a text in its name, upper or lower case', () => {
    expect(names(filtered(rows, 'LO'))).toEqual(['alone', 'lonely']);
    expect(filtered(rows, '')).toHaveLength(5);
  });
});
