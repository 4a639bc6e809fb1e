import { toByteString } from '../../protocol/index.js';
import type { JobSpec, Workload } from '../../job-server/engine/index.js';
import { answerBytes, answerJson, bufferOf } from '../http/answers.js';
import { readBody, readJson } from '../http/body.js';
import { EventStream } from '../http/event-stream.js';
import { peerAddress } from '../http/peer-address.js';
import { invalid, Problem, problemOf } from '../problem.js';
import {
  bytesOfBase64,
  functionOf,
  jobLocation,
  nameOfBase64,
  numberOf,
  permittedFunction,
  requireConsent,
  wantsEvents,
  type AnyCall,
} from './call.js';
import type { Route } from './route.js';
import { ANSWERS, BATCH, json, problem, ref } from './schemas.js';
import type { RunListener, Submitter } from '../source.js';
import { specOf, type Wishes } from './submission.js';

/** How many jobs a batch may have, and how many bytes of JSON. */
const MAX_BATCH = 1_000;
const MAX_BATCH_BYTES = 8_388_608;

/** How long a caller may wait at most, in seconds. */
const MAX_WAIT = 86_400;

const WISHES = {
  priority: 'high, normal (default) or low',
  unique: 'jobs of a function with the same unique are one job; default: the header Idempotency-Key',
  reducer: 'the reducer',
};
const TIMES = { at: 'when: ISO 8601, or seconds since 1970', delay: 'in how many seconds' };

const REFUSED = { 429: problem('The queue of the function is full') };

export const SUBMIT_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    template: '/v1/functions/{function}/jobs',
    role: 'submit',
    summary: 'Submits a background job; the body is its workload',
    query: { ...WISHES, ...TIMES },
    body: 'bytes',
    answers: { 202: json('Accepted; and on disk, if the job server has a storage', ref('Submitted')), ...REFUSED },
    run: submitOne,
  },
  {
    method: 'POST',
    template: '/v1/functions/{function}/run',
    role: 'submit',
    summary: 'Submits a foreground job and waits for its result; a caller that disconnects abandons it',
    query: { ...WISHES, timeout: 'how long to wait, in seconds; default: as long as it takes' },
    body: 'bytes',
    answers: {
      200: {
        description: 'The result; or the events of the job as server-sent events, if the request accepts them',
        media: ['application/octet-stream', 'text/event-stream'],
      },
      422: problem('The job failed'),
      504: problem('It took too long'),
      ...REFUSED,
    },
    run: runOne,
  },
  {
    method: 'POST',
    template: '/v1/jobs',
    role: 'submit',
    summary: `Submits up to ${MAX_BATCH} background jobs, of ${MAX_BATCH_BYTES} bytes of JSON at most`,
    body: BATCH,
    answers: { 202: json('One outcome for each job, in the order of the request', ANSWERS.outcomes) },
    run: submitMany,
  },
];

export async function submitOne(call: AnyCall): Promise<void> {
  const name = functionOf(call);
  requireConsent(call, 'submit', name);
  const wishes = wishesOf(call);
  specOf(name, '', wishes, true);
  const workload = kept(await readBody(call.request, call.shared.bodies));
  const { handle, coalesced } = await accept(call, specOf(name, workload, wishes, true));
  answerJson(call.response, 202, { handle, coalesced }, jobLocation(call, handle));
}

export async function submitMany(call: AnyCall): Promise<void> {
  const body = (await readJson(call.request, call.shared.bodies, MAX_BATCH_BYTES)) as { jobs?: unknown };
  const jobs = body?.jobs;
  if (!Array.isArray(jobs) || jobs.length > MAX_BATCH) throw invalid('jobs', `a list of at most ${MAX_BATCH} jobs`);
  // The answer has an outcome for each job, whatever happened to the others.
  const about = { peer: peerAddress(call.request) };
  const outcomes = jobs.map((line) =>
    acceptLine(call, line).catch((error: unknown) => {
      const name = (line as { function?: unknown } | null)?.function;
      return problemOf(error, call.shared.log, { ...about, ...(typeof name === 'string' && { function: name }) });
    }),
  );
  answerJson(call.response, 202, { jobs: await Promise.all(outcomes) });
}

