const FUNCTIONS = [2_000, 10_000, 100_000];
/** How many functions get a new job in a second. */
const CHANGED = 100;
/** How many seconds are measured, and how many before them are not. */
const [SECONDS, FIRST] = [10, 3];

/**
 * Prints the CPU time that a job server needs a second while one dashboard is
 * open, by the number of functions: for looking at them, and for sending what
 * changed. For comparison also without a dashboard.
 */
export async function benchLive() {
  console.log('| functions | CPU ms a second, nobody looks on | one looks on |\n| ---: | ---: | ---: |');
  for (const functions of FUNCTIONS) {
    const [idle, live] = await secondsOf(functions);
    console.log(`| ${functions} | ${idle.toFixed(1)} | ${live.toFixed(1)} |`);
  }
}

async function secondsOf(functions) {
  const { JobServer } = await import('../build/job-server/job-server.js');
  const { localSource } = await import('../build/web/local-source.js');
  const jobServer = new JobServer({ listeners: [] });
  await jobServer.start();
  const { jobServer: core, live } = localSource('main', jobServer);
  const submit = (number) => core.engine.submit(jobOf(`f${number % functions}`));
  for (let number = 0; number < functions; number++) submit(number);
  const idle = await medianSecond(submit);
  let told = 0;
  let leave;
  await new Promise((resolve) => {
    leave = live.join({
      looked() {
        for (const piece of live.board.changes(told, () => true)) void piece;
        told = live.board.looks;
        resolve();
      },
    });
  });
  const watched = await medianSecond(submit);
  leave();
  await jobServer.stop();
  return [idle, watched];
}

async function medianSecond(submit) {
  const seconds = [];
  for (let second = 0; second < FIRST + SECONDS; second++) {
    const before = process.cpuUsage();
    for (let job = 0; job < CHANGED; job++) submit(second * CHANGED + job);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1_000);
  }
  return seconds.slice(FIRST).sort((one, other) => one - other)[SECONDS >> 1];
}

function jobOf(name) {
  return { function: name, unique: '', workload: 'x', priority: 1, isBackground: true, at: 0 };
}
