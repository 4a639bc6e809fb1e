/**
 * How long after a worker wrote down that it is about to report, a job may
 * still count as running, in milliseconds: its report is on its way, and the
 * job server writes ends lazily, which a kill may take and a clean stop not.
 */
const REPORTING = { SIGKILL: 1_000, SIGTERM: 500, SIGSTOP: 1_000, LAPSE: 1_000 };

/** How much longer than that a database may keep an end waiting: as long as a statement may take, and the next one. */
const DATABASE_REPORTING = 4_000;

/**
 * How long after one that stalled goes on, or a database is back, a job may
 * still begin that runs again, in milliseconds: leases were lost meanwhile, and
 * who had them does not know it yet.
 */
const LEASES_LOST = 8_000;

/**
 * What the ledgers of a run say.
 *
 * @param kills each `{ kind, name, signal, time, over }`, `time` just before and `over` when it had ended; signal LAPSE
 * where a job server was taken for dead by the others.
 * @param hasDatabase whether ends are written to a database.
 */
export function judge({ accepted, executions }, kills, hasDatabase) {
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
    if (new Set(list.map(({ id }) => id)).size > 1) verdict.unexplained.push(`${handle} is the handle of several jobs`);
    const repeats = list.slice(0, -1).filter(({ how }) => how !== 'failed');
    if (repeats.length > 0) verdict.repeated++;
    for (const execution of repeats) {
      const cause = kills.find((kill) => isCause(kill, execution, slack));
      if (!cause) verdict.unexplained.push(`${handle} ran again after ${JSON.stringify(execution)}`);
      else verdict.causes.set(nameOf(cause), (verdict.causes.get(nameOf(cause)) ?? 0) + 1);
    }
  }
  return verdict;
}

/** Whether a job ran, or its end was on its way, when somebody was killed it depended on. */
function isCause({ kind, name, signal, time, over }, { worker, begin, end = Infinity }, slack) {
  if ((kind === 'worker' || kind.endsWith('client')) && name !== worker) return false;
  const losesLeases = kind === 'database' || signal === 'SIGSTOP' || signal === 'LAPSE';
  return begin <= (losesLeases ? over + LEASES_LOST : over) && time <= end + REPORTING[signal] + slack;
}

/** What was done to whom; of the databases, to which. */
export function nameOf({ kind, name, signal }) {
  return `${kind === 'database' ? name : kind} ${{ SIGKILL: 'killed', SIGTERM: 'stopped', SIGSTOP: 'stalled', LAPSE: 'taken for dead' }[signal]}`;
}
