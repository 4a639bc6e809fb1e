import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './built.js';

/**
 * How Debian's Chromium is started: without these it looks for hosts of its makers, and wants a sandbox and a display.
 * The features turned off are those that Playwright turns off, whose list ours takes the place of, and two that load
 * pages of an address bar nobody sees: 0.8 s of a core for each browser context.
 */
export const CHROMIUM_OPTIONS = JSON.parse(readFileSync(join(ROOT, 'test/support/chromium.json'), 'utf8')) as {
  readonly executablePath: string;
  readonly args: string[];
};
