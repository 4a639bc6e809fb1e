import { describe, expect, it } from '@jest/globals';
import {
  attemptOf,
  attemptOption,
  JOB_ROW,
  readDeadJobDetailsRow,
  readDeadJobRow,
  readFunctionJobRow,
  readScheduleRow,
  readWorkerRow,
  STATUS_ROW,
  writeDeadJobDetailsRow,
  writeFunctionJobRow,
  writeScheduleRow,
  writeWorkerRow,
} from '../../../lib/protocol/index.js';

describe('rows of admin lists', () => {
  it('have a name and numbers, in one order for who writes and who reads', () => {
    expect(STATUS_ROW.write('reverse', { workers: 3, total: 1, running: 2 })).toBe('reverse\t1\t2\t3\n');
    expect(STATUS_ROW.read('reverse\t1\t2\t3')).toEqual({
      name: 'reverse',
      numbers: { total: 1, running: 2, workers: 3 },
    });
    expect(JOB_ROW.write('H:1', { losses: 0, isIgnored: 1, isQueued: 0 })).toBe('H:1\t0\t1\t0\n');
  });

  it('show names so that they forge no row, and read gearmand’s names with tabs as they are', () => {
    const row = STATUS_ROW.write('a\nb\t9', { total: 1, running: 0, workers: 0 });
    expect(row).toBe('a\\x{0a}b\\x{09}9\t1\t0\t0\n');
    expect(STATUS_ROW.read(row.trimEnd())?.name).toBe('a\nb\t9');
    expect(STATUS_ROW.read('with\ttab\t1\t0\t0')?.name).toBe('with\ttab');
  });

  it.each(['', 'reverse', '1\t2\t3', 'reverse\t1\t2\tmany'])('are none: %j', (line) => {
    expect(STATUS_ROW.read(line)).toBeUndefined();
    expect(readFunctionJobRow(line)).toBeUndefined();
    expect(readDeadJobDetailsRow(line)).toBeUndefined();
  });

  it.each(['H:1\tf\t1\t0\t5\t%', 'H:1\tf\t1\t0\t5\t%ff'])(
    'are none with an error that cannot be decoded: %j',
    (line) => {
      expect(readDeadJobRow(line)).toBeUndefined();
    },
  );

  it.each(['nightly', 'nightly\t{', 'nightly\t5', 'nightly\tnull'])('are none without a schedule: %j', (line) => {
    expect(readScheduleRow(line)).toBeUndefined();
  });

  it('of a function’s jobs say who runs them', () => {
    const job = { handle: 'H:1', priority: 'low', isBackground: true, age: 5, losses: 1, attempts: 2 } as const;
    const running = { ...job, isRunning: true, numerator: 1, denominator: 4, worker: 'w 1' };
    expect(writeFunctionJobRow(running)).toBe('H:1\t1\tlow\t1\t5\t1\t2\t1\t4\tw 1\n');
    expect(readFunctionJobRow('H:1\t1\tlow\t1\t5\t1\t2\t1\t4\tw 1\tmore')).toEqual(running);
    expect(readFunctionJobRow('H:1\t0\tlow\t1\t5\t1\t2\t0\t0\t-')).toMatchObject({
      isRunning: false,
      worker: undefined,
    });
  });

  it('of dead jobs have their error as a URL component', () => {
    const dead = {
      handle: 'H:1',
      function: 'f',
      attempts: 3,
      losses: 0,
      diedAt: 1_700_000_000_000,
      error: 'no\tdisk',
      unique: 'u',
      priority: 'high',
      workloadBytes: 9,
      beginning: 'a\0b',
    } as const;
    const row = writeDeadJobDetailsRow(dead);
    expect(row).toBe('H:1\tf\t3\t0\t1700000000000\tno%09disk\tu\thigh\t9\ta\\x{00}b\n');
    expect(readDeadJobDetailsRow(row.slice(0, -1))).toEqual(dead);
  });
});

describe('a row of workers', () => {
  it('has blanks between its words, and none within them', () => {
    const worker = { number: 31, address: '127.0.0.1', clientId: 'my : worker' };
    const row = [...writeWorkerRow(worker, [{ name: 'f' }, { name: 'two words' }])].join('');
    expect(row).toBe('31 127.0.0.1 my\\x{20}: worker : f two\\x{20}words\n');
    expect(readWorkerRow(row.slice(0, -1))).toEqual({ ...worker, functions: ['f', 'two words'] });
  });

  it('is read from gearmand too, whose connections may have no name and no function', () => {
    const nobody = { number: 31, address: '127.0.0.1', clientId: undefined, functions: [] };
    expect(readWorkerRow('31 127.0.0.1 - :')).toEqual(nobody);
    expect(readWorkerRow('31 127.0.0.1  :')).toEqual(nobody);
    expect([...writeWorkerRow(nobody, [])].join('')).toBe('31 127.0.0.1 - :\n');
    expect(readWorkerRow('nonsense')).toBeUndefined();
  });
});

it('a row of schedules is the id and JSON in ASCII', () => {
  const schedule = {
    id: 'n\xc3\xa4chtlich',
    source: 'put',
    lastTick: null,
    isPaused: false,
    options: { function: 'ü', every: 1_000 },
  } as const;
  const row = writeScheduleRow(schedule);
  expect(row).toBe(
    'n\xc3\xa4chtlich\t{"source":"put","lastTick":null,"isPaused":false,"options":{"function":"\\u00fc","every":1000}}\n',
  );
  expect(readScheduleRow(row.slice(0, -1))).toEqual(schedule);
  expect(readScheduleRow('nonsense')).toBeUndefined();
});

it('an attempt is announced by an option', () => {
  expect(attemptOption(3)).toBe('attempts=3');
  expect(['attempts=3', 'attempts', 'attempts=x', 'results'].map(attemptOf)).toEqual([
    3,
    undefined,
    undefined,
    undefined,
  ]);
});
