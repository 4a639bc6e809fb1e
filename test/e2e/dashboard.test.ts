import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { openPage } from '../support/chromium.js';
import { startDashboard } from '../support/dashboard.js';
import { newWorker } from '../support/driver-jobs.js';
import { describeWith } from '../support/peers.js';

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '..',
  'a/b?c#d e',
  'two\nlines\u0001',
  '\u202egnp.exe',
  '🦄',
  'x'.repeat(500),
];

describe('The built dashboard', () => {
  it('loads with 70 kB packed at most, in three files', () => {
    requireBuild();
    const folder = join(ROOT, 'dist/web/app');
    const files = readdirSync(folder);
    const packed = files.map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length);
    expect(files).toHaveLength(3);
    expect(packed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(70_000);
  });
});

describeWith('chromium', 'The dashboard', () => {
  it('shows the functions, those in trouble first, and what is wrong above all', async () => {
    const { origin, client, servers } = await startDashboard();
    const worker = newWorker({ servers });
    worker.register('a-quiet-one', () => '');
    await worker.start();
    await client.submitBackground({ function: 'z-waiting', workload: Buffer.from('1') });
    const { page, faults } = await openPage(origin);
    await page.getByText('1 no workers').waitFor();
    const names = await page.locator('.rows .row .name .name').allTextContents();
    expect(names).toEqual(['z-waiting', 'a-quiet-one']);
    const late = newWorker({ servers });
    late.register('z-waiting', () => '');
    await late.start();
    await page.getByText('Nothing is wrong').waitFor();
    expect(faults).toEqual([]);
  });

  it('tells how long jobs wait where the clock of who looks on is a day ahead', async () => {
    const { origin, client } = await startDashboard();
    const { handle } = await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const { page, faults } = await openPage(origin);
    await page.addInitScript('const { now } = Date; Date.now = () => now() + 86_400_000;');
    await page.reload();
    await page.getByText('1 no workers').waitFor();
    expect(await page.locator('.rows .cell.oldest').textContent()).toMatch(/^(<1|\d+(\.\d)?) (s|min)$/);
    await page.goto(`${origin}/#/jobs/${encodeURIComponent(handle)}`);
    await page.getByText('waits for').waitFor();
    expect(await page.locator('.facts time').first().textContent()).toMatch(/^(<1|\d+(\.\d)?) (s|min)$/);
    expect(faults).toEqual([]);
  });

  it('says what would bring a function where there is none', async () => {
    const { origin } = await startDashboard();
    const { page, faults } = await openPage(origin);
    await page.getByText('No functions yet').waitFor();
    expect(faults).toEqual([]);
  });

  it('shows names as text whatever is in them, and each character of them', async () => {
    const { origin, client } = await startDashboard();
    for (const name of HOSTILE) await client.submitBackground({ function: name, workload: Buffer.from(name) });
    const { page, faults } = await openPage(origin);
    await page.getByText('8 functions').waitFor();
    const names = await page.locator('.rows .row .name .name').allTextContents();
    expect(names).toContain('<img src=x onerror=alert(1)>');
    expect(names).toContain('two\\nlines\\x01');
    expect(names).toContain('\\u202egnp.exe');
    expect(names).toContain('x'.repeat(500));
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(faults).toEqual([]);
  });
});
