import { expect, it } from '@jest/globals';
import { MemoryStorage, StorageError, type StorageListener } from '../../../lib/job-server/index.js';
import { goTo, openPage } from '../../support/chromium.js';
import { startDashboard } from '../../support/dashboard.js';
import { newWorker, resultOf } from '../../support/driver-jobs.js';
import { startPageScene } from '../../support/page-scene.js';
import { describeWith } from '../../support/peers.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';

/** A storage whose disk fills up, and is emptied again. */
class FillingStorage extends MemoryStorage {
  private heard: StorageListener | undefined;

  override async open(listener: StorageListener): Promise<void> {
    await super.open(listener);
    this.heard = listener;
  }

  fill(isFull: boolean): void {
    this.heard!.trouble(isFull ? new StorageError('GEARMAN_STORAGE_FULL', 'no space left on device') : undefined);
  }
}

/** A storage that lets so many dead letters wait again, and the others when it is told to. */
class SlowStorage extends MemoryStorage {
  readonly goOn: () => void;
  private readonly going: Promise<void>;
  private left = 16;

  constructor() {
    super();
    let goOn = (): void => {};
    this.going = new Promise((resolve) => (goOn = resolve));
    this.goOn = goOn;
  }

  override async replay(...replay: Parameters<MemoryStorage['replay']>): Promise<boolean> {
    if (this.left-- <= 0) await this.going;
    return super.replay(...replay);
  }
}

describeWith('chromium', 'What takes its time', () => {
  it('is told while it goes on: dead letters that are replayed', async () => {
    const storage = new SlowStorage();
    const { origin, client, jobServer } = await startPageScene({ storage, policies: { f: { retries: 0 } } });
    const worker = newWorker({ servers: jobServer });
    worker.register('f', () => {
      throw new Error('no');
    });
    await worker.start();
    for (let number = 1; number <= 40; number++) {
      await client.submitBackground({ function: 'f', workload: Buffer.from(`${number}`) });
    }
    const { page, faults } = await openPage(origin, '/#/dead-letters');
    await page.getByText('40 dead letters, 1 reason').waitFor();
    await worker.close();
    await page.getByRole('button', { name: 'Replay all…' }).click();
    await page.getByRole('button', { name: 'Replay 40' }).click();
    await page.getByText('Replayed 16 of 40 dead letters…').waitFor();
    storage.goOn();
    await page.getByText('No dead letters').waitFor();
    expect(faults).toEqual([]);
  });
});

describeWith('chromium', 'What is wrong with a job server', () => {
  it('is said above every page, for as long as it is', async () => {
    const storage = new FillingStorage();
    const { origin } = await startPageScene({ storage });
    const { page, faults } = await openPage(origin);
    await page.getByText('Nothing is wrong').waitFor();
    storage.fill(true);
    const banner = page.getByText('Background jobs are refused. The storage cannot write: no space left on device');
    await banner.waitFor();
    expect(await page.getByText('Nothing is wrong').count()).toBe(0);
    for (const key of ['j', 'w', 'd', 's', 't', 'v']) {
      await goTo(page, key);
      expect(await banner.isVisible()).toBe(true);
    }
    await page.getByRole('heading', { name: 'Storage' }).waitFor();
    storage.fill(false);
    await banner.waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });

  it('is said where one elsewhere does not answer', async () => {
    const { server, origin, servers, client } = await startDashboard();
    await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const sources = [
      { name: 'there', server: servers, connectTimeout: 1_000 },
      { name: 'nowhere', server: '127.0.0.1:1', connectTimeout: 1_000 },
    ];
    const elsewhere = await startPageScene({}, { sources });
    const { page, faults } = await openPage(elsewhere.origin);
    expect(elsewhere.origin).not.toBe(origin);
    await page.getByText('1 no workers').waitFor();
    await client.close();
    await server.stop();
    await page.getByText('The job server does not answer.').waitFor();
    expect(await page.locator('.rows .row .name .name').allTextContents()).toEqual(['f']);
    await page.goto(`${elsewhere.origin}/#/server`);
    await page.locator('.servers .badge', { hasText: 'away' }).nth(1).waitFor();
    await page.goto(`${elsewhere.origin}/#/functions?server=nowhere`);
    await page.getByText('The job server does not answer.').waitFor();
    expect(await page.getByText('Nothing is wrong').count()).toBe(0);
    expect(faults).toEqual([]);
  });
});

describeWith('chromium', 'The page of a job server', () => {
  it('tells what it takes, what it may have, and how its storage does', async () => {
    const storage = { type: 'file', path: tempDir() } as const;
    const { origin, client } = await startPageScene({ storage, maxConnections: 50, listeners: [{ port: 0 }] });
    await client.submitBackground({ function: 'f', workload: Buffer.from('1') });
    const { page, faults } = await openPage(origin, '/#/server');
    const fact = (name: string) => page.locator('.facts div', { hasText: name }).locator('dd').first();
    await page.getByText('1 of 100,000').waitFor();
    expect(await fact('Node.js').textContent()).toBe(process.version);
    expect(await fact('connections').textContent()).toBe('1 of 50');
    expect(await fact('kind').textContent()).toBe('file');
    expect(await fact('memory').textContent()).toMatch(/^\d+ MB$/);
    await page.getByText(/^127\.0\.0\.1:\d+$/).waitFor();
    expect(faults).toEqual([]);
  });
});

describeWith('chromium', 'The list of functions', () => {
  it('shows what the last hour was like, and dead letters that lead to their page', async () => {
    const storage = new MemoryStorage();
    const { origin, client, jobServer } = await startPageScene({ storage, policies: { f: { retries: 0 } } });
    const worker = newWorker({ servers: jobServer });
    worker.register('f', (job) => {
      if (job.workload.toString() === 'bad') throw new Error('it is bad');
      return '';
    });
    await worker.start();
    const run = (workload: string) => resultOf(client, { function: 'f', workload: Buffer.from(workload) });
    // From the first job on it has a history.
    await run('good');
    jobServer.history.sample();
    await run('good');
    await run('good');
    await client.submitBackground({ function: 'f', workload: Buffer.from('bad') });
    await until('it is dead', async () => !(await jobServer.deadLetters()[Symbol.asyncIterator]().next()).done);
    // A moment of ten seconds, without waiting for it.
    for (let sample = 0; sample < 20; sample++) jobServer.history.sample();
    const { page, faults } = await openPage(origin);
    await page.getByRole('img', { name: 'in the last hour: 2 done, 1 failed' }).waitFor();
    await page.locator('.cell.dead a', { hasText: '1' }).click();
    await page.getByText('it is bad').waitFor();
    await page.getByText('it is bad').click();
    await page.locator('.letters .handle a').click();
    await page.locator('h1 .badge', { hasText: 'dead letter' }).waitFor();
    await page.getByText('bad', { exact: true }).waitFor();
    expect(faults).toEqual([]);
  });
});
