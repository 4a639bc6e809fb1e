import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Timers, type Timer } from '../../../../lib/job-server/engine/timers.js';

describe('Timers', () => {
  it('fire what is due, earliest first, and what was set first at the same time', () => {
    const timers = new Timers();
    const fired: string[] = [];
    for (const [at, name] of [
      [30, 'd'],
      [10, 'a'],
      [20, 'b'],
      [20, 'c'],
      [40, 'e'],
    ] as const) {
      timers.set(at, () => fired.push(name));
    }
    expect(timers.nextDue).toBe(10);
    timers.advance(9);
    expect(fired).toEqual([]);
    timers.advance(30);
    expect(fired).toEqual(['a', 'b', 'c', 'd']);
    expect(timers.nextDue).toBe(40);
  });

  it('never fire what was cancelled, even on the way', () => {
    const timers = new Timers();
    const fired: string[] = [];
    const late = timers.set(20, () => fired.push('late'));
    timers.set(10, () => timers.cancel(late));
    timers.advance(30);
    timers.cancel(late);
    timers.cancel(undefined);
    expect(fired).toEqual([]);
    expect(timers.nextDue).toBe(Infinity);
  });

  it('fire what is set on the way if it is due', () => {
    const timers = new Timers();
    const fired: string[] = [];
    timers.set(10, () => {
      timers.set(15, () => fired.push('due'));
      timers.set(25, () => fired.push('not due'));
    });
    timers.advance(20);
    expect(fired).toEqual(['due']);
    expect(timers.nextDue).toBe(25);
  });

  it('leave what is very much for the next call', () => {
    const timers = new Timers();
    let fired = 0;
    for (let count = 0; count < 2_500; count++) timers.set(10, () => fired++);
    const calls: number[] = [];
    for (; timers.nextDue <= 10; calls.push(fired)) timers.advance(10);
    expect(calls).toEqual([1_000, 2_000, 2_500]);
  });

  it('may be cancelled while they fire', () => {
    const timers = new Timers();
    const timer: Timer = timers.set(10, () => timers.cancel(timer));
    timers.set(10, () => undefined);
    timers.advance(10);
    expect(timers.nextDue).toBe(Infinity);
  });

  it('do what a sorted list does', () => {
    const steps = fc.array(
      fc.oneof(fc.record({ set: fc.nat(100) }), fc.record({ cancel: fc.nat(50) }), fc.record({ advance: fc.nat(100) })),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const timers = new Timers();
        const fired: number[] = [];
        const expected: number[] = [];
        const handles: Timer[] = [];
        let list: { id: number; at: number }[] = [];
        for (const step of script) {
          if ('set' in step) {
            const id = handles.length;
            handles.push(timers.set(step.set, () => fired.push(id)));
            list.push({ id, at: step.set });
          } else if ('cancel' in step) {
            timers.cancel(handles[step.cancel]);
            list = list.filter(({ id }) => id !== step.cancel);
          } else {
            timers.advance(step.advance);
            list.sort((one, other) => one.at - other.at || one.id - other.id);
            expected.push(...list.filter(({ at }) => at <= step.advance).map(({ id }) => id));
            list = list.filter(({ at }) => at > step.advance);
          }
          expect(timers.nextDue).toBe(Math.min(Infinity, ...list.map(({ at }) => at)));
        }
        expect(fired).toEqual(expected);
      }),
    );
  });
});
