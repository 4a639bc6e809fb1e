// Debian's Chromium, as the dashboard is looked at in it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Starts it with a home of its own, which is gone once it is closed. */
export async function startBrowser() {
  const home = mkdtempSync(join(tmpdir(), 'chromium-'));
  const { executablePath, args } = JSON.parse(
    readFileSync(new URL('../support/chromium.json', import.meta.url), 'utf8'),
  );
  const browser = await chromium.launch({ executablePath, args, env: { ...process.env, HOME: home } });
  browser.once('disconnected', () => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
  return browser;
}
