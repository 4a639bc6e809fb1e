import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ROOT } from '../support/built.js';
import { run } from '../support/run.js';

it('every public name has its docstring, and every link in one or in a page leads somewhere', async () => {
  const { code, stdout, stderr } = await run('node', [
    join(ROOT, 'node_modules/typedoc/bin/typedoc'),
    '--emit',
    'none',
    // Types are what `npm run typecheck` checks, in half of the time that this takes with them.
    '--skipErrorChecking',
  ]);
  expect(stdout + stderr).not.toMatch(/warning|error/i);
  expect(code).toBe(0);
}, 120_000);
