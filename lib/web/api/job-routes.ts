import { fromByteString, toByteString } from '../../protocol/index.js';
import type { Outcome } from '../../job-server/engine/index.js';
import { MAX_WATCHERS, type JobSnapshot } from '../../job-server/operations/index.js';
import { answerBytes, answerJson, answerNothing } from '../http/answers.js';
import { whenClosed } from '../http/connections.js';
import { EventStream } from '../http/event-stream.js';
import { notFound, Problem, tooMany } from '../problem.js';
import { audit, numberOf, requireConsent, requireKnown, type Call } from './call.js';
import { failedProblem } from './foreground.js';
import type { Route } from './route.js';
import { ANSWERS, BYTES, EVENTS, json, NOTHING, problem, ref } from './schemas.js';

/** How long a call waits for a result at most, in seconds. */
const MAX_WAIT = 300;

const UNKNOWN = { 404: problem('There is no such job, or it is over') };

export const JOB_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/jobs/{handle}',
    role: 'read',
    summary: 'A job; or how it ended, if it is over and results are kept',
    answers: { 200: json('The job', { anyOf: [ref('Job'), ref('EndedJob')] }), ...UNKNOWN },
    run: show,
  },
  {
    method: 'GET',
    template: '/v1/jobs/{handle}/result',
    role: 'inspect',
    summary: 'The kept result of a background job',
    query: { wait: `how long to wait for it, in seconds, up to ${MAX_WAIT}; default 0` },
    answers: {
      200: BYTES,
      202: json('It is not over', ANSWERS.running),
      409: problem('Results are not kept'),
      422: problem('The job failed'),
      ...UNKNOWN,
    },
    run: result,
  },
  {
    method: 'GET',
    template: '/v1/jobs/{handle}/workload',
    role: 'inspect',
    summary: 'The workload of a job, also of a dead letter',
    answers: { 200: BYTES, ...UNKNOWN },
    run: workload,
  },
  {
    method: 'GET',
    template: '/v1/jobs/{handle}/events',
    role: 'inspect',
    summary: 'What happens to a job; watching does not keep it alive',
    answers: { 200: EVENTS, ...UNKNOWN },
    run: watch,
  },
  {
    method: 'DELETE',
    template: '/v1/jobs/{handle}',
    role: 'operate',
    summary: 'Cancels a job',
    answers: { 202: { description: 'It runs, and will not be queued again' }, 204: NOTHING, ...UNKNOWN },
    run: cancel,
  },
  {
    method: 'POST',
    template: '/v1/jobs/{handle}/run-now',
    role: 'operate',
    summary: 'Ends the delay of a job: it waits for a worker now',
    answers: { 204: NOTHING, 409: problem('It is not delayed'), ...UNKNOWN },
    run: runNow,
  },
];

async function known(call: Call): Promise<JobSnapshot> {
  const job = requireKnown(call, await call.source.jobServer.operations.job(call.params['handle']!));
  requireConsent(call, 'status', toByteString(job.function));
  return job;
}

async function show(call: Call): Promise<void> {
  const handle = call.params['handle']!;
  const { operations } = call.source.jobServer;
  const job = await operations.job(handle);
  if (job) {
    requireConsent(call, 'status', toByteString(requireKnown(call, job).function));
    return answerJson(call.response, 200, job);
  }
  const state = (await ended(call))?.state;
  if (state === undefined) throw notFound(`job ${handle}`);
  answerJson(call.response, 200, { handle, state });
}

/** How a job ended. Its function is not known any more, so a caller who may see only some functions is told nothing. */
async function ended({ source, permission, params }: Call) {
  if (!permission.isForAll) return undefined;
  const found = await source.jobServer.storedJobs?.find(toByteString(params['handle']!));
  return found?.state === 'complete' || found?.state === 'failed' ? found : undefined;
}

