import { availableParallelism, loadavg } from 'node:os';
import { resolve } from 'node:path';

/*
 * The kinds of tests by their cost: `--selectProjects unit` runs only one kind.
 * CONTRIBUTING.md says where each kind is, and how long it takes.
 */

const ROOT = resolve(import.meta.dirname, '..');

/** How many programs wait for each core. It multiplies the time limits, which only guard against hanging. */
const BUSY = Math.max(1, loadavg()[0] / availableParallelism());
/** By what the tries of random tests are multiplied, see test/support/runs.ts. */
const FUZZ = Number(process.env.FUZZ ?? 1);
/** A second of the limits, in whole milliseconds. */
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
 * @param {{ test: number, wait: number }} limits how long a test may take, and how long a wait within one, in milliseconds; a
 *   wait is shorter, so that it can say what it waited for in vain
 */
function project(name, folders, limits) {
  return {
    displayName: name,
    rootDir: ROOT,
    roots: folders.map((folder) => `<rootDir>/test/${folder}`),
    testMatch: ['**/*.test.ts', '**/folder.tests.ts', '**/tree.tests.ts'],
    testEnvironment: '<rootDir>/test/support/quiet-environment.mjs',
    globals: { LIMITS: limits },
    // Jest 30 ignores a project's own `testTimeout`.
    setupFilesAfterEnv: ['<rootDir>/test/support/limits.mjs'],
    extensionsToTreatAsEsm: ['.ts'],
    transform: { '^.+\\.ts$': ['@swc/jest', swc] },
    // A file that is imported without its extension is looked for in this order.
    moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
    moduleNameMapper: {
      '^nestjs-gearman$': '<rootDir>/lib/index.ts',
      '^nestjs-gearman/([a-z-]+)$': '<rootDir>/lib/$1/index.ts',
      '^(\\.{1,2}/.*)\\.js$': '$1',
    },
  };
}

/** In a whole run, beside linter, compiler and other tests, even quick tests may wait long; test/all.mjs sets the variable. */
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
  // If all tests of a folder are asked for, they may run as one file.
  filter: '<rootDir>/test/support/whole-folders.cjs',
  reporters: ['default', '<rootDir>/test/support/summary-reporter.mjs'],
  coverageDirectory: 'coverage',
  coverageProvider: 'v8',
  coverageReporters: ['text-summary', 'html'],
  // For two cores. In a whole run the long tests wait for other processes most of their time.
  maxWorkers: process.env.IN_WHOLE_RUN ? 5 : 2,
  testSequencer: '<rootDir>/test/support/longest-first.mjs',
  workerIdleMemoryLimit: '700MB',
};
