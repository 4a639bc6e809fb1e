import { expect, it } from '@jest/globals';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { openPage } from '../support/chromium.js';
import { newWorker } from '../support/driver-jobs.js';
import { startPageScene, type PageScene } from '../support/page-scene.js';
import { describeWith } from '../support/peers.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What is wrong for who does not see the page, or uses no mouse: as `color-contrast: .badge`. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(`axe.run({ runOnly: ${JSON.stringify(RULES)} })`)) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}

/** Something on every page: a function without workers, one that fails and is paused, a worker, a schedule. */
async function startFullScene(): Promise<PageScene> {
  const scene = await startPageScene({
    storage: { type: 'file', path: tempDir() },
    policies: { failing: { retries: 0 } },
    schedules: { nightly: { function: 'waiting', cron: '15 3 * * *' } },
  });
  const { client, jobServer } = scene;
  const worker = newWorker({ servers: jobServer, clientId: 'worker-1' });
  worker.register('failing', () => {
    throw new Error('order 1 has no address');
  });
  worker.register('running', (job) => {
    job.status(1, 3);
    return new Promise<string>((resolve) => job.signal.addEventListener('abort', () => resolve('')));
  });
  await worker.start();
  for (const name of ['waiting', 'failing', 'running']) {
    await client.submitBackground({ function: name, workload: Buffer.from('{"order":1}') });
  }
  await until('one is dead', async () => !(await jobServer.deadLetters()[Symbol.asyncIterator]().next()).done);
  jobServer.pause('failing');
  for (let sample = 0; sample < 10; sample++) jobServer.history.sample();
  return scene;
}

describeWith('chromium', 'The dashboard', () => {
  it.each(['light', 'dark'] as const)('has no finding of axe on any page, in %s colours', async (colorScheme) => {
    const { origin, jobServer } = await startFullScene();
    const { jobs } = await jobServer.operations.jobs({ function: 'running' });
    const [letter] = [(await jobServer.deadLetters()[Symbol.asyncIterator]().next()).value!];
    // The policy of the page lets nobody add a script, which axe is.
    const { page } = await openPage(origin, '/', { colorScheme, bypassCSP: true });
    const PAGES = {
      '': '1 no workers',
      'function?name=failing': 'Failed lately',
      jobs: '2 jobs, 2 scanned',
      [`jobs/${encodeURIComponent(jobs[0]!.handle)}`]: '1 of 3',
      [`jobs/${encodeURIComponent(letter.handle)}`]: 'dead letter',
      workers: 'worker-1',
      'dead-letters': '1 dead letter, 1 reason',
      schedules: 'nightly',
      server: 'What it has, and may have',
      tail: 'Nothing has happened yet',
      nowhere: 'There is no such page',
    };
    const found: Record<string, string[]> = {};
    for (const [path, text] of Object.entries(PAGES)) {
      await page.goto(`${origin}/#/${path}`);
      await page.getByText(text).first().waitFor();
      found[path] = await findings(page);
    }
    await page.goto(`${origin}/#/jobs`);
    await page.getByText('2 jobs, 2 scanned').waitFor();
    for (const keys of [['?'], ['Control+k'], ['a', 'c']]) {
      for (const key of keys) await page.keyboard.press(key);
      await page.locator('dialog[open]').waitFor();
      found[keys.join()] = await findings(page);
      await page.keyboard.press('Escape');
      await page.locator('dialog[open]').waitFor({ state: 'detached' });
    }
    expect(Object.entries(found).filter(([, lines]) => lines.length > 0)).toEqual([]);
  });
});
