import { fromByteString } from '../../protocol/index.js';
import { elapsed, type Engine, type Job, type Peer } from '../engine/index.js';
import { Session } from '../front/index.js';
import type { Log } from '../../ground/index.js';

/** Logs that a job failed for good: who ran it, and how long. Its clients and `dead` are told why. */
export function logFailure(log: Log, engine: Engine, job: Job, worker: Peer | undefined): void {
  const handle = fromByteString(engine.handleOf(job));
  const name = fromByteString(job.function_.name);
  const ran = worker && {
    ...(worker.listener instanceof Session && { peer: worker.listener.name }),
    duration: elapsed(job.since, engine.now),
  };
  log('debug', `${handle}: a job of ${name} failed${ran?.peer ? ` at ${ran.peer}` : ''}`, {
    function: name,
    handle,
    ...ran,
  });
}
