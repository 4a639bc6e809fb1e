import { jest } from '@jest/globals';

// What test/jest.config.mjs says of this kind of test.
jest.setTimeout(globalThis.LIMITS.test);
