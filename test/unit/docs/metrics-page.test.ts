import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { format } from 'prettier';
import { metricsPage } from '../../support/metrics-page.js';

const PAGE = join(import.meta.dirname, '../../../docs/metrics.md');

it('docs/metrics.md says what the code tells; UPDATE_DOCS=1 writes it anew', async () => {
  const page = await format(metricsPage(), {
    parser: 'markdown',
    singleQuote: true,
    printWidth: 120,
    trailingComma: 'all',
  });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, page);
  expect(readFileSync(PAGE, 'utf8')).toBe(page);
});
