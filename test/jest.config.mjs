import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';

/*
 * Tests by what they cost: `--selectProjects unit` runs one kind of them.
 * CONTRIBUTING.md says which is where, and how long it takes.
 */

const ROOT = resolve(import.meta.dirname, '..');

/** How many programs wait for each core: so many times as long as on an idle machine a test may take, as its limits only guard against hanging. */
const BUSY = Math.max(1, loadavg()[0] / availableParallelism());
/** How many times as often as by default what is random is tried, see test/support/runs.ts. */
const FUZZ = Number(process.env.FUZZ ?? 1);
/** In milliseconds, a whole number of them. */
const SECOND = 1_000 * Math.ceil(BUSY * FUZZ);

const swc = {
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
  module: { type: 'es6' },
};

/**
 * @param {string} name
 * @param {string[]} folders below `test`
 * @param {{ test: number, wait: number }} limits what a test may take, and what is waited for within one, in milliseconds: a wait
 *   in vain says what it waited for
 */
function project(name, folders, limits) {
  return {
    displayName: name,
    rootDir: ROOT,
    roots: folders.map((folder) => `<rootDir>/test/${folder}`),
    testMatch: ['**/*.test.ts', '**/folder.tests.ts', '**/tree.tests.ts'],
    testEnvironment: '<rootDir>/test/support/quiet-environment.mjs',
    globals: { LIMITS: limits },
    // A project's own `testTimeout` is overlooked by Jest 30.
    setupFilesAfterEnv: ['<rootDir>/test/support/limits.mjs'],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '^.+\\.ts$': ['@swc/jest', swc] },
    // What is imported without its ending is looked for in this order.
    moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
    moduleNameMapper: {
      '^nestjs-gearman$': '<rootDir>/lib/index.ts',
      '^nestjs-gearman/([a-z-]+)$': '<rootDir>/lib/$1/index.ts',
      '^(\\.{1,2}/.*)\\.js$': '$1',
    },
  };
}

/** Beside linter, compiler and the other tests even what is quick may wait long for its turn: test/all.mjs says so. */
const SHORT = process.env.IN_WHOLE_RUN
  ? { test: 60 * SECOND, wait: 50 * SECOND }
  : { test: 5 * SECOND, wait: 4 * SECOND };
const LONG = process.env.IN_WHOLE_RUN
  ? { test: 240 * SECOND, wait: 120 * SECOND }
  : { test: 120 * SECOND, wait: 60 * SECOND };

export default {
  projects: [
    project('unit', ['unit'], SHORT),
    project('storage', ['storage'], LONG),
    project('docs', ['docs'], LONG),
    project('e2e', ['e2e', 'conformance', 'support'], LONG),
  ],
  rootDir: ROOT,
  // Where all tests of a folder are asked for, they may run as one.
  filter: '<rootDir>/test/support/whole-folders.cjs',
  reporters: ['default', '<rootDir>/test/support/summary-reporter.mjs'],
  coverageDirectory: 'coverage',
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'html'],
  // For two cores. The long ones of a whole run wait for others most of their time.
  maxWorkers: process.env.IN_WHOLE_RUN ? 4 : 2,
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  workerIdleMemoryLimit: '700MB',
};
