import { toByteString, type ByteString } from '../../protocol/index.js';
import type { JobQuery, JobSnapshot } from '../../job-server/operations/index.js';
import { answerJson, answerLarge } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { EventStream } from '../http/event-stream.js';
import { invalid, Problem } from '../problem.js';
import { audit, cursorOf, limitOf, requireConsent, searching, wantsEvents, type Call } from './call.js';
import { doneTo } from './done-to.js';
import { readJobSearch } from './job-search.js';
import type { Route } from './route.js';
import { ANSWERS, JOB_CHOICE, json } from './schemas.js';

/** How many jobs a page has at most. */
const MAX_PAGE = 1_000;

/** How many jobs one call cancels at most: their handles are in memory in the meantime. */
const MAX_ACTED_ON = 100_000;

/** How often a search reports its progress to a caller who accepts events, in milliseconds. */
const TELL_INTERVAL = 150;

/** Routes about all jobs that a search finds; `job-routes.ts` has the routes about one job. */
export const SEARCH_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/jobs',
    role: 'read',
    summary: 'Searches jobs, in memory and in storage',
    query: {
      q: 'handle: unique: function: state: priority: age>5m attempts>2 hex: user.id:42, or text in the workload',
      cursor: '`next` of the previous page',
      limit: `the maximum number of jobs, up to ${MAX_PAGE}; default 100`,
    },
    answers: {
      200: {
        description:
          'A page; or, as server-sent events, each job that is found and `end` at the end, if the request accepts them',
        schema: ANSWERS.jobs,
        media: ['application/json', 'text/event-stream'],
      },
    },
    run: search,
  },
  {
    method: 'POST',
    template: '/v1/jobs/cancel',
    role: 'operate',
    summary: `Cancels all jobs that match, at most ${MAX_ACTED_ON} at once`,
    body: JOB_CHOICE,
    answers: { 200: json('How many', ANSWERS.done) },
    run: cancelMany,
  },
];

function searchOf({ permission }: Call, text: string): JobQuery {
  const query = readJobSearch(text);
  // By searching for it, a caller could guess the content of a workload.
  if ((query.contains !== undefined || query.json) && !permission.may('inspect')) {
    throw new Problem(403, 'forbidden', 'Searching workloads needs the role inspect.');
  }
  return query;
}

async function search(call: Call): Promise<void> {
  const query = searchOf(call, call.query.get('q') ?? '');
  requireConsent(call, 'status');
  const [limit, skip] = [limitOf(call, MAX_PAGE), cursorOf(call)];
  const giveBack = await searching(call);
  try {
    if (wantsEvents(call)) await tellPage(call, query, limit, skip);
    else await answerPage(call, query, limit, skip);
  } finally {
    giveBack();
  }
}

/** A part of a page, and the progress of the search; only the last part has `next`, if there are more jobs. */
interface Part {
  readonly jobs: JobSnapshot[];
  readonly scanned: number;
  readonly next?: string;
}

/** A page, part by part as jobs are found. How many jobs others have is only told to callers who may see all of them. */
async function* page({ source, permission, gone }: Call, query: JobQuery, limit: number, skip: number) {
  let [position, told, scanned] = [0, 0, 0];
  for await (const found of source.jobServer.operations.findJobs(query, gone)) {
    const jobs: JobSnapshot[] = [];
    if (permission.isForAll) scanned = found.scanned;
    for (const job of found.jobs) {
      if (!permission.covers(job.function)) continue;
      if (!permission.isForAll) scanned++;
      if (position++ < skip) continue;
      if (told === limit) {
        yield { jobs, scanned, next: String(position - 1) } satisfies Part;
        return;
      }
      told++;
      jobs.push(job);
    }
    yield { jobs, scanned } satisfies Part;
  }
}

async function answerPage(call: Call, query: JobQuery, limit: number, skip: number): Promise<void> {
  const jobs: JobSnapshot[] = [];
  let last: Part = { jobs, scanned: 0 };
  for await (const part of page(call, query, limit, skip)) {
    for (const job of part.jobs) jobs.push(job);
    last = part;
  }
  answerLarge(call, { ...last, jobs });
}

/** Sends what is found and the progress a few times a second; ends when nobody reads any more. */
async function tellPage(call: Call, query: JobQuery, limit: number, skip: number): Promise<void> {
  const { operations } = call.source.jobServer;
  const whole = call.permission.isForAll ? operations.countToSearch(query) : undefined;
  const stream = new EventStream(call.response, call.shared.bodies.budget, call.shared.traffic);
  const jobs: JobSnapshot[] = [];
  let last: Part = { jobs, scanned: 0 };
  let toldAt = performance.now();
  for await (const part of page(call, query, limit, skip)) {
    for (const job of part.jobs) jobs.push(job);
    last = part;
    if (performance.now() - toldAt < TELL_INTERVAL) continue;
    const { scanned } = part;
    stream.send('found', { jobs: jobs.splice(0), scanned, total: whole ?? scanned });
    await stream.keptUp();
    toldAt = performance.now();
  }
  if (stream.isOver) return;
  stream.send('end', { ...last, jobs, total: whole ?? last.scanned });
  stream.end();
}

async function cancelMany(call: Call): Promise<void> {
  requireConsent(call, 'admin');
  const { q, limit } = readChoice(await readJson(call.request, call.shared.bodies));
  const handles: ByteString[] = [];
  const giveBack = await searching(call);
  try {
    for await (const { jobs } of page(call, searchOf(call, q), limit, 0)) {
      for (const { handle } of jobs) handles.push(toByteString(handle));
    }
  } finally {
    giveBack();
  }
  const done = await doneTo(handles, call.gone, (handle) => call.source.jobServer.cancel(handle));
  audit(call, 'cancel', `jobs that match ${q === '' ? 'anything' : q}`, done);
  answerJson(call.response, 200, { matched: handles.length, done, failed: handles.length - done });
}

function readChoice(body: unknown): { q: string; limit: number } {
  const { q, limit = MAX_ACTED_ON } = (body ?? {}) as Record<string, unknown>;
  if (typeof q !== 'string') throw invalid('q', 'text; an empty one means all jobs');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_ACTED_ON) {
    throw invalid('limit', `a whole number from 1 to ${MAX_ACTED_ON}`);
  }
  return { q, limit: limit as number };
}