async function acceptLine(call: AnyCall, line: unknown): Promise<object> {
  if (typeof line !== 'object' || line === null) throw invalid('jobs', 'objects');
  const fields = line as Record<string, unknown>;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number' && (name === 'at' || name === 'delay')) return String(value);
    throw invalid(name, 'text');
  };
  const encoded = text('function64');
  const name = encoded === undefined ? toByteString(text('function') ?? '') : nameOfBase64(encoded, 'function64');
  permittedFunction(call, name);
  requireConsent(call, 'submit', name);
  const [priority, unique, at, delay, reducer] = ['priority', 'unique', 'at', 'delay', 'reducer'].map(text);
  return accept(call, specOf(name, workloadOf(fields, text), { priority, unique, at, delay, reducer }, true));
}

function accept({ request, shared, source }: AnyCall, spec: JobSpec): ReturnType<Submitter['accept']> {
  return shared.traces.around(request, spec, (traced) => source.submitter.accept(traced));
}

function run({ request, shared, source, gone }: AnyCall, spec: JobSpec, timeout: number, listener: RunListener) {
  return shared.traces.around(request, spec, (traced) => source.submitter.run(traced, timeout, listener, gone));
}

function workloadOf(fields: Record<string, unknown>, text: (name: string) => string | undefined): Workload {
  const given = ['json', 'text', 'base64'].filter((name) => fields[name] !== undefined);
  if (given.length > 1) throw invalid(given.join(' and '), 'given one without the other');
  if (fields['json'] !== undefined) return toByteString(jsonOf(fields['json']));
  const encoded = text('base64');
  if (encoded !== undefined) return kept(bytesOfBase64(encoded, 'base64'));
  return toByteString(text('text') ?? '');
}

/** A value as JSON text; a parsed text may be nested too deeply to be written again. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw invalid('json', 'nested less deeply');
    throw error;
  }
}

export async function runOne(call: AnyCall): Promise<void> {
  const name = functionOf(call);
  requireConsent(call, 'submit', name);
  const timeout = numberOf(call, 'timeout', 0, MAX_WAIT, 0);
  const wishes = wishesOf(call);
  specOf(name, '', wishes, false);
  const isStream = wantsEvents(call);
  const giveBack = isStream ? call.shared.streams.borrow() : undefined;
  try {
    const workload = kept(await readBody(call.request, call.shared.bodies));
    const spec = specOf(name, workload, wishes, false);
    await (isStream ? runAsEvents(call, spec, timeout) : runForResult(call, spec, timeout));
  } finally {
    giveBack?.();
  }
}

async function runForResult(call: AnyCall, spec: JobSpec, timeout: number): Promise<void> {
  const parts: Buffer[] = [];
  let size = 0;
  const { bodies } = call.shared;
  try {
    const result = await run(call, spec, timeout, {
      data: (bytes) => {
        bodies.budget.borrow(bytes.length);
        size += bytes.length;
        parts.push(Buffer.from(bytes));
      },
    });
    // As in Gearman's clients: the parts that were sent as data come before the result.
    const whole = parts.length === 0 ? result.bytes : Buffer.concat([...parts, bufferOf(result.bytes)]);
    answerBytes(call.response, whole, bodies.budget, { 'Gearman-Handle': encodeURIComponent(result.handle) });
  } finally {
    bodies.budget.giveBack(size);
  }
}

async function runAsEvents(call: AnyCall, spec: JobSpec, timeout: number): Promise<void> {
  let stream: EventStream | undefined;
  try {
    const { handle, bytes } = await run(call, spec, timeout, {
      created: (created) => {
        stream = new EventStream(call.response, call.shared.bodies.budget, call.shared.traffic);
        stream.send('created', { handle: created });
      },
      data: (data) => stream?.sendBytes('data', data),
      warning: (data) => stream?.sendBytes('warning', data),
      status: (numerator, denominator) => stream?.send('status', { numerator, denominator }),
    });
    stream?.sendBytes('complete', bufferOf(bytes), { handle });
  } catch (error) {
    if (!stream || !(error instanceof Problem)) throw error;
    stream.send('fail', error);
  }
  stream?.end();
}

function wishesOf({ query, request }: AnyCall): Wishes {
  const of = (name: string): string | undefined => query.get(name) ?? undefined;
  const key = request.headers['idempotency-key'];
  const unique = of('unique') ?? (typeof key === 'string' ? key : undefined);
  return { priority: of('priority'), unique, at: of('at'), delay: of('delay'), reducer: of('reducer') };
}

/** A workload in the form that costs the engine least: small ones as byte strings. */
function kept(bytes: Buffer): Workload {
  return bytes.length <= 1_024 ? bytes.toString('latin1') : bytes;
}
