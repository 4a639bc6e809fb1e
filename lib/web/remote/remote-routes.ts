import { fromByteString, exactText, toByteString } from '../../protocol/index.js';
import type { FunctionOverview, ShownJob } from '../../driver/index.js';
import { functionOf, limitOf, numberOf, requireAllFunctions, audit, type Call } from '../api/call.js';
import { me } from '../api/me.js';
import { metrics } from '../api/metrics.js';
import { failedProblem } from '../api/foreground.js';
import { readJobSearch } from '../api/job-search.js';
import { limitsOf } from '../api/function-routes.js';
import { runOne, submitMany, submitOne } from '../api/submit-routes.js';
import { events } from '../api/event-routes.js';
import { nameFields } from '../function-name.js';
import { answerBytes, answerJson, answerLarge, answerList, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { notFound, Problem } from '../problem.js';
import type { RemoteSource } from '../source.js';
import { REMOTE_DEAD_LETTER_RUNS } from './remote-dead-letters.js';
import { REMOTE_SCHEDULE_RUNS } from './remote-schedules.js';
import { cannotTell, problemOfGearman } from './remote-problem.js';

type RemoteCall = Call<RemoteSource>;
type RemoteRun = (call: RemoteCall) => void | Promise<void>;

/** How often a job server is asked for a result that a caller waits for, in milliseconds. */
const ASK_AGAIN = 250;

/** The routes that a job server elsewhere can answer, by method and template. */
const RUNS: Readonly<Record<string, RemoteRun>> = {
  'GET /v1/server': server,
  'GET /v1/me': me,
  'GET /v1/openapi.json': (call) => answerLarge(call, call.shared.description()),
  'GET /metrics': metrics,
  'GET /v1/functions': listFunctions,
  'GET /v1/functions/{function}': showFunction,
  'POST /v1/functions/{function}/jobs': submitOne,
  'POST /v1/functions/{function}/run': runOne,
  'POST /v1/functions/{function}/pause': (call) =>
    change(call, 'pause', (name) => call.source.admin.pauseFunction(name)),
  'POST /v1/functions/{function}/resume': (call) =>
    change(call, 'resume', (name) => call.source.admin.resumeFunction(name)),
  'PUT /v1/functions/{function}/limits': setLimits,
  'POST /v1/jobs': submitMany,
  'GET /v1/jobs': listJobs,
  'GET /v1/jobs/{handle}': showJob,
  'GET /v1/jobs/{handle}/result': result,
  'DELETE /v1/jobs/{handle}': cancel,
  'GET /v1/workers': listWorkers,
  'GET /v1/events': events,
  ...REMOTE_DEAD_LETTER_RUNS,
  ...REMOTE_SCHEDULE_RUNS,
};

/** Answers a call for a job server elsewhere. @throws Problem */
export async function runRemote(call: RemoteCall, method: string, template: string): Promise<void> {
  const run = RUNS[`${method} ${template}`];
  if (!run) throw cannotTell('ask it on a --web-port of its own, where it is a job server of nestjs-gearman.');
  try {
    await run(call);
  } catch (error) {
    throw problemOfGearman(error) ?? error;
  }
}

async function server({ source, response, permission }: RemoteCall): Promise<void> {
  const version = await source.admin.version();
  const streams = permission.isForAll ? { eventStreams: source.live.viewerCount } : {};
  answerJson(response, 200, { name: source.name, version, isEnding: null, ...streams });
}

async function listFunctions(call: RemoteCall): Promise<void> {
  const { source, permission } = call;
  const functions = (await source.admin.functions()).filter(({ function: name }) => permission.covers(shownName(name)));
  await answerList(call, 'functions', functions.map(described));
}

async function showFunction(call: RemoteCall): Promise<void> {
  const name = functionOf(call);
  const found = (await call.source.admin.functions()).find((row) => toByteString(row.function) === name);
  if (!found) throw notFound(`function ${fromByteString(name)}`);
  answerJson(call.response, 200, described(found));
}

function described(row: FunctionOverview): object {
  const { total, running, high, normal, low, delayed = null, workers, isPaused = null, limits = null } = row;
  const name = nameFields(toByteString(row.function));
  return { ...name, total, running, queued: { high, normal, low }, delayed, limits, workers, isPaused };
}

async function change(call: RemoteCall, action: string, act: (name: string) => Promise<void>): Promise<void> {
  const name = functionOf(call);
  await act(exactText(name));
  audit(call, action, { function: fromByteString(name) });
  answerNothing(call.response);
}

async function setLimits(call: RemoteCall): Promise<void> {
  const [high, normal, low] = limitsOf(await readJson(call.request, call.shared.bodies));
  await change(call, 'limits', (name) => call.source.admin.limitQueue(name, { high, normal, low }));
}

async function listJobs(call: RemoteCall): Promise<void> {
  // `show jobs` names no function.
  requireAllFunctions(call);
  const { handle, state, ...more } = readJobSearch(call.query.get('q') ?? '');
  const [other] = Object.keys(more);
  if (other !== undefined) throw cannotTell(`jobs are found by handle: and state: alone here, not by ${other}.`);
  const limit = limitOf(call, 1_000);
  const all = await call.source.admin.jobs();
  const found = all.filter((job) => {
    // gearmand keeps a cancelled job until its turn would have come.
    if (job.isIgnored) return false;
    return (handle === undefined || job.handle === handle) && (state === undefined || stateOf(job) === state);
  });
  answerLarge(call, { jobs: found.slice(0, limit).map(shownJob), scanned: all.length });
}

const stateOf = ({ isQueued }: ShownJob): 'waiting' | 'running' => (isQueued ? 'waiting' : 'running');

/** The properties of a job that no job server tells by its handle alone. */
const NOT_TOLD = {
  function: null,
  unique: null,
  priority: null,
  isBackground: null,
  clients: null,
  losses: null,
  attempts: null,
  size: null,
};

function shownJob(job: ShownJob): object {
  return { ...NOT_TOLD, handle: job.handle, state: stateOf(job), losses: job.retries, numerator: 0, denominator: 0 };
}

async function showJob(call: RemoteCall): Promise<void> {
  requireAllFunctions(call);
  const handle = call.params['handle']!;
  const { isKnown, isRunning, numerator, denominator } = await call.source.client.status(identity(call));
  if (!isKnown) throw notFound(`job ${handle}`);
  const state = isRunning ? 'running' : 'waiting';
  answerJson(call.response, 200, { ...NOT_TOLD, handle, state, numerator, denominator });
}

function identity({ source, params }: RemoteCall): { handle: string; server: string } {
  return { handle: params['handle']!, server: source.client.servers[0]! };
}

async function result(call: RemoteCall): Promise<void> {
  requireAllFunctions(call);
  const { response, shared, gone, source } = call;
  const until = performance.now() + numberOf(call, 'wait', 0, 300, 0) * 1_000;
  const giveBack = shared.streams.borrow();
  try {
    for (;;) {
      const { state, bytes = Buffer.alloc(0) } = await source.client.result(identity(call)).catch(keepsNone);
      if (state === 'complete') return answerBytes(response, bytes, shared.bodies.budget);
      if (state === 'failed') throw failedProblem(call.params['handle']!, 'its function', bytes);
      if (state === 'unknown') throw notFound(`job ${call.params['handle']}`);
      if (gone.aborted || performance.now() >= until) {
        return answerJson(response, 202, { state }, { 'Retry-After': '1' });
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN));
    }
  } finally {
    giveBack();
  }
}

function keepsNone(error: unknown): never {
  if (/keeps no results/.test(String(error))) throw new Problem(409, 'results-not-kept', (error as Error).message);
  throw error;
}

async function cancel(call: RemoteCall): Promise<void> {
  requireAllFunctions(call);
  const handle = call.params['handle']!;
  if (!(await call.source.admin.cancelJob(handle))) throw notFound(`job ${handle}`);
  audit(call, 'cancel', { handle });
  answerNothing(call.response);
}

async function listWorkers(call: RemoteCall): Promise<void> {
  const { source, permission } = call;
  const workers = (await source.admin.workers()).flatMap(({ descriptor, address, clientId = '-', functions }) => {
    const names = functions.map(shownName).filter((name) => permission.covers(name));
    if (names.length === 0) return [];
    const untold = { running: null, jobs: null, done: null, connectedSince: null, isQuiet: null };
    return [{ id: descriptor, clientId, address, functions: names, ...untold }];
  });
  await answerList(call, 'workers', workers);
}

/** A name of an admin answer as text. */
function shownName(exact: string): string {
  return fromByteString(toByteString(exact));
}
