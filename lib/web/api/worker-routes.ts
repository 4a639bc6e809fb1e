import { fromByteString } from '../../protocol/index.js';
import {
  jobSnapshot,
  workerSnapshot,
  type JobSnapshot,
  type WorkerSnapshot,
} from '../../job-server/operations/index.js';
import { answerList, answerNothing } from '../http/answers.js';
import { notFound } from '../problem.js';
import { audit, requireAllFunctions, requireConsent, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, json, NOTHING, problem } from './schemas.js';

/** How many of a worker's running jobs are named, those it got first. */
const MAX_JOBS = 10;

/** A worker, and the jobs that it runs. */
interface BusyWorker extends Omit<WorkerSnapshot, 'done'> {
  /** Null if the worker also has functions that the caller may not see. */
  done: number | null;
  jobs: Pick<JobSnapshot, 'handle' | 'function' | 'startedAt'>[];
}

const UNKNOWN = { 404: problem('There is no such worker') };

export const WORKER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/workers',
    role: 'read',
    summary: `All connections that registered functions, each with the ${MAX_JOBS} jobs that it has been running longest`,
    answers: { 200: json('All of them', ANSWERS.workers) },
    run: list,
  },
  {
    method: 'POST',
    template: '/v1/workers/{id}/quiet',
    role: 'operate',
    summary: 'Gives a worker no more jobs; it finishes what it runs',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: (call) => setQuiet(call, true),
  },
  {
    method: 'DELETE',
    template: '/v1/workers/{id}/quiet',
    role: 'operate',
    summary: 'Gives a quiet worker jobs again',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: (call) => setQuiet(call, false),
  },
  {
    method: 'DELETE',
    template: '/v1/workers/{id}',
    role: 'operate',
    summary: 'Closes its connection; what it runs waits again',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: disconnect,
  },
];

async function list(call: Call): Promise<void> {
  requireConsent(call, 'status');
  await answerList(call, 'workers', permitted(call));
}

function* permitted({ source, permission }: Call): Iterable<BusyWorker> {
  const { engine, sessions } = source.jobServer;
  for (const session of sessions) {
    if (session.peer.abilities.size === 0) continue;
    const snapshot = workerSnapshot(session);
    const functions = snapshot.functions.filter((name) => permission.covers(name));
    if (functions.length === 0) continue;
    const jobs: BusyWorker['jobs'] = [];
    let seen = 0;
    for (const job of session.peer.running) {
      if (!permission.covers(fromByteString(job.function_.name))) continue;
      if (++seen > MAX_JOBS && permission.isForAll) break;
      if (seen > MAX_JOBS) continue;
      const { handle, function: name, startedAt } = jobSnapshot(engine, job);
      jobs.push({ handle, function: name, startedAt });
    }
    const running = permission.isForAll ? snapshot.running : seen;
    const done = functions.length === snapshot.functions.length ? snapshot.done : null;
    yield { ...snapshot, functions, running, done, jobs };
  }
}

function setQuiet(call: Call, isQuiet: boolean): void {
  const id = workerOf(call);
  if (!call.source.jobServer.operations.quiet(id, isQuiet)) throw notFound(`worker ${id}`);
  audit(call, isQuiet ? 'quiet' : 'unquiet', `worker ${id}`);
  answerNothing(call.response);
}

function disconnect(call: Call): void {
  const id = workerOf(call);
  if (!call.source.jobServer.operations.disconnect(id)) throw notFound(`worker ${id}`);
  audit(call, 'disconnect', `worker ${id}`);
  answerNothing(call.response);
}

function workerOf(call: Call): number {
  requireAllFunctions(call);
  requireConsent(call, 'admin');
  return Number(call.params['id']);
}
