import { toByteString, type ByteString } from '../../protocol/index.js';
import { deadLetterSnapshot, type DeadLetterSnapshot } from '../../job-server/operations/index.js';
import { answerJson, answerLarge, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { whenClosed } from '../http/connections.js';
import { EventStream } from '../http/event-stream.js';
import { peerAddress } from '../http/peer-address.js';
import { invalid, notFound, Problem, problemOf } from '../problem.js';
import { audit, cursorOf, limitOf, requireConsent, searching, wantsEvents, type Call } from './call.js';
import { MAX_REASONS, reasonOf, Reasons } from './reasons.js';
import type { Route, RouteAnswer } from './route.js';
import { ANSWERS, DEAD_LETTER_CHOICE, json, NOTHING, problem, ref } from './schemas.js';

/** How many dead letters a page has at most. */
const MAX_PAGE = 1_000;

/** How many dead letters one call replays or purges at most: their handles are in memory in the meantime. */
const MAX_ACTED_ON = 100_000;

/** How many of them are replayed or purged at once: each may have the largest workload in memory. */
const AT_ONCE = 16;

/** How many were done; also while it goes on, if the caller accepts events. */
const DONE: RouteAnswer = {
  description: 'The count; or, as server-sent events if the request accepts them, `progress`, then `done` or `fail`',
  schema: ANSWERS.done,
  media: ['application/json', 'text/event-stream'],
};

const UNKNOWN = { 404: problem('There is no such dead letter') };

export const DEAD_LETTER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/dead-letters',
    role: 'read',
    summary: 'Background jobs that failed for good, the oldest death first; errors only for the role inspect',
    query: {
      function: 'only of this function',
      q: 'text in the error',
      reason: 'only those with this reason, as /v1/dead-letters/reasons gives it',
      cursor: '`next` of the previous page',
      limit: `the maximum number, up to ${MAX_PAGE}; default 100`,
    },
    answers: { 200: json('A page', ANSWERS.deadLetters) },
    run: list,
  },
  {
    method: 'GET',
    template: '/v1/dead-letters/reasons',
    role: 'read',
    summary: `Counts dead letters by function and reason (the error without numbers and ids), at most ${MAX_REASONS} reasons`,
    query: { function: 'only of this function', q: 'text in the error' },
    answers: { 200: json('The most frequent reasons first; `total` counts all dead letters', ANSWERS.reasons) },
    run: reasons,
  },
  {
    method: 'GET',
    template: '/v1/dead-letters/{handle}',
    role: 'read',
    summary: 'A dead letter',
    answers: { 200: json('The dead letter', ref('DeadLetter')), ...UNKNOWN },
    run: show,
  },
  {
    method: 'POST',
    template: '/v1/dead-letters/replay',
    role: 'operate',
    summary: `Replays all dead letters that match, at most ${MAX_ACTED_ON} at once`,
    body: DEAD_LETTER_CHOICE,
    answers: { 200: DONE },
    run: (call) => actOnMany(call, 'replay'),
  },
  {
    method: 'POST',
    template: '/v1/dead-letters/purge',
    role: 'operate',
    summary: `Deletes all dead letters that match, at most ${MAX_ACTED_ON} at once`,
    body: DEAD_LETTER_CHOICE,
    answers: { 200: DONE },
    run: (call) => actOnMany(call, 'purge'),
  },
  {
    method: 'POST',
    template: '/v1/dead-letters/{handle}/replay',
    role: 'operate',
    summary: 'Replays a dead letter: its job waits for a worker again',
    answers: { 204: NOTHING, 409: problem('Another job has its unique'), ...UNKNOWN },
    run: replayOne,
  },
  {
    method: 'DELETE',
    template: '/v1/dead-letters/{handle}',
    role: 'operate',
    summary: 'Deletes a dead letter',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: purgeOne,
  },
];

interface Choice {
  readonly function?: string | undefined;
  readonly q?: string | undefined;
  readonly reason?: string | undefined;
}

function choiceOf({ query }: Call): Choice {
  const named = (name: string): string | undefined => query.get(name) ?? undefined;
  return { function: named('function'), q: named('q'), reason: named('reason') };
}

async function list(call: Call): Promise<void> {
  requireConsent(call, 'status');
  const choice = choiceOf(call);
  const [limit, skip] = [limitOf(call, MAX_PAGE), cursorOf(call)];
  const giveBack = await searching(call);
  try {
    const deadLetters: DeadLetterSnapshot[] = [];
    let position = 0;
    for await (const letter of chosen(call, choice)) {
      if (position++ < skip) continue;
      if (deadLetters.length === limit) {
        return answerLarge(call, { deadLetters, next: String(position - 1) });
      }
      deadLetters.push(shown(call, letter));
    }
    answerLarge(call, { deadLetters });
  } finally {
    giveBack();
  }
}

async function reasons(call: Call): Promise<void> {
  requireConsent(call, 'status');
  const found = new Reasons();
  const giveBack = await searching(call);
  try {
    for await (const letter of chosen(call, choiceOf(call))) found.add(shown(call, letter));
  } finally {
    giveBack();
  }
  answerLarge(call, { reasons: found.list(), total: found.total });
}

/** Hides why a job failed from callers who may not see workloads, because the reason often contains some of the workload. */
function shown({ permission }: Call, letter: DeadLetterSnapshot): DeadLetterSnapshot {
  return permission.may('inspect') ? letter : { ...letter, error: '' };
}

