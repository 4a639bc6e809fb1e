import { jest } from '@jest/globals';

// The limit that test/jest.config.mjs sets for this kind of test.
jest.setTimeout(globalThis.LIMITS.test);
