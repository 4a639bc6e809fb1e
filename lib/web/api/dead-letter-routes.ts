import { toByteString, type ByteString } from '../../protocol/index.js';
import { deadLetterSnapshot, type DeadLetterSnapshot } from '../../job-server/snapshots.js';
import { answerJson, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { invalid, notFound, Problem } from '../problem.js';
import { audit, cursorOf, limitOf, requireConsent, requireKnown, searching, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, DEAD_LETTER_CHOICE, json, NOTHING, problem, ref } from './schemas.js';

/** The most dead letters of a page. */
const MAX_PAGE = 1_000;

/** The most that one call replays or purges: their handles are in memory meanwhile. */
const MAX_ACTED_ON = 100_000;

const UNKNOWN = { 404: problem('There is no such dead letter') };

export const DEAD_LETTER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/dead-letters',
    role: 'read',
    summary: 'Background jobs that failed for good, longest dead first; why only for the role inspect',
    query: {
      function: 'only of this function',
      q: 'text in the error',
      cursor: 'the next of the page before',
      limit: `the most, to ${MAX_PAGE}; default 100`,
    },
    answers: { 200: json('A page', ANSWERS.deadLetters) },
    run: list,
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
    summary: `Lets all that are meant wait again, at most ${MAX_ACTED_ON} at once`,
    body: DEAD_LETTER_CHOICE,
    answers: { 200: json('How many', ANSWERS.done) },
    run: (call) => actOnMany(call, 'replay'),
  },
  {
    method: 'POST',
    template: '/v1/dead-letters/purge',
    role: 'operate',
    summary: `Deletes all that are meant, at most ${MAX_ACTED_ON} at once`,
    body: DEAD_LETTER_CHOICE,
    answers: { 200: json('How many', ANSWERS.done) },
    run: (call) => actOnMany(call, 'purge'),
  },
  {
    method: 'POST',
    template: '/v1/dead-letters/{handle}/replay',
    role: 'operate',
    summary: 'Lets a dead letter wait again',
    answers: { 204: NOTHING, 409: problem('Its unique is taken by another job'), ...UNKNOWN },
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
}

async function list(call: Call): Promise<void> {
  requireConsent(call, 'status');
  const choice = { function: call.query.get('function') ?? undefined, q: call.query.get('q') ?? undefined };
  const [limit, skip] = [limitOf(call, MAX_PAGE), cursorOf(call)];
  const giveBack = await searching(call);
  try {
    const deadLetters: DeadLetterSnapshot[] = [];
    let position = 0;
    for await (const letter of chosen(call, choice)) {
      if (position++ < skip) continue;
      if (deadLetters.length === limit) {
        return answerJson(call.response, 200, { deadLetters, next: String(position - 1) });
      }
      deadLetters.push(shown(call, letter));
    }
    answerJson(call.response, 200, { deadLetters });
  } finally {
    giveBack();
  }
}

/** Why a job failed often tells what was in it. */
function shown({ permission }: Call, letter: DeadLetterSnapshot): DeadLetterSnapshot {
  return permission.may('inspect') ? letter : { ...letter, error: '' };
}

async function* chosen({ source, permission, gone }: Call, choice: Choice): AsyncGenerator<DeadLetterSnapshot, void> {
  const { function: name, q } = choice;
  if (q !== undefined && !permission.may('inspect')) {
    throw new Problem(403, 'forbidden', 'Searching errors needs the role inspect.');
  }
  for await (const page of source.jobServer.deadLetters?.lines() ?? []) {
    if (gone.aborted) return;
    for (const line of page) {
      const letter = deadLetterSnapshot(line);
      if (name !== undefined && letter.function !== name) continue;
      if (q !== undefined && !letter.error.includes(q)) continue;
      if (permission.covers(letter.function)) yield letter;
    }
  }
}

async function known(call: Call): Promise<DeadLetterSnapshot> {
  const { deadLetters } = call.source.jobServer;
  const found = await deadLetters?.find(toByteString(call.params['handle']!));
  if (!found) throw notFound(`dead letter ${call.params['handle']}`);
  return requireKnown(call, deadLetterSnapshot(found));
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

async function actOnMany(call: Call, action: 'replay' | 'purge'): Promise<void> {
  requireConsent(call, 'admin');
  const { limit, ...choice } = readChoice(await readJson(call.request, call.shared.bodies));
  const handles: ByteString[] = [];
  for await (const { handle } of chosen(call, choice)) {
    if (handles.length === limit) break;
    handles.push(toByteString(handle));
  }
  let done = 0;
  for (const handle of handles) {
    if (call.gone.aborted) break;
    if (await call.source.jobServer.deadLetters?.[action](handle)) done++;
  }
  audit(call, action, `dead letters of ${choice.function ?? 'all functions'}`, done);
  answerJson(call.response, 200, { matched: handles.length, done, failed: handles.length - done });
}

function readChoice(body: unknown): Choice & { limit: number } {
  const { function: name, q, limit = MAX_ACTED_ON } = (body ?? {}) as Record<string, unknown>;
  if (name !== undefined && typeof name !== 'string') throw invalid('function', 'text');
  if (q !== undefined && typeof q !== 'string') throw invalid('q', 'text');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1 || (limit as number) > MAX_ACTED_ON) {
    throw invalid('limit', `a whole number from 1 to ${MAX_ACTED_ON}`);
  }
  return { function: name, q, limit: limit as number };
}
