import { fork } from 'node:child_process';
import { once } from 'node:events';
import { AdminClient } from '../build/driver/index.js';
import { hasGearmand, startServer } from './servers.mjs';
import { median } from './table.mjs';

const CALLERS = 10_000;
/** By how much `--quick` divides the numbers. */
const QUICK = 10;
/** How long a caller waits, and how long its job takes, in milliseconds. */
const PATIENCE = 100;
const JOB = 50;
/** How long the next caller waits at most, in milliseconds; if jobs ran although nobody waits, it would be minutes. */
const LAST = 10_000;
/** How often a caller alone is measured before the burst. */
const ALONE = 5;

const CASES = [
  { title: 'ours', server: 'ours', options: {} },
  { title: 'ours, `withdraw: false`', server: 'ours', options: { withdraw: false } },
  ...(hasGearmand ? [{ title: 'gearmand', server: 'gearmand', options: {} }] : []),
];

/** Prints how soon a caller is answered after a burst of callers that gave up; bench/README.md says how to read it. */
export async function benchOverload({ isQuick, runs }) {
  const callers = isQuick ? CALLERS / QUICK : CALLERS;
  console.log(
    `${callers} callers wait ${PATIENCE} ms each for jobs of ${JOB} ms; one worker, one job at a time; median of ${runs}\n`,
  );
  console.log('| job server | alone ms | next caller ms | jobs left in the queue | run for nobody |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const { title, server, options } of CASES) {
    const all = [];
    for (let run = 0; run < runs; run++) all.push(await measure(server, options, callers));
    const [alone, next, left, inVain] = ['alone', 'next', 'left', 'inVain'].map((name) =>
      median(all.map((one) => one[name])),
    );
    const waited = next === Infinity ? `over ${LAST}` : next.toFixed(0);
    console.log(`| ${title} | ${alone.toFixed(0)} | ${waited} | ${left} | ${inVain} |`);
  }
}

async function measure(name, options, count) {
  const server = await startServer(name);
  const servers = `127.0.0.1:${server.port}`;
  const sides = [];
  const side = async (role, roleOptions) => {
    const child = fork(new URL('overload/side.mjs', import.meta.url), [role, servers, JSON.stringify(roleOptions)]);
    sides.push(child);
    await answerOf(child);
    return (question) => {
      child.send(question);
      return answerOf(child);
    };
  };
  try {
    // In processes of their own, so that the next caller does not wait for what the burst costs its own callers.
    const runs = await side('worker', { jobTime: JOB });
    const burst = await side('callers', options);
    const caller = await side('caller', {});
    const times = [];
    for (let time = 0; time < ALONE; time++) times.push(await caller({ patience: LAST }));
    const before = await runs('?');
    const answers = await burst({ count, patience: PATIENCE });
    const next = (await caller({ patience: LAST })) ?? Infinity;
    const { queued } = await queueOf(servers);
    const inVain = (await runs('?')) - before - answers - (next === Infinity ? 0 : 1);
    return { alone: median(times), next, left: queued, inVain };
  } finally {
    for (const child of sides) child.kill('SIGKILL');
    await server.stop();
  }
}

async function answerOf(child) {
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])]);
  if (answer === undefined) throw new Error('a process ended while it was measured');
  return answer;
}

async function queueOf(server) {
  const admin = new AdminClient({ server });
  try {
    const [row] = await admin.status();
    return { queued: row.total - row.running };
  } finally {
    await admin.close();
  }
}
