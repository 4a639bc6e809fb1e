// Figures of the dashboard at many functions: `node test/dashboard/figures.mjs 2000 [10000 100000]`, after `npm run build`.
import { connect, createServer } from 'node:net';
import { startScene } from './scene.mjs';
import { startBrowser } from './browser.mjs';

/** For so long a page is looked at, in seconds; meanwhile so many jobs a second come to functions at random. */
const WATCHED = 15;
const JOBS_A_SECOND = 50;

for (const functions of process.argv.slice(2).map(Number)) await measure(functions);

async function measure(functions) {
  const scene = await startScene({ isBusy: false, storage: false, functions });
  const browser = await startBrowser();
  const front = await startFront(scene.port);
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const metrics = async () =>
    Object.fromEntries((await cdp.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
  // CPU time, as a machine that has other work tells nothing by the clock.
  const system = await browser.newBrowserCDPSession();
  const cpuOfPage = async () => {
    const { processInfo } = await system.send('SystemInfo.getProcessInfo');
    return processInfo.filter(({ type }) => type === 'renderer').reduce((sum, { cpuTime }) => sum + cpuTime, 0);
  };
  const cpuBlank = await cpuOfPage();
  const opened = performance.now();
  await page.goto(front.origin);
  await page.locator('.functions .rows .row').first().waitFor({ timeout: 120_000 });
  const firstList = performance.now() - opened;
  const receivedForList = front.received();
  const cpuOfList = (await cpuOfPage()) - cpuBlank;
  await page.waitForTimeout(1_500);
  const [receivedFirst, before, cpuBefore] = [front.received(), await cpuOfPage(), process.cpuUsage()];
  const timer = setInterval(() => {
    for (let job = 0; job < JOBS_A_SECOND / 10; job++) {
      void scene.submit(`function-${Math.floor(Math.random() * functions)}`, { job });
    }
  }, 100);
  await page.waitForTimeout(WATCHED * 1_000);
  clearInterval(timer);
  const after = await cpuOfPage();
  const received = front.received();
  const cpu = process.cpuUsage(cpuBefore);
  await cdp.send('HeapProfiler.collectGarbage');
  const { JSHeapUsedSize: heap, Nodes: nodes } = await metrics();
  const line = [
    `${functions} functions`,
    `first list ${Math.round(firstList)} ms`,
    `${Math.round(cpuOfList * 1_000)} ms CPU for it`,
    `${(after - before).toFixed(2)} s CPU in ${WATCHED} s`,
    `heap ${(heap / 1e6).toFixed(1)} MB`,
    `${nodes} nodes`,
    `${Math.round(receivedForList / 1e3)} kB for it`,
    `${Math.round(receivedFirst / 1e3)} kB with plots`,
    `${((received - receivedFirst) / 1e3 / WATCHED).toFixed(1)} kB/s then`,
    `server and script ${((cpu.user + cpu.system) / 1e6).toFixed(2)} s CPU`,
    `loop delay ${Math.round(scene.jobServer.eventLoopDelay * 1_000)} ms`,
  ];
  console.log(line.join(', '));
  await browser.close();
  front.close();
  await scene.close();
}

/** Stands between, and counts what the page receives as it travels. */
async function startFront(port) {
  let received = 0;
  const server = createServer((page) => {
    const jobServer = connect(port, '127.0.0.1');
    jobServer.on('data', ({ length }) => (received += length));
    page.pipe(jobServer).pipe(page);
    for (const [one, other] of [
      [page, jobServer],
      [jobServer, page],
    ]) {
      one.on('error', () => undefined).on('close', () => other.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    received: () => received,
    close: () => server.close(),
  };
}
