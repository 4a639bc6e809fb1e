import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { get } from 'node:http';
import { createGunzip, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../../support/built.js';
import { openPage } from '../../support/chromium.js';
import { atEnd } from '../../support/cleanup.js';
import { startDashboard } from '../../support/dashboard.js';
import { newWorker } from '../../support/driver-jobs.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';

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
  it('loads with 70 kB packed at most, in three files and one for plots', () => {
    requireBuild();
    const folder = join(ROOT, 'dist/app');
    const files = readdirSync(folder);
    const packed = files.map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length);
    expect(files.map((name) => name.replace(/-[^-]+\./, '.')).sort()).toEqual([
      'app-plots.js',
      'app.css',
      'app.js',
      'index.html',
    ]);
    expect(packed.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(70_000);
  });

  it('has the list of 2,000 functions with 60 kB at most, all that it receives, and 60 bytes for one that changes', async () => {
    const { origin, client } = await startDashboard();
    const names = Array.from({ length: 2_000 }, (_, number) => `function-${number}`);
    const submit = (some: string[]): Promise<unknown> =>
      Promise.all(some.map((name) => client.submitBackground({ function: name, workload: Buffer.from(name) })));
    await submit(names);
    let sum = 0;
    for (const path of ['/', ...(await filesAtFirst(origin)), '/v1/me']) sum += await receivedOf(origin, path);
    const events = new PackedEvents(`${origin}/v1/events?topics=functions`);
    sum += await events.untilLook();
    expect(sum).toBeLessThanOrEqual(60_000);
    await submit(names.slice(0, 100));
    // They may be seen in two looks.
    expect(await events.untilTold(100)).toBeLessThanOrEqual(100 * 60);
  });
});

/** What a browser asks for before anything is drawn, beside the page itself. */
async function filesAtFirst(origin: string): Promise<string[]> {
  const html = await (await fetch(origin)).text();
  const files = [...html.matchAll(/(?:src|href)="(app-[^"]+)"/g)].map(([, name]) => `/${name}`);
  expect(files).toHaveLength(2);
  return files;
}

/** How many bytes an answer has as it travels, headers too. */
function receivedOf(origin: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { agent: false, headers: { 'Accept-Encoding': 'gzip' } };
    const asked = get(`${origin}${path}`, options, (response) => {
      response.resume().once('end', () => resolve(asked.socket!.bytesRead));
    });
    asked.once('error', reject);
  });
}

/** The events of changes, packed as a browser has them sent. */
class PackedEvents {
  private text = '';
  private passed = 0;
  private readonly asked;

  constructor(address: string) {
    this.asked = get(address, { agent: false, headers: { 'Accept-Encoding': 'gzip' } }, (response) => {
      const text = response.pipe(createGunzip()).setEncoding('utf8');
      text.on('data', (part: string) => (this.text += part)).on('error', () => undefined);
    });
    this.asked.on('error', () => undefined);
    atEnd(async () => void this.asked.destroy());
  }

  /** @returns how many bytes came up to the end of the next look. */
  async untilLook(): Promise<number> {
    await until('a look is told', () => /^id: .*\n.*\ndata: .*\n\n/m.test(this.text));
    return this.took();
  }

  /** @returns how many bytes came since the look before until so many rows were told. */
  async untilTold(rows: number): Promise<number> {
    const told = (): number =>
      [...this.text.matchAll(/^data: (.*)\n\n/gm)]
        .flatMap(([, data]) => (JSON.parse(data!) as { rows: unknown[] }).rows)
        .filter(Array.isArray).length;
    await until(`${rows} rows are told`, () => told() >= rows);
    return this.took();
  }

  private took(): number {
    const { bytesRead } = this.asked.socket!;
    const took = bytesRead - this.passed;
    this.passed = bytesRead;
    this.text = '';
    return took;
  }
}

/** Has the page note what stands at the functions once it has drawn an event of its stream. */
const NOTING = `
  window.noted = [];
  window.EventSource = class extends EventSource {
    constructor(address) {
      super(address);
      this.addEventListener('hello', ({ data }) => (window.interval = JSON.parse(data).intervalSeconds));
      this.addEventListener('functions', () =>
        setTimeout(() => noted.push([...document.querySelectorAll('.rows .badge')].map((each) => each.textContent).join())),
      );
    }
  };`;

describeWith('chromium', 'The dashboard', () => {
  it('tells of a function without workers with the next look, and looks once a second; and when it has one', async () => {
    const { origin, client, servers } = await startDashboard();
    const { page, faults } = await openPage(origin);
    await page.addInitScript(NOTING);
    await page.reload();
    await page.getByText('No functions yet').waitFor();
    await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    await page.getByText('1 no workers').waitFor();
    const worker = newWorker({ servers });
    worker.register('f', () => new Promise(() => undefined));
    await worker.start();
    await page.getByText('Nothing is wrong').waitFor();
    await page.waitForFunction('noted.length >= 3');
    // Nothing; then what the first look after the submission and the first one after the worker came told.
    expect(((await page.evaluate('noted')) as string[]).slice(0, 3)).toEqual(['', 'no workers', '']);
    expect(await page.evaluate('interval')).toBe(1);
    expect(faults).toEqual([]);
  });

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

  it.each([700, 850, 1000, 1280])('has all of its head in a window of %i pixels', async (width) => {
    const { origin, client } = await startDashboard();
    await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const { page } = await openPage(origin, '/', { viewport: { width, height: 800 } });
    await page.getByText('1 no workers').waitFor();
    const ends = await page
      .locator('.top > *')
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect().right));
    expect(Math.max(...ends)).toBeLessThanOrEqual(width);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
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
