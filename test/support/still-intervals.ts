import { jest } from '@jest/globals';

/** Has nothing happen from time to time by itself in this test file; what is due once still comes. */
export function stillIntervals(): void {
  jest.useFakeTimers({
    doNotFake: [
      'Date',
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
    ],
  });
}
