import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { DESTINATIONS } from '../../lib/web/app/ui/navigation.js';
import { CHROMIUM_OPTIONS } from './chromium-options.js';
import { atLast } from './cleanup.js';
import { PATIENCE } from './patience.js';

/** A page in a browser, and everything that it should never do. */
export interface WatchedPage {
  readonly page: Page;
  /** Dialogs, errors, violations of the content security policy, requests to other hosts: each is a fault. */
  readonly faults: string[];
}

let browser: Promise<Browser> | undefined;

/** Starts the browser for all tests that run together. */
async function launch(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  atLast(() => rmSync(home, { recursive: true, force: true }));
  const launched = await chromium.launch({ ...CHROMIUM_OPTIONS, env: { ...process.env, HOME: home } });
  atLast(() => launched.close());
  return launched;
}

/** The contexts that a test has opened, which are closed with it: a page follows changes, and costs CPU time as long as it is open. */
const contexts: BrowserContext[] = [];
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

/**
 * Goes to a page with `g` and its key, and waits until the page is there. Both keys are pressed at once, because a busy
 * browser may take longer for the first one than the time within which the second one must come.
 */
export async function goTo(page: Page, key: string): Promise<void> {
  const { title } = DESTINATIONS.find((each) => each.key === key)!;
  await Promise.all([page.keyboard.press('g'), page.keyboard.press(key)]);
  await page.locator('nav [aria-current=page]', { hasText: title }).waitFor();
}

/** Opens a page of an origin in a browser context of its own; it is closed when the test is over. */
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