async function* chosen({ source, permission, gone }: Call, choice: Choice): AsyncGenerator<DeadLetterSnapshot, void> {
  const { function: name, q, reason } = choice;
  // For callers with the role `read` all reasons are the same empty text.
  if ((q !== undefined || reason) && !permission.may('inspect')) {
    throw new Problem(403, 'forbidden', 'Searching errors needs the role inspect.');
  }
  for await (const page of source.jobServer.deadLetters?.lines() ?? []) {
    // Results that are in memory come without a turn of the event loop, so others get one here.
    await new Promise(setImmediate);
    if (gone.aborted) return;
    for (const line of page) {
      const letter = deadLetterSnapshot(line);
      if (name !== undefined && letter.function !== name) continue;
      if (q !== undefined && !letter.error.includes(q)) continue;
      if (reason !== undefined && permission.may('inspect') && reasonOf(letter.error) !== reason) continue;
      if (permission.covers(letter.function)) yield letter;
    }
  }
}

async function known(call: Call): Promise<DeadLetterSnapshot> {
  const { deadLetters } = call.source.jobServer;
  const found = await deadLetters?.find(toByteString(call.params['handle']!));
  const letter = found && deadLetterSnapshot(found);
  if (letter && call.permission.covers(letter.function)) return letter;
  throw notFound(`dead letter ${call.params['handle']}`);
}

async function show(call: Call): Promise<void> {
  const letter = await known(call);
  requireConsent(call, 'status', toByteString(letter.function));
  answerJson(call.response, 200, shown(call, letter));
}

async function replayOne(call: Call): Promise<void> {
  const { handle, function: name } = await known(call);
  requireConsent(call, 'admin', toByteString(name));
  if (!(await call.source.jobServer.deadLetters?.replay(toByteString(handle)))) {
    throw new Problem(409, 'unique-taken', `Another job has the unique of ${handle}.`);
  }
  audit(call, 'replay', { handle });
  answerNothing(call.response);
}

async function purgeOne(call: Call): Promise<void> {
  const { handle, function: name } = await known(call);
  requireConsent(call, 'admin', toByteString(name));
  if (!(await call.source.jobServer.deadLetters?.purge(toByteString(handle)))) throw notFound(`dead letter ${handle}`);
  audit(call, 'purge', { handle });
  answerNothing(call.response);
}

/** How many of all chosen letters are done. */
interface Progress {
  readonly matched: number;
  done: number;
  failed: number;
}

async function actOnMany(call: Call, action: 'replay' | 'purge'): Promise<void> {
  requireConsent(call, 'admin');
  const { limit, ...choice } = readChoice(await readJson(call.request, call.shared.bodies));
  const handles = await handlesOf(call, choice, limit);
  const progress: Progress = { matched: handles.length, done: 0, failed: 0 };
  const isStream = wantsEvents(call);
  try {
    await (isStream ? actAsEvents : act)(call, action, handles, progress);
  } finally {
    audit(call, action, `dead letters of ${choice.function ?? 'all functions'}`, progress.done);
  }
  if (!isStream) answerJson(call.response, 200, progress);
}

/** The chosen letters' handles, fixed before the first is acted on: a job that dies again in the meantime is not acted on twice. */
async function handlesOf(call: Call, choice: Choice, limit: number): Promise<ByteString[]> {
  const giveBack = await searching(call);
  try {
    const handles: ByteString[] = [];
    for await (const { handle } of chosen(call, choice)) {
      if (handles.length === limit) break;
      handles.push(toByteString(handle));
    }
    return handles;
  } finally {
    giveBack();
  }
}

/** Acts on a few at once, which share writes to the disk, then gives others a turn; ends when the caller leaves. */
async function act(
  { source, gone }: Call,
  action: 'replay' | 'purge',
  handles: readonly ByteString[],
  progress: Progress,
  tell: () => void = () => undefined,
): Promise<void> {
  for (let at = 0; at < handles.length && !gone.aborted; at += AT_ONCE) {
    const some = handles.slice(at, at + AT_ONCE);
    const acted = await Promise.all(some.map(async (handle) => source.jobServer.deadLetters?.[action](handle)));
    const done = acted.filter(Boolean).length;
    progress.done += done;
    progress.failed += some.length - done;
    tell();
    await new Promise(setImmediate);
  }
}

async function actAsEvents(
  call: Call,
  action: 'replay' | 'purge',
  handles: readonly ByteString[],
  progress: Progress,
): Promise<void> {
  whenClosed(call.response, call.shared.streams.borrow());
  const stream = new EventStream(call.response, call.shared.bodies.budget, call.shared.traffic);
  const tell = (): void => void (stream.isSlow || stream.send('progress', progress));
  try {
    await act(call, action, handles, progress, tell);
    stream.send('done', progress);
  } catch (error) {
    stream.send('fail', problemOf(error, call.shared.log, { peer: peerAddress(call.request) }));
  }
  stream.end();
}

function readChoice(body: unknown): Choice & { limit: number } {
  const { function: name, q, reason, limit = MAX_ACTED_ON } = (body ?? {}) as Record<string, unknown>;
  if (reason !== undefined && typeof reason !== 'string') throw invalid('reason', 'text');
  if (name !== undefined && typeof name !== 'string') throw invalid('function', 'text');
  if (q !== undefined && typeof q !== 'string') throw invalid('q', 'text');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_ACTED_ON) {
    throw invalid('limit', `a whole number from 1 to ${MAX_ACTED_ON}`);
  }
  return { function: name, q, reason, limit: limit as number };
}
