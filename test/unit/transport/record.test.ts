import { describe, expect, it } from '@jest/globals';
import {
  GearmanRecord,
  GearmanRecordBuilder,
  type GearmanRecordOptions,
} from '../../../lib/transport/gearman.record.js';

describe('the record builder', () => {
  it('builds a record of the data and every option', () => {
    const at = new Date('2030-01-01');
    const record = new GearmanRecordBuilder({ month: 6 })
      .setData({ month: 7 })
      .setPriority('low')
      .setUnique('report-7')
      .setFormat('text')
      .setAt(at)
      .setTimeout(1_000)
      .setResubmit(false)
      .setMetadata({ tenant: 'a' })
      .setReducer('sum')
      .build();
    expect(record).toBeInstanceOf(GearmanRecord);
    expect(record.data).toEqual({ month: 7 });
    expect(record.options).toEqual({
      priority: 'low',
      unique: 'report-7',
      format: 'text',
      at,
      timeout: 1_000,
      resubmit: false,
      metadata: { tenant: 'a' },
      reducer: 'sum',
    });
  });

  it('keeps what was set before, and does not change records it has built', () => {
    const builder = new GearmanRecordBuilder('data').setOptions({ priority: 'high' }).setDelay(5_000);
    const first = builder.build();
    const second = builder.setPriority('low').build();
    expect(first.options).toEqual({ priority: 'high', delay: 5_000 });
    expect(second.options).toEqual({ priority: 'low', delay: 5_000 });
  });
});

describe('a record', () => {
  it.each<[keyof GearmanRecordOptions, unknown, RegExp]>([
    ['priority', 'urgent', /priority: must be 'high', 'normal' or 'low', not 'urgent' .in a record/],
    ['unique', '', /unique: .*1 to 64 bytes/],
    ['unique', 'ü'.repeat(33), /unique: .*1 to 64 bytes/],
    ['unique', 'a\0b', /unique: .*without NUL/],
    ['format', 'xml', /format: must be 'json', 'text', 'raw' or 'auto', not 'xml'/],
    ['at', new Date('never'), /at: .*a valid Date/],
    ['at', 1_900_000_000, /at: .*a valid Date/],
    ['delay', -1, /delay: .*0 or more/],
    ['delay', Infinity, /delay: .*0 or more/],
    ['timeout', NaN, /timeout: .*milliseconds from 0 to 2147483647/],
    ['timeout', 2 ** 31, /timeout: .*milliseconds from 0 to 2147483647/],
    ['resubmit', 3, /resubmit: .*true or false/],
    ['metadata', { retries: 3 }, /metadata: .*values are texts/],
    ['metadata', ['a'], /metadata: .*values are texts/],
    ['reducer', '', /reducer: .*name of a function/],
  ])('refuses %s: %p', (option, value, message) => {
    const build = (): unknown => new GearmanRecord('data', { [option]: value });
    expect(build).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION', option }));
    expect(build).toThrow(message);
  });

  it('refuses a time and a delay at once', () => {
    expect(() => new GearmanRecordBuilder('data').setAt(new Date()).setDelay(1).build()).toThrow(/delay: .*`at`/);
  });

  it.each([['x'.repeat(64)], ['-'], ['ü'.repeat(32)]])('takes the unique %p', (unique) => {
    expect(new GearmanRecord('data', { unique }).options.unique).toBe(unique);
  });
});
