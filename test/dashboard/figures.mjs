// Figures of the dashboard at many functions: `node test/dashboard/figures.mjs 2000 [10000 100000]`, after `npm run build`.
import { startScene } from './scene.mjs';
import { startBrowser } from './browser.mjs';

/** For so long a page is looked at, in seconds; meanwhile so many jobs a second come to functions at random. */
const WATCHED = 15;
const JOBS_A_SECOND = 50;

for (const functions of process.argv.slice(2).map(Number)) await measure(functions);

async function measure(functions) {
  const scene = await startScene({ isBusy: false, storage: false, functions });
  const browser = await startBrowser();
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  const cdp = await page.context().newCDPSession(page);
  // What has ended is told as it travelled; a stream is never packed.
  let received = 0;
  const streams = new Set();
  cdp.on('Network.responseReceived', ({ requestId, type }) => type === 'EventSource' && streams.add(requestId));
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => (received += encodedDataLength));
  cdp.on('Network.dataReceived', ({ requestId, dataLength }) => {
    if (streams.has(requestId)) received += dataLength;
  });
  await cdp.send('Network.enable');
  await cdp.send('Performance.enable');
  const metrics = async () =>
    Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  const opened = performance.now();
  await page.goto(scene.origin);
  await page.locator('.functions .rows .row').first().waitFor({ timeout: 120_000 });
  const firstList = performance.now() - opened;
  await page.waitForTimeout(1_500);
  const [receivedFirst, before, cpuBefore] = [received, await metrics(), process.cpuUsage()];
  const timer = setInterval(() => {
    for (let job = 0; job < JOBS_A_SECOND / 10; job++) {
      void scene.submit(`function-${Math.floor(Math.random() * functions)}`, { job });
    }
  }, 100);
  await page.waitForTimeout(WATCHED * 1_000);
  clearInterval(timer);
  const after = await metrics();
  const cpu = process.cpuUsage(cpuBefore);
  await cdp.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize: heap, Nodes: nodes } = await metrics();
  const line = [
    `${functions} functions`,
    `first list ${Math.round(firstList)} ms`,
    `busy ${(after.TaskDuration - before.TaskDuration).toFixed(2)} of ${WATCHED} s`,
    `heap ${(heap / 1e6).toFixed(1)} MB`,
    `${nodes} nodes`,
    `${Math.round(receivedFirst / 1e3)} kB at first`,
    `${((received - receivedFirst) / 1e3 / WATCHED).toFixed(1)} kB/s then`,
    `server and script ${((cpu.user + cpu.system) / 1e6).toFixed(2)} s CPU`,
    `loop delay ${Math.round(scene.jobServer.eventLoopDelay * 1_000)} ms`,
  ];
  console.log(line.join(', '));
  await browser.close();
  await scene.close();
}
