import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { goTo, openPage } from '../support/chromium.js';
import { runCommand } from '../support/command.js';
import { startDashboard } from '../support/dashboard.js';
import { newWorker } from '../support/driver-jobs.js';
import { describeWith } from '../support/peers.js';
import { tempDir } from '../support/temp-dir.js';

const names = (page: Page): Promise<string[]> => page.locator('.rows .row .name .name').allTextContents();

describeWith('chromium', 'An operator at the dashboard', () => {
  it('finds, pauses, searches and cancels by the keys alone', async () => {
    const { origin, client } = await startDashboard();
    for (const order of [41, 42, 43]) {
      await client.submitBackground({ function: 'invoice', workload: Buffer.from(JSON.stringify({ order })) });
    }
    await client.submitBackground({ function: 'mail', workload: Buffer.from('hello') });
    const { page, faults } = await openPage(origin);
    await page.getByText('2 no workers').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('invo');
    await page.getByText('1 of 2').waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'invoice' }).waitFor();
    await page.keyboard.press('p');
    await page.locator('h1 .badge', { hasText: 'paused' }).waitFor();
    await page.keyboard.press('p');
    await page.locator('h1 .badge', { hasText: 'no workers' }).waitFor();

    await goTo(page, 'j');
    await page.getByText('4 jobs, 4 scanned').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('order:42');
    await page.getByText('1 job, 4 scanned').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Cancel 1 job?' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('1 job cancelled').waitFor();
    await page.getByText('No job matches').waitFor();
    await page.goto(`${origin}/#/jobs`);
    await page.getByText('3 jobs, 3 scanned').waitFor();
    await page.keyboard.press('a');
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Cancel all jobs' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('3 jobs cancelled').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'On this page' }).waitFor();
    expect(faults).toEqual([]);
  });

  it('sees why jobs failed for good, and lets all of them wait again', async () => {
    const folder = tempDir();
    const args = ['-q', 'file', '--queue-path', folder, '--policy', 'f:retries=0'];
    const { origin, client, servers } = await startDashboard(...args);
    const failing = newWorker({ servers });
    failing.register('f', (job) => {
      throw new Error(`order ${job.workload.toString()} is lost`);
    });
    await failing.start();
    for (let order = 1; order <= 20; order++) {
      await client.submitBackground({ function: 'f', workload: Buffer.from(`${order}`) });
    }
    const { page, faults } = await openPage(origin, '/#/dead-letters');
    await page.getByText('20 dead letters, 1 reason').waitFor();
    // Its reason is opened by the keys, and Back leads back.
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('.letters .rows .row').nth(9).waitFor();
    await page.goBack();
    await page.getByText('order … is lost').click();
    await page.locator('.letters .rows .row').nth(9).waitFor();
    await page.reload();
    await page.locator('.letters .rows .row').nth(9).waitFor();
    await failing.close();
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: 'Replay 20 dead letters' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('20 dead letters wait again').waitFor();
    await goTo(page, 'f');
    await page.getByText('1 no workers').waitFor();
    expect(faults).toEqual([]);
  });

  it('submits a job, and the last one again', async () => {
    const { origin, client } = await startDashboard();
    await client.submitBackground({ function: 'f', workload: Buffer.from('first') });
    const { page, faults } = await openPage(origin, '/#/function?name=f');
    await page.getByRole('heading', { name: 'f no workers' }).waitFor();
    const submit = page.getByRole('button', { name: 'Submit in the background' });
    await page.keyboard.press('s');
    await page.keyboard.type('{"order":7}');
    await submit.click();
    await page.getByText('"order": 7').waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'f no workers' }).waitFor();
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'The last one again' }).click();
    await submit.click();
    await page.getByText('"order": 7').waitFor();
    await page.goto(`${origin}/#/jobs?q=order:7`);
    await page.getByText('2 jobs, 3 scanned').waitFor();
    expect(faults).toEqual([]);
  });

  it('has the focus in what a key opened before that is painted, for who types on at once', async () => {
    const { origin, client } = await startDashboard();
    await client.submitBackground({ function: 'f', workload: Buffer.from('first') });
    const { page } = await openPage(origin, '/#/function?name=f');
    await page.getByRole('heading', { name: 'f no workers' }).waitFor();
    const focused = await page.evaluate(`(async () => {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 's', bubbles: true }));
      await new Promise(requestAnimationFrame);
      return document.activeElement.tagName;
    })()`);
    expect(focused).toBe('TEXTAREA');
  });

  it('watches a job go on, and sees bytes of any kind as they are', async () => {
    const { origin, client, servers } = await startDashboard();
    const worker = newWorker({ servers });
    let end = (): void => {};
    worker.register('f', async (job) => {
      job.status(30, 100);
      await new Promise<void>((resolve) => (end = resolve));
      return '';
    });
    await worker.start();
    const workload = Buffer.from([0, 255, 0x3c, 0x62, 0x3e]);
    const { handle } = await client.submitBackground({ function: 'f', workload });
    const { page, faults } = await openPage(origin, `/#/jobs/${encodeURIComponent(handle)}`);
    await page.getByText('30 of 100').waitFor();
    await page.getByText('000000 00 ff 3c 62 3e ··<b>').waitFor();
    await page.goto(`${origin}/#/workers`);
    // Its worker tells which job it has run for longest.
    await page.locator('.workers .row .jobs').getByRole('link', { name: handle }).click();
    await page.getByText('30 of 100').waitFor();
    end();
    await page.getByText('There is no such job now').or(page.getByText('completed')).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('sees each run of a job: who lost it, and who has it now', async () => {
    const { origin, client, servers } = await startDashboard();
    const startWorker = async (clientId: string) => {
      const worker = newWorker({ servers, clientId });
      worker.register('f', () => new Promise(() => undefined));
      await worker.start();
      return worker;
    };
    const first = await startWorker('first');
    const { handle } = await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const { page, faults } = await openPage(origin, `/#/jobs/${encodeURIComponent(handle)}`);
    const lines = page.locator('.card', { has: page.getByRole('heading', { name: 'When' }) }).locator('li');
    await lines.filter({ hasText: 'could be taken' }).waitFor();
    await lines.filter({ hasText: /runs now, for .*, at first/ }).waitFor();
    await first.close({ gracePeriod: 0 });
    await lines.filter({ hasText: /run 1, at first, worker lost after/ }).waitFor();
    await startWorker('second');
    await lines.filter({ hasText: /runs now, for .*, at second/ }).waitFor();
    expect(await lines.count()).toBe(3);
    expect(faults).toEqual([]);
  });

  it('cannot change anything with the role read, and is told why', async () => {
    const tokens = join(tempDir(), 'tokens');
    const made = await runCommand(['web-token', 'ann', '--role', 'read']);
    await writeFile(tokens, made.stdout);
    const { origin, client } = await startDashboard('--web-tokens', tokens);
    await client.submitBackground({ function: 'f', workload: Buffer.from('secret') });
    const password = made.stderr.trim();
    const login = { httpCredentials: { username: 'ann', password } };
    const { page, faults } = await openPage(origin, '/#/function?name=f', login);
    const pause = page.getByRole('button', { name: 'Pause' });
    await pause.waitFor();
    await page.getByText('read-only').waitFor();
    expect(await pause.isDisabled()).toBe(true);
    expect(await pause.getAttribute('title')).toBe('This needs the role operate.');
    await page.keyboard.press('p');
    expect(await page.locator('h1 .badge').allTextContents()).toEqual(['no workers']);
    expect(faults).toEqual([]);
  });

  it('is told when the connection is lost, and still sees what was', async () => {
    const { origin, client, server } = await startDashboard();
    await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const { page } = await openPage(origin);
    await page.getByText('1 no workers').waitFor();
    await client.close();
    await server.stop();
    await page.getByText('Connection lost').waitFor();
    expect(await names(page)).toEqual(['f']);
  });
});
