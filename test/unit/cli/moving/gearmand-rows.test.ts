import { describe, expect, it } from '@jest/globals';
import { jobOfRow, type GearmandRow } from '../../../../lib/cli/moving/gearmand-rows.js';
import { Unfit, type Incoming } from '../../../../lib/cli/moving/incoming.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const ROW: GearmandRow = {
  unique_key: bytes('u'),
  function_name: bytes('f'),
  priority: 1,
  data: bytes('work'),
  when_to_run: 0,
};

function jobOf(row: Partial<GearmandRow>, table = 'table'): Incoming {
  const job = jobOfRow({ ...ROW, ...row }, 'H:1', table);
  if (job instanceof Unfit) throw job;
  return job;
}

describe('a row of gearmand’s queue', () => {
  it('is a job with the same function, unique, priority, workload and time', () => {
    const { job } = jobOf({ unique_key: bytes('\xff'), priority: 2, when_to_run: 1_900_000_000 });
    expect(job).toEqual({
      handle: 'H:1',
      function: 'f',
      unique: '\xff',
      priority: 2,
      workload: bytes('work'),
      reducer: '',
      at: 1_900_000_000_000,
      attempts: 0,
      losses: 0,
    });
  });

  it('has numbers of any kind, and NULL for what is empty', () => {
    const { job } = jobOf({ unique_key: null, data: null, priority: 0n, when_to_run: null });
    expect(job).toMatchObject({ unique: '', workload: new Uint8Array(0), priority: 0, at: 0 });
  });

  it.each([
    [{ unique_key: bytes('v') }],
    [{ function_name: bytes('g') }],
    [{ priority: 0 }],
    [{ data: bytes('other') }],
    [{ when_to_run: 1 }],
    // The same bytes, cut in another place.
    [{ unique_key: bytes('uf'), function_name: bytes('') }],
  ])('is remembered apart from one with %j', (change) => {
    const other = jobOfRow({ ...ROW, ...change }, 'H:1', 'table');
    expect((other as Partial<Incoming>).origin).not.toBe(jobOf({}).origin);
  });

  it('is remembered by its content and table, whichever handle it gets', () => {
    expect(jobOfRow(ROW, 'H:2', 'table')).toMatchObject({ origin: jobOf({}).origin });
    expect(jobOf({}, 'another table').origin).not.toBe(jobOf({}).origin);
    expect(jobOf({}).origin).toHaveLength(16);
  });

  it.each([
    [{ priority: 3 }, 'its priority is 3, not 0, 1 or 2'],
    [{ function_name: bytes('') }, 'it has no function'],
    [{ when_to_run: -1 }, 'its time is -1, no seconds since 1970'],
    [{ when_to_run: 10n ** 12n }, 'its time is 1000000000000, no seconds since 1970'],
  ])('with %p is no job', (change, why) => {
    const job = jobOfRow({ ...ROW, ...change }, 'H:1', 'table');
    expect(job).toBeInstanceOf(Unfit);
    expect((job as Unfit).message).toMatch(new RegExp(`^unique_key "u", function_name "f?": ${why}$`));
  });
});
