import { existsSync, readFileSync } from 'node:fs';
import { nameOf } from './blows.mjs';
import { logOf } from './job-server-address.mjs';

/** How long before a job first began, and after its last report, an event may be a reason for its running again, in milliseconds. */
const AROUND = 15_000;

/** The levels of a job server's log lines that are included although they are not about the job. */
const ALARMS = new Set(['warn', 'error']);

/**
 * Everything that was written down about a job, and the blows around it, in the
 * order of time. Each line begins with its time in seconds since the job first
 * began.
 *
 * @param ledgers as `readLedgers` returns them
 * @param blows as {@link Blows} keeps them
 * @param sockets of the job servers
 */
export function storyOf(handle, { accepted, executions }, blows, sockets) {
  const runs = executions.get(handle) ?? [];
  const times = runs.flatMap(({ begin, end = begin }) => [begin, end]);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const isNear = (from, to) => to >= first - AROUND && from <= last + AROUND;
  const events = [
    ...accepted.filter((each) => each[0] === handle).map(([, id, time]) => ({ time, text: `accepted as ${id}` })),
    ...runs.flatMap(({ worker, id, server, begin, how, end }) => [
      { time: begin, text: `begun by ${worker} at job server ${server}, as ${id}` },
      ...(how ? [{ time: end, text: `${how} by ${worker}` }] : []),
    ]),
    ...blows
      .filter(({ time, over }) => isNear(time, over))
      .map(({ time, over, name, ...blow }) => {
        const what = `${nameOf({ name, ...blow })}${blow.kind === 'database' ? '' : `: ${name}`}`;
        // Nobody knows when a lapse began.
        if (blow.signal === 'LAPSE') return { time: over, text: what };
        return { time, text: `${what}, over after ${over - time} ms` };
      }),
    ...sockets.flatMap((socket, number) =>
      linesOf(logOf(socket))
        .filter(({ time, word, text }) => text === handle || (ALARMS.has(word) && isNear(time, time)))
        .map(({ time, pid, word, text }) => ({ time, text: `job server ${number} (${pid}): ${word} ${text}` })),
    ),
  ];
  events.sort((one, other) => one.time - other.time);
  return events.map(({ time, text }) => `${((time - first) / 1_000).toFixed(3).padStart(9)} s  ${text}`);
}

/** What a job server did and said. */
function linesOf(path) {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map((line) => {
    const [time, pid, word, ...rest] = line.split(' ');
    return { time: Number(time), pid, word, text: rest.join(' ') };
  });
}
