// Pictures of every page, to be looked at: `npm run build && node test/dashboard/gallery.mjs FOLDER [WORD...]`.
// Light and dark, on a wide screen and on a phone; busy, empty, and with everything that can be wrong.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryStorage, StorageError } from 'nestjs-gearman/job-server';
import { startBrowser } from './browser.mjs';
import { startScene } from './scene.mjs';

const [out = 'gallery', ...words] = process.argv.slice(2);
/** For so long the scene goes on before it is shown, in seconds. */
const BEFORE = Number(process.env.BEFORE ?? 30);

const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1600, height: 1000 } },
  dark: { colorScheme: 'dark', viewport: { width: 1600, height: 1000 } },
  'phone-light': { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  'phone-dark': { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
};

/** A storage whose disk fills up. */
class FullStorage extends MemoryStorage {
  async open(listener) {
    await super.open(listener);
    this.listener = listener;
  }

  fail() {
    this.listener.trouble(new StorageError('GEARMAN_STORAGE_FULL', 'ENOSPC: no space left on device, write'));
  }
}

const LISTS = ['', 'jobs', 'workers', 'dead-letters', 'schedules', 'server', 'tail'];
const nameOf = (path) => path || 'functions';

mkdirSync(out, { recursive: true });
const browser = await startBrowser();

/** Opens a page in each look, lets something be done there, and keeps its picture. */
async function show(name, { origin }, path, act = () => undefined, options = {}) {
  for (const [look, how] of Object.entries(LOOKS)) {
    const file = `${name}-${look}`;
    if (words.length > 0 && !words.some((word) => file.includes(word))) continue;
    const page = await browser.newPage({ ...how, ...options });
    await page.goto(`${origin}/#/${path}`);
    await page.waitForTimeout(2_500);
    await act(page);
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(out, `${file}.png`) });
    await page.close();
  }
}

async function showBusy() {
  const scene = await startScene();
  await new Promise((resolve) => setTimeout(resolve, BEFORE * 1_000));
  const ask = async (path) => (await fetch(`${scene.origin}/v1/${path}`)).json();
  for (const path of LISTS) await show(nameOf(path), scene, path);
  await show('function', scene, 'function?name=invoice.pdf');
  await show('function-paused', scene, 'function?name=newsletter');
  const [running] = (await ask('jobs?q=function:video.transcode+state:running')).jobs;
  await show('job', scene, `jobs/${encodeURIComponent(running.handle)}`);
  const [waiting] = (await ask('jobs?q=function:search.reindex')).jobs;
  await show('job-waiting', scene, `jobs/${encodeURIComponent(waiting.handle)}`);
  const [dead] = (await ask('dead-letters?limit=1')).deadLetters;
  await show('job-dead', scene, `jobs/${encodeURIComponent(dead.handle)}`);
  await show('job-unknown', scene, 'jobs/H:none:1');
  await show('jobs-found', scene, 'jobs?q=user.id:17');
  await show('jobs-wrong', scene, 'jobs?q=state:odd');
  await show('dead-letters-open', scene, 'dead-letters', (page) =>
    page.locator('.reasons .rows .error a').first().click(),
  );
  await show('dialog-keys', scene, '', (page) => page.keyboard.press('?'));
  await show('dialog-palette', scene, '', async (page) => {
    await page.keyboard.press('Control+k');
    await page.keyboard.type('mail');
  });
  await show('dialog-submit', scene, 'function?name=mail.send', (page) => page.keyboard.press('s'));
  await show('dialog-confirm', scene, 'jobs', async (page) => {
    await page.keyboard.press('a');
    await page.keyboard.press('c');
  });
  await show('dialog-limits', scene, 'function?name=mail.send', (page) => page.getByText('Limits…').click());
  await show('dialog-schedule', scene, 'schedules', (page) => page.keyboard.press('n'));
  await scene.close();
}

async function showEmpty() {
  const scene = await startScene({ isBusy: false, storage: false });
  for (const path of LISTS) await show(`empty-${nameOf(path)}`, scene, path);
  await show('empty-function', scene, 'function?name=nobody');
  await scene.close();
}

/** The disk is full, workers are missing, jobs stall, a limit is reached; names are long and strange. */
async function showBroken() {
  const storage = new FullStorage();
  const scene = await startScene({ storage });
  const strange = ['<img src=x onerror=alert(1)>', '\u202egnp.exe', '🦄 unicorns', 'very.long.'.repeat(30)];
  for (const name of strange) await scene.submit(name, { name });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  storage.fail();
  for (const path of LISTS) await show(`broken-${nameOf(path)}`, scene, path);
  await show('broken-stalled', scene, '', async (page) => {
    await page.clock.setSystemTime(Date.now() + 700_000);
    await page.waitForTimeout(1_500);
  });
  await scene.close();
}

async function showLost() {
  for (const path of ['', 'jobs', 'workers', 'server']) {
    for (const look of Object.keys(LOOKS)) {
      const file = `lost-${nameOf(path)}-${look}`;
      if (words.length > 0 && !words.some((word) => file.includes(word))) continue;
      const scene = await startScene();
      const page = await browser.newPage(LOOKS[look]);
      await page.goto(`${scene.origin}/#/${path}`);
      await page.waitForTimeout(2_000);
      await scene.close();
      await page.waitForTimeout(4_000);
      await page.screenshot({ path: join(out, `${file}.png`) });
      await page.close();
    }
  }
}

await showBusy();
await showEmpty();
await showBroken();
await showLost();
await browser.close();
