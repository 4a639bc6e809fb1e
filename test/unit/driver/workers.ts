import { afterEach, jest } from '@jest/globals';
import { JobWorker, type AssignedJob, type JobHandler, type JobWorkerOptions } from '../../../lib/driver/index.js';
import { FakeJobServer } from '../../support/fake-job-server.js';
import { CLOSED, type RawPeer } from '../../support/raw-peer.js';
import { settled } from '../../support/turns.js';

const workers: JobWorker[] = [];
afterEach(async () => {
  jest.useRealTimers();
  await Promise.all(workers.splice(0).map((worker) => worker.close({ gracePeriod: 0 })));
});

/** What a job server that does not push says to ALL_YOURS. */
export const REFUSED = 'ERROR INVALID_COMMAND·Command not expected';

export function workerOf(names: string[], options: Omit<JobWorkerOptions, 'servers'> = {}) {
  const servers = names.map((name) => new FakeJobServer(name));
  const worker = new JobWorker({ servers, reconnect: { initialDelay: 1, maxDelay: 1 }, ...options });
  // Handlers that throw on purpose are no warning of the process.
  worker.on('error', () => {});
  workers.push(worker);
  return { worker, servers, server: servers[0]! };
}

/** A worker of `reverse`, with one slot, that pulls from one fake job server, and that job server's end. */
export async function pulling(
  handler: JobHandler,
  options: Omit<JobWorkerOptions, 'servers'> = {},
  ...answers: string[]
) {
  const { worker, server } = workerOf(['a'], { push: false, concurrency: 1, ...options });
  worker.register('reverse', handler);
  const starting = worker.start();
  const { peer } = await server.welcome(...answers);
  await starting;
  return { worker, server, peer };
}

/** The same, pushed to. */
export async function pushed(handler: JobHandler, options: Omit<JobWorkerOptions, 'servers'> = {}) {
  const { worker, server } = workerOf(['a'], { concurrency: 2, ...options });
  worker.register('reverse', handler);
  const starting = worker.start();
  const { peer } = await server.welcome();
  await starting;
  return { worker, server, peer };
}

export const echo: JobHandler = (job) => job.workload;

/** A handler whose jobs end when the test says so. */
export function held() {
  const jobs: { job: AssignedJob; finish(result?: string): void }[] = [];
  const handler: JobHandler = (job) =>
    new Promise<string>((resolve) => jobs.push({ job, finish: (result = '') => resolve(result) }));
  return { jobs, handler };
}

/** Everything the worker has said by now. */
export async function said(peer: RawPeer): Promise<string[]> {
  await settled();
  const packets: string[] = [];
  // Everything in memory has arrived: what is not there now was not sent.
  for (;;) {
    const packet = await peer.next(0).catch(() => undefined);
    if (packet === undefined) return packets;
    packets.push(packet);
    if (packet === CLOSED) return packets;
  }
}
