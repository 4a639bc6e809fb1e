import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { format, type FormatConfig } from 'oxfmt';
import { ROOT } from './built.js';

/** Expects a page of the docs to be equal to what was made from the code, formatted; UPDATE_DOCS=1 writes the page. */
export async function expectMadePage(path: string, markdown: string): Promise<void> {
  const style = JSON.parse(readFileSync(join(ROOT, '.oxfmtrc.json'), 'utf8')) as FormatConfig;
  const { code: page, errors } = await format(path, markdown, style);
  expect(errors).toEqual([]);
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, page);
  expect(readFileSync(path, 'utf8')).toBe(page);
}
