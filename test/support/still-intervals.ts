import { jest } from '@jest/globals';
import { atEnd } from './cleanup.js';

/** Stops all intervals until the test is over; timers that fire once still do. */
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
