import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { requireBuild, ROOT } from '../support/built.js';
import { goTo, openPage } from '../support/chromium.js';
import { startDashboard } from '../support/dashboard.js';
import { newWorker } from '../support/driver-jobs.js';
import { describeWith } from '../support/peers.js';
import { mustSucceed } from '../support/run.js';
import { tempDir } from '../support/temp-dir.js';

const JOBS = 1_000_000;
const DEAD = 10_000;

/** What a file has, a packet may have that carries it with its function and handle, and what may wait to be sent, in bytes. */
const FILE = 64 * 1_024 * 1_024;
const LIMITS = { maxPacketBytes: FILE + 1_024, maxSendBufferBytes: 2 * FILE };

/** A folder with a million jobs that wait, and ten thousand that failed for good. */
async function fill(): Promise<string> {
  requireBuild();
  const path = tempDir();
  await mustSucceed(process.execPath, [join(ROOT, 'test/support/million-jobs.mjs'), path, `${JOBS}`, `${DEAD}`]);
  return path;
}

describeWith('chromium', 'An operator at a job server with a million jobs', () => {
  it('finds one by what is in it, cancels it, and lets 10,000 dead letters wait again', async () => {
    const { origin } = await startDashboard('-q', 'file', '--queue-path', await fill());
    const { page, faults } = await openPage(origin);
    await page.getByText('1 no workers').waitFor();
    await page.getByText('1,000,000').first().waitFor();
    await goTo(page, 'j');
    await page.getByText('200 jobs and more').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('user.id:765432');
    await page.getByText('1 job, 1,000,000 scanned').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByText('"order": 765432').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Cancel H:stored:765432?' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('H:stored:765432 is cancelled').waitFor();
    await goTo(page, 'd');
    await page.getByText('10,000 dead letters, 1 reason').waitFor();
    await page.keyboard.press('r');
    await page.getByRole('heading', { name: 'Replay 10,000 dead letters?' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('10,000 dead letters wait again').waitFor();
    await page.getByText('No dead letters').waitFor();
    await goTo(page, 'f');
    await page.getByText('2 no workers').waitFor();
    await page.locator('.row', { hasText: 'broken' }).getByText('10,000').waitFor();
    await page.locator('.row', { hasText: 'stored' }).getByText('999,999').waitFor();
    expect(faults).toEqual([]);
  });
});

describeWith('chromium', 'An operator with a file of 64 MiB', () => {
  it('submits it, and downloads what came of it', async () => {
    const folder = tempDir();
    const { maxPacketBytes, maxSendBufferBytes } = LIMITS;
    const limits = ['--max-packet-bytes', `${maxPacketBytes}`, '--max-send-buffer-bytes', `${maxSendBufferBytes}`];
    const queue = ['-q', 'file', '--queue-path', join(folder, 'queue'), '--keep-results', '10m'];
    const { origin, servers } = await startDashboard(...queue, ...limits);
    const file = randomBytes(FILE);
    await writeFile(join(folder, 'file'), file);
    const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
    const worker = newWorker({ servers, ...LIMITS });
    worker.register('copy', (job) => job.workload);
    await worker.start();
    const { page, faults } = await openPage(origin, '/#/function?name=copy');
    await page.getByRole('heading', { name: 'copy' }).waitFor();
    await page.keyboard.press('s');
    await page.locator('dialog input[type=file]').setInputFiles(join(folder, 'file'));
    await page.getByRole('button', { name: 'Submit in the background' }).click();
    await page.getByText('67 MB: too long to be looked at here.').waitFor();
    await page.locator('h1 .badge', { hasText: 'complete' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(digest(await readFile(await download.path()))).toBe(digest(file));
    expect(faults).toEqual([]);
  });
});
