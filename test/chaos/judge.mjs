import { nameOf } from './blows.mjs';

/**
 * How long after a worker wrote down that it is about to report, a job may still
 * count as running, in milliseconds: the report is on its way, and the job server
 * writes ends lazily, so a kill may lose an end, and a clean stop may not.
 */
const REPORTING = { SIGKILL: 1_000, SIGTERM: 500, SIGSTOP: 1_000, LAPSE: 1_000 };

/** How much longer a database may keep an end waiting: as long as one statement may take, and the next one. */
const DATABASE_REPORTING = 4_000;

/**
 * For how long after a stalled job server continues, or a database is back, a job
 * that runs again may still begin, in milliseconds: leases were lost in between, and
 * their former owners do not know it yet.
 */
const LEASES_LOST = 8_000;

/**
 * What the ledgers of a run prove.
 *
 * @param blows as {@link Blows} keeps them
 * @param hasDatabase whether ends are written to a database.
 */
export function judge({ accepted, executions }, blows, hasDatabase) {
  const slack = hasDatabase ? DATABASE_REPORTING : 0;
  const jobs = new Set(accepted.map(([handle]) => handle));
  const isDone = (handle) => executions.get(handle)?.some(({ how }) => how === 'done') ?? false;
  const verdict = {
    accepted: accepted.length,
    overHttp: accepted.filter(([, id]) => id.startsWith('http-client')).length,
    jobs: jobs.size,
    executed: 0,
    lost: [],
    repeated: 0,
    causes: new Map(),
    unexplained: [],
  };
  for (const handle of jobs) {
    if (isDone(handle)) verdict.executed++;
    else verdict.lost.push(handle);
  }
  for (const [handle, list] of executions) {
    if (new Set(list.map(({ id }) => id)).size > 1)
      verdict.unexplained.push({ handle, text: `${handle} is the handle of several jobs` });
    const repeats = list.slice(0, -1).filter(({ how }) => how !== 'failed');
    if (repeats.length > 0) verdict.repeated++;
    for (const execution of repeats) {
      const cause = causeOf(execution, blows, slack);
      if (cause) verdict.causes.set(cause, (verdict.causes.get(cause) ?? 0) + 1);
      else verdict.unexplained.push({ handle, text: `${handle} ran again after ${JSON.stringify(execution)}` });
    }
  }
  return verdict;
}

/** The blow that explains why a job ran again; undefined if none does. */
function causeOf(execution, blows, slack) {
  const possible = blows.filter((blow) => isCause(blow, execution, slack));
  const own = possible.find(({ kind, name }) => kind !== 'job-server' || numberIn(name) === execution.server);
  if (own) return nameOf(own);
  return possible[0] && `another ${nameOf(possible[0])}`;
}

/** Whether a job ran, or its end was on its way, when a process that it depended on was struck. */
function isCause({ kind, name, signal, time, over }, { worker, begin, end = Infinity }, slack) {
  if ((kind === 'worker' || kind.endsWith('client')) && name !== worker) return false;
  const losesLeases = kind === 'database' || signal === 'SIGSTOP' || signal === 'LAPSE';
  return begin <= (losesLeases ? over + LEASES_LOST : over) && time <= end + REPORTING[signal] + slack;
}

/** The number of a job server, from its name `job-server-NUMBER-LIFE`. */
function numberIn(name) {
  return name.split('-')[2];
}
