// Makes the pictures of docs/dashboard.md from a live scene: `npm run build && node test/dashboard/screenshots.mjs`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { startBrowser } from './browser.mjs';
import { startScene } from './scene.mjs';

/** For so long the scene goes on before it is shown, in seconds: plots have something to tell then. */
const BEFORE = Number(process.env.BEFORE ?? 240);

const out = process.argv[2] ?? fileURLToPath(new URL('../../docs/dashboard/', import.meta.url));
mkdirSync(out, { recursive: true });
const scene = await startScene();
await new Promise((resolve) => setTimeout(resolve, BEFORE * 1_000));
const browser = await startBrowser();

const { jobs } = await (await fetch(`${scene.origin}/v1/jobs?q=function:video.transcode+state:running`)).json();
const PICTURES = [
  ['functions', '', { colorScheme: 'light' }],
  ['functions-dark', '', { colorScheme: 'dark' }],
  ['function', 'function?name=invoice.pdf', { colorScheme: 'light' }],
  ['jobs', 'jobs?q=user.id:17', { colorScheme: 'dark' }],
  ['server', 'server', { colorScheme: 'light', viewport: { width: 1440, height: 560 } }],
  ['job', `jobs/${encodeURIComponent(jobs[0].handle)}`, { colorScheme: 'light' }],
  ['phone', '', { colorScheme: 'dark', viewport: { width: 390, height: 844 } }],
];
for (const [name, path, options] of PICTURES) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 810 }, ...options });
  await page.goto(`${scene.origin}/#/${path}`);
  await page.waitForTimeout(4_000);
  const png = await page.screenshot();
  await sharp(png)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(out, `${name}.png`));
  await page.close();
}
await browser.close();
await scene.close();
