import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const WORDS = { SIGKILL: 'killed', SIGTERM: 'stopped', SIGSTOP: 'stalled', LAPSE: 'taken for dead' };

/**
 * What was done to the processes of a run, each `{ kind, name, signal, time,
 * over }`: `time` just before it and `over` when it had ended; with the signal LAPSE
 * if other job servers took one for dead. They are written to a file in the run's
 * folder as they happen, so that a run that breaks off has them too.
 */
export class Blows {
  list = [];

  /** @param wanted a Map of how many of each kind shall be killed; then the run is over. */
  constructor(folder, wanted) {
    this.file = openSync(join(folder, 'blows'), 'a');
    this.wanted = wanted;
  }

  /** Adds a blow that is over. */
  add(blow) {
    this.list.push(blow);
    this.#write(blow);
  }

  /** Adds a blow that takes some time; returns a function to call when it is over. */
  begin(blow) {
    const begun = Object.assign(blow, { over: Infinity });
    this.add(begun);
    return () => {
      begun.over = Date.now();
      this.#write(begun);
    };
  }

  /** How many blows there were of each sort, by {@link nameOf}. */
  get counts() {
    const counts = new Map();
    for (const blow of this.list) counts.set(nameOf(blow), (counts.get(nameOf(blow)) ?? 0) + 1);
    return counts;
  }

  /** Whether as many processes were killed as wanted. */
  get isEnough() {
    if (this.wanted.size === 0) return false;
    const { counts } = this;
    return [...this.wanted].every(([who, count]) => (counts.get(`${who} killed`) ?? 0) >= count);
  }

  #write(blow) {
    writeSync(this.file, `${blow.time} ${blow.over} ${blow.name} ${nameOf(blow)}\n`);
  }
}

/** What was done to which kind of process; for the databases, to which one. */
export function nameOf({ kind, name, signal }) {
  return `${kind === 'database' ? name : kind} ${WORDS[signal]}`;
}
