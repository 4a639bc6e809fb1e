import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const WORDS = { SIGKILL: 'killed', SIGTERM: 'stopped', SIGSTOP: 'stalled', LAPSE: 'taken for dead' };

/**
 * What was done to the processes of a run, each `{ kind, name, signal, time,
 * over }`: `time` just before and `over` when it had ended; the signal LAPSE
 * where a job server was taken for dead by the others. They are written down as
 * they happen, in the run's folder, so that a run that breaks off has them too.
 */
export class Blows {
  list = [];

  /** @param wanted how many of which shall be killed, as a Map; the run is over then. */
  constructor(folder, wanted) {
    this.file = openSync(join(folder, 'blows'), 'a');
    this.wanted = wanted;
  }

  /** One that is over. */
  add(blow) {
    this.list.push(blow);
    this.#write(blow);
  }

  /** One that takes its time: answers what is to be called when it is over. */
  begin(blow) {
    const begun = Object.assign(blow, { over: Infinity });
    this.add(begun);
    return () => {
      begun.over = Date.now();
      this.#write(begun);
    };
  }

  /** How many there were of each, by {@link nameOf}. */
  get counts() {
    const counts = new Map();
    for (const blow of this.list) counts.set(nameOf(blow), (counts.get(nameOf(blow)) ?? 0) + 1);
    return counts;
  }

  /** Whether as many were killed as shall be. */
  get isEnough() {
    if (this.wanted.size === 0) return false;
    const { counts } = this;
    return [...this.wanted].every(([who, count]) => (counts.get(`${who} killed`) ?? 0) >= count);
  }

  #write(blow) {
    writeSync(this.file, `${blow.time} ${blow.over} ${blow.name} ${nameOf(blow)}\n`);
  }
}

/** What was done to whom; of the databases, to which. */
export function nameOf({ kind, name, signal }) {
  return `${kind === 'database' ? name : kind} ${WORDS[signal]}`;
}
