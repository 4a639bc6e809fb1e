import { jest } from '@jest/globals';
import { atEnd } from './cleanup.js';

/** Has nothing happen from time to time by itself until the test is over; what is due once still comes. */
export function stillIntervals(): void {
  atEnd(() => void jest.useRealTimers());
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
