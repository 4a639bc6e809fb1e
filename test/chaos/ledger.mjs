import { existsSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const ENDING = '.ledger';

/**
 * What a process did, written down by itself. A line is in the kernel's page
 * cache as soon as it is written, so kill -9 of its writer loses nothing:
 *
 *   accepted HANDLE ID TIME    a client was answered with JOB_CREATED
 *   begun HANDLE ID TIME N     a worker was given the job, by job server N
 *   failed HANDLE ID TIME      it is about to report failure
 *   done HANDLE ID TIME        it is about to report the result
 */
export class Ledger {
  constructor(folder, name) {
    this.file = openSync(join(folder, name + ENDING), 'a');
  }

  write(what, handle, id, more = '') {
    writeSync(this.file, `${what} ${handle} ${id} ${Date.now()} ${more}\n`);
  }
}

/** Whether a client has been answered with JOB_CREATED yet. */
export function hasSubmitted(folder, name) {
  const file = join(folder, name + ENDING);
  return existsSync(file) && readFileSync(file, 'latin1').includes('accepted ');
}

/** How many bytes the processes of a kind have written down. */
export function ledgerBytes(folder, kind) {
  const files = readdirSync(folder).filter((name) => name.startsWith(kind) && name.endsWith(ENDING));
  return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/**
 * Everything that the processes of a run wrote down.
 *
 * @returns `accepted`: every accepted submission, as [handle, id, time]; `executions`: the runs of each handle, in the order
 * in which they began, each `{ worker, id, server, begin, how, end }`. `server` is the number of the job server; the last two are missing if the run had no end.
 */
export function readLedgers(folder) {
  const accepted = [];
  const executions = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(ENDING))) {
    const open = new Map();
    for (const line of readFileSync(join(folder, file), 'latin1').split('\n')) {
      const [what, handle, id, time, server] = line.split(' ');
      // The last line of a killed process may be incomplete.
      if (server === undefined) continue;
      if (what === 'accepted') accepted.push([handle, id, Number(time)]);
      else if (what === 'begun') {
        const execution = { worker: file.slice(0, -ENDING.length), id, server, begin: Number(time) };
        open.set(handle, execution);
        if (executions.has(handle)) executions.get(handle).push(execution);
        else executions.set(handle, [execution]);
      } else Object.assign(open.get(handle), { how: what, end: Number(time) });
    }
  }
  for (const list of executions.values()) list.sort((one, other) => one.begin - other.begin);
  return { accepted, executions };
}
