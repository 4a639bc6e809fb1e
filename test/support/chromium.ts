import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { DESTINATIONS } from '../../lib/web/app/ui/navigation.js';
import { CHROMIUM_OPTIONS } from './chromium-options.js';
import { atLast } from './cleanup.js';
import { PATIENCE } from './patience.js';

/** A page in a browser, and all that it should never do. */
export interface WatchedPage {
  readonly page: Page;
  /** Dialogs, errors, complaints of the content security policy, requests to elsewhere: each is a fault. */
  readonly faults: string[];
}

let browser: Promise<Browser> | undefined;

/** Starts the browser of all tests that run together. */
async function launch(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  atLast(() => rmSync(home, { recursive: true, force: true }));
  const launched = await chromium.launch({ ...CHROMIUM_OPTIONS, env: { ...process.env, HOME: home } });
  atLast(() => launched.close());
  return launched;
}

/** What a test has opened goes with it: a page follows what changes, and costs as long as it is open. */
const contexts: BrowserContext[] = [];
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

/**
 * Goes to a page by `g` and its key, and waits until it is there. Both are pressed at once: a busy browser may take
 * longer for one key than the second may come after the first.
 */
export async function goTo(page: Page, key: string): Promise<void> {
  const { title } = DESTINATIONS.find((each) => each.key === key)!;
  await Promise.all([page.keyboard.press('g'), page.keyboard.press(key)]);
  await page.locator('nav [aria-current=page]', { hasText: title }).waitFor();
}

/** Opens a page of an origin in a browser of its own data; it is closed when the test is over. */
export async function openPage(origin: string, path = '/', options: BrowserContextOptions = {}): Promise<WatchedPage> {
  browser ??= launch();
  const context = await (await browser).newContext({ viewport: { width: 1280, height: 800 }, ...options });
  contexts.push(context);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (/content security|trusted/i.test(message.text())) faults.push(`policy: ${message.text()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== origin) faults.push(`elsewhere: ${request.url()}`);
  });
  await page.goto(`${origin}${path}`);
  return { page, faults };
}
