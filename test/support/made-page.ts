import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { format } from 'prettier';

/** Expects a page of the docs to be what was made of the code, formatted as the house does; UPDATE_DOCS=1 writes it anew. */
export async function expectMadePage(path: string, markdown: string): Promise<void> {
  const page = await format(markdown, {
    parser: 'markdown',
    singleQuote: true,
    printWidth: 120,
    trailingComma: 'all',
  });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, page);
  expect(readFileSync(path, 'utf8')).toBe(page);
}
