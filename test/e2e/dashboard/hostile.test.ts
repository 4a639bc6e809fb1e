import { expect, it } from '@jest/globals';
import { openPage } from '../../support/chromium.js';
import { newWorker } from '../../support/driver-jobs.js';
import { startPageScene } from '../../support/page-scene.js';
import { describeWith } from '../../support/peers.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';

/** How a peer may call itself, its functions and what went wrong, and how each is shown. */
const HOSTILE = {
  '<img src=x onerror=alert(1)>': '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>': '</script><script>alert(1)</script>',
  '..': '..',
  'a/b?c#d e': 'a/b?c#d e',
  'javascript:alert(1)': 'javascript:alert(1)',
  'two\nlines\u0001': 'two\\nlines\\x01',
  '\u202egnp.exe': '\\u202egnp.exe',
  '"quoted" ${name}': '"quoted" ${name}',
  '🦄': '🦄',
  // A byte that is no UTF-8, as the driver writes it.
  'bad\udcff': 'bad\\xff',
  ['x'.repeat(500)]: 'x'.repeat(500),
};
const NAMES = Object.keys(HOSTILE);

describeWith('chromium', 'What others send', () => {
  it('is text on every page, whatever is in it', async () => {
    const storage = { type: 'file', path: tempDir() } as const;
    const { origin, client, jobServer } = await startPageScene({ storage, policies: { '*': { retries: 0 } } });
    const run = (clientId: string, name: string): Promise<void> => {
      const worker = newWorker({ servers: jobServer, clientId });
      worker.register(name, (job) => {
        job.warning(name);
        throw new Error(name);
      });
      return worker.start();
    };
    const { page, faults } = await openPage(origin, '/#/tail');
    await page.getByText('Nothing has happened yet').waitFor();
    // Each fails for a reason like its name; then each waits once more, and nobody is there for it.
    for (const name of NAMES) {
      await run(name.replaceAll(/\s/g, '_').slice(0, 128), name);
      await client.submitBackground({ function: name, workload: Buffer.from(name), unique: name.slice(0, 60) });
    }
    const handles = async (): Promise<string[]> => {
      const letters: string[] = [];
      for await (const { handle } of jobServer.deadLetters()) letters.push(handle);
      return letters;
    };
    await until('all are dead', async () => (await handles()).length === NAMES.length);
    for (const name of NAMES) jobServer.pause(name);
    for (const name of NAMES)
      await client.submitBackground({ function: name, workload: Buffer.from(`{"<b>":"${name}"}`) });
    await page.getByText('failed').first().waitFor();
    const isWithin = (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth <= innerWidth');
    const open = async (path: string, text: string): Promise<void> => {
      await page.goto(`${origin}/#/${path}`);
      await page.getByText(text).first().waitFor();
      expect(await isWithin()).toBe(true);
    };
    await open('functions', `${NAMES.length} functions`);
    const links = await page
      .locator('.rows .row .name .name')
      .evaluateAll((all) => all.map((each) => [each.textContent, each.getAttribute('href')]));
    expect(links.map(([text]) => text).sort()).toEqual(Object.values(HOSTILE).sort());
    for (const [shown, href] of links) {
      await page.goto(`${origin}/${href}`);
      await page.locator('h1', { hasText: shown! }).waitFor();
      await page.getByText('0 running · 1 done').waitFor();
      expect(await isWithin()).toBe(true);
      await page.getByRole('link', { name: 'Its jobs' }).click();
      await page.getByText('1 job, ').waitFor();
      await page.keyboard.press('j');
      await page.keyboard.press('Enter');
      await page.getByText('Workload').waitFor();
      expect(await page.locator('.facts .name').textContent()).toBe(shown!.replace('\\xff', '\ufffd'));
    }
    await open('workers', `${NAMES.length} workers`);
    await open('dead-letters', `${NAMES.length} dead letters`);
    for (const handle of await handles()) {
      await open(`jobs/${encodeURIComponent(handle)}`, 'dead letter');
      await page.getByText('Why').waitFor();
    }
    const id = '<img/src=x/onerror=alert(1)>';
    const schedule = JSON.stringify({ function: id, every: 3_600_000, workload: id });
    await fetch(`${origin}/v1/schedules/${encodeURIComponent(id)}`, { method: 'PUT', body: schedule });
    await open('schedules', id);
    expect(faults).toEqual([]);
  });

  it('is no place and no order where a link names what every object has', async () => {
    const { origin, client } = await startPageScene();
    for (const name of ['one', 'two']) await client.submitBackground({ function: name, workload: Buffer.of() });
    const { page, faults } = await openPage(origin);
    for (const name of ['__proto__', 'constructor', 'toString']) {
      await page.goto(`${origin}/#/${name}`);
      await page.getByText('There is no such page').waitFor();
      await page.goto(`${origin}/#/functions?sort=${name}`);
      await page.getByText('2 functions').waitFor();
    }
    expect(faults).toEqual([]);
  });
});
