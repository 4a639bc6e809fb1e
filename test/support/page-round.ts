import { expect } from '@jest/globals';
import type { BrowserContextOptions } from 'playwright-core';
import { goTo, openPage } from './chromium.js';

/**
 * Opens the page at its address, sees a function appear, pauses it, and finds its job: page, stream, changes and search.
 *
 * @param submit submits a job of `mail`, with `hello` as its workload.
 */
export async function goRound(
  origin: string,
  path: string,
  submit: () => Promise<unknown>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const { page, faults } = await openPage(origin, path, options);
  await page.getByText('No functions yet').waitFor();
  await submit();
  await page.getByText('1 no workers').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'mail' }).waitFor();
  await page.keyboard.press('p');
  await page.locator('h1 .badge', { hasText: 'paused' }).waitFor();
  await goTo(page, 'j');
  await page.keyboard.press('/');
  await page.keyboard.type('hello');
  await page.getByText('1 job, 1 scanned').waitFor();
  expect(faults).toEqual([]);
}