async function result(call: Call): Promise<void> {
  const { params, permission, response, shared, source } = call;
  const handle = params['handle']!;
  const wait = numberOf(call, 'wait', 0, MAX_WAIT, 0);
  const over = wait > 0 ? waitForEnd(call, wait) : undefined;
  try {
    const job = await source.jobServer.operations.job(handle);
    if (job && permission.covers(job.function)) {
      requireConsent(call, 'status', toByteString(job.function));
      const end = await over?.promise;
      if (!end) return answerJson(response, 202, { state: job.state }, { 'Retry-After': '1' });
      if (end.outcome === 'completed') return answerBytes(response, end.bytes, shared.bodies.budget);
      throw failedProblem(handle, job.function, end.bytes);
    }
  } finally {
    over?.stop();
  }
  requireConsent(call, 'status');
  const dead = await source.jobServer.deadLetters?.find(toByteString(handle));
  const name = dead && fromByteString(dead.function);
  if (name !== undefined && permission.covers(name)) throw failedProblem(handle, name, toByteString(dead!.error));
  const found = await ended(call);
  if (found?.state === 'complete') return answerBytes(response, found.result, shared.bodies.budget);
  if (found?.state === 'failed') throw failedProblem(handle, 'its function', found.result);
  if (source.jobServer.keepsResults) throw notFound(`job ${handle}`);
  throw new Problem(409, 'results-not-kept', 'This job server keeps no results (keepResults, --keep-results).');
}

/** Waits for a job's end. It begins before the job is looked up, so that the end is not missed. */
function waitForEnd({ source, params, gone, shared }: Call, seconds: number) {
  const giveBack = shared.streams.borrow();
  let stopWatching: (() => void) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<{ outcome: Outcome; bytes: Buffer } | undefined>((resolve) => {
    const watcher = { ended: (outcome: Outcome, bytes: Buffer) => resolve({ outcome, bytes }) };
    stopWatching = source.jobServer.operations.watch(params['handle']!, watcher);
    timer = setTimeout(resolve, stopWatching ? seconds * 1_000 : 0, undefined);
    gone.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const stop = (): void => {
    clearTimeout(timer);
    stopWatching?.();
    giveBack();
  };
  return { promise, stop };
}

async function workload(call: Call): Promise<void> {
  const handle = call.params['handle']!;
  const { operations, deadLetters } = call.source.jobServer;
  const name = (await operations.job(handle))?.function ?? (await deadFunction(deadLetters, handle));
  requireKnown(call, name === undefined ? undefined : { function: name });
  requireConsent(call, 'status', toByteString(name!));
  const found = await operations.workload(handle, Infinity);
  if (!found) throw notFound(`job ${handle}`);
  answerBytes(call.response, found.bytes, call.shared.bodies.budget);
}

async function deadFunction(
  letters: Call['source']['jobServer']['deadLetters'],
  handle: string,
): Promise<string | undefined> {
  const letter = await letters?.find(toByteString(handle));
  return letter && fromByteString(letter.function);
}

async function watch(call: Call): Promise<void> {
  const job = await known(call);
  const { operations } = call.source.jobServer;
  whenClosed(call.response, call.shared.streams.borrow());
  const stop = operations.watch(job.handle, {
    started: () => stream.send('started', {}),
    requeued: () => stream.send('requeued', {}),
    data: (bytes) => stream.sendBytes('data', bytes),
    warning: (bytes) => stream.sendBytes('warning', bytes),
    progress: (numerator, denominator) => stream.send('status', { numerator, denominator }),
    ended: (outcome, bytes) => {
      if (outcome === 'completed') stream.sendBytes('complete', bytes);
      else stream.sendBytes('fail', bytes, { outcome });
      stream.end();
    },
  });
  if (!stop) throw tooMany(MAX_WATCHERS, 'watches of jobs');
  const stream = new EventStream(call.response, call.shared.bodies.budget, call.shared.traffic);
  const close = (): void => {
    stop();
    stream.end();
  };
  whenClosed(call.response, close);
  call.gone.addEventListener('abort', close, { once: true });
  stream.send('job', job);
  // If the job ended while it was looked up, there will be no other end.
  if (!(await operations.job(job.handle))) close();
}

async function cancel(call: Call): Promise<void> {
  const { handle, function: name } = requireKnown(
    call,
    await call.source.jobServer.operations.job(call.params['handle']!),
  );
  requireConsent(call, 'admin', toByteString(name));
  const { jobServer } = call.source;
  const bytes = toByteString(handle);
  const isRunning = jobServer.engine.find(bytes)?.state === 'running';
  if (!(await jobServer.cancel(bytes))) throw notFound(`job ${handle}`);
  audit(call, 'cancel', { handle });
  answerNothing(call.response, isRunning ? 202 : 204);
}

async function runNow(call: Call): Promise<void> {
  const { handle, function: name } = requireKnown(
    call,
    await call.source.jobServer.operations.job(call.params['handle']!),
  );
  requireConsent(call, 'admin', toByteString(name));
  if (!(await call.source.jobServer.operations.runNow(handle))) {
    throw new Problem(409, 'not-delayed', `The job ${handle} is not delayed.`);
  }
  audit(call, 'run-now', { handle });
  answerNothing(call.response);
}
