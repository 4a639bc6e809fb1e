import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './built.js';

/**
 * The options of Debian's Chromium: without them it contacts its makers' hosts, and needs a sandbox and a display. The
 * features turned off are those that Playwright turns off, because our list replaces Playwright's, and two that load
 * pages of an address bar that nobody sees: 0.8 s of a core for each browser context.
 */
export const CHROMIUM_OPTIONS = JSON.parse(readFileSync(join(ROOT, 'test/support/chromium.json'), 'utf8')) as {
  readonly executablePath: string;
  readonly args: string[];
};
