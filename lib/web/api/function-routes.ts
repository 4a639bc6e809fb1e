import { exactText, fromByteString } from '../../protocol/index.js';
import type { GearmanFunction } from '../../job-server/engine/index.js';
import { functionSnapshot } from '../../job-server/operations/index.js';
import { nameFields } from '../function-name.js';
import { answerJson, answerList, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { invalid, notFound, problemOfRefusal } from '../problem.js';
import { audit, functionOf, requireConsent, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, json, NOTHING, problem, ref } from './schemas.js';

export const FUNCTION_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/functions',
    role: 'read',
    summary: 'All functions',
    answers: { 200: json('All of them', ANSWERS.functions) },
    run: list,
  },
  {
    method: 'GET',
    template: '/v1/functions/{function}',
    role: 'read',
    summary: 'A function',
    answers: { 200: json('The function', ref('Function')), 404: problem('There is no such function') },
    run: show,
  },
  {
    method: 'POST',
    template: '/v1/functions/{function}/pause',
    role: 'operate',
    summary: 'Pauses a function: no worker gets its jobs',
    answers: { 204: NOTHING },
    run: pause,
  },
  {
    method: 'POST',
    template: '/v1/functions/{function}/resume',
    role: 'operate',
    summary: 'Resumes a function: workers get its jobs again',
    answers: { 204: NOTHING },
    run: resume,
  },
  {
    method: 'PUT',
    template: '/v1/functions/{function}/limits',
    role: 'operate',
    summary: 'Limits how many jobs may be queued when one is submitted, by priority; 0: no limit',
    body: ref('Limits'),
    answers: { 204: NOTHING },
    run: limit,
  },
  {
    method: 'DELETE',
    template: '/v1/functions/{function}/jobs',
    role: 'operate',
    summary: 'Cancels all jobs of a function that wait for a worker',
    answers: { 200: json('The number of cancelled jobs', ANSWERS.purged) },
    run: purge,
  },
];

async function list(call: Call): Promise<void> {
  requireConsent(call, 'status');
  await answerList(call, 'functions', permitted(call));
}

function* permitted({ source, permission }: Call): Iterable<object> {
  for (const function_ of source.jobServer.engine.functions) {
    if (permission.covers(fromByteString(function_.name))) yield described(function_);
  }
}

function described(function_: GearmanFunction): object {
  return { ...functionSnapshot(function_), ...nameFields(function_.name) };
}

function show(call: Call): void {
  const name = functionOf(call);
  requireConsent(call, 'status', name);
  const function_ = call.source.jobServer.engine.functions.find(name);
  if (!function_) throw notFound(`function ${fromByteString(name)}`);
  answerJson(call.response, 200, described(function_));
}

function pause(call: Call): void {
  const name = functionOf(call);
  requireConsent(call, 'admin', name);
  const refusal = call.source.jobServer.engine.pause(name);
  if (refusal) throw problemOfRefusal(refusal);
  audit(call, 'pause', { function: fromByteString(name) });
  answerNothing(call.response);
}

function resume(call: Call): void {
  const name = functionOf(call);
  requireConsent(call, 'admin', name);
  call.source.jobServer.engine.resume(name);
  audit(call, 'resume', { function: fromByteString(name) });
  answerNothing(call.response);
}

async function limit(call: Call): Promise<void> {
  const name = functionOf(call);
  requireConsent(call, 'admin', name);
  const limits = limitsOf(await readJson(call.request, call.shared.bodies));
  const { engine } = call.source.jobServer;
  const refusal = engine.createFunction(name) ?? engine.limitQueue(name, limits);
  if (refusal) throw problemOfRefusal(refusal);
  audit(call, 'limits', { function: fromByteString(name) });
  answerNothing(call.response);
}

/** Reads limits by priority from a body. @throws Problem */
export function limitsOf(body: unknown): [high: number, normal: number, low: number] {
  const given = body as Record<string, unknown> | null;
  const limits = [given?.['high'], given?.['normal'], given?.['low']];
  if (limits.every((value) => Number.isSafeInteger(value) && (value as number) >= 0)) {
    return limits as [number, number, number];
  }
  throw invalid('the body', '{ high, normal, low }, each a whole number from 0');
}

async function purge(call: Call): Promise<void> {
  const name = functionOf(call);
  requireConsent(call, 'admin', name);
  const purged = await call.source.jobServer.operations.purgeFunction(exactText(name));
  audit(call, 'purge', { function: fromByteString(name) }, purged);
  answerJson(call.response, 200, { purged });
}
