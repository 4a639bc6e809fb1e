import { fromByteString, toByteString } from '../../protocol/index.js';
import type { DeadJob } from '../../driver/index.js';
import { audit, cursorOf, limitOf, type Call } from '../api/call.js';
import { reasonOf, Reasons } from '../api/reasons.js';
import { answerJson, answerLarge, answerNothing } from '../http/answers.js';
import { notFound, Problem } from '../problem.js';
import type { RemoteSource } from '../source.js';

type RemoteCall = Call<RemoteSource>;

/** The routes about dead letters that a job server elsewhere can answer, by method and template. */
export const REMOTE_DEAD_LETTER_RUNS: Readonly<Record<string, (call: RemoteCall) => Promise<void>>> = {
  'GET /v1/dead-letters': list,
  'GET /v1/dead-letters/reasons': reasons,
  'GET /v1/dead-letters/{handle}': show,
  'POST /v1/dead-letters/{handle}/replay': replay,
  'DELETE /v1/dead-letters/{handle}': purge,
};

async function list(call: RemoteCall): Promise<void> {
  const [limit, skip] = [limitOf(call, 1_000), cursorOf(call)];
  const found = await chosen(call);
  const next = skip + limit < found.length ? { next: String(skip + limit) } : {};
  const deadLetters = found.slice(skip, skip + limit).map((letter) => shown(call, letter));
  answerLarge(call, { deadLetters, ...next });
}

async function reasons(call: RemoteCall): Promise<void> {
  const found = new Reasons();
  for (const letter of await chosen(call)) found.add(shown(call, letter));
  answerLarge(call, { reasons: found.list(), total: found.total });
}

async function chosen({ query, permission, source }: RemoteCall): Promise<readonly DeadJob[]> {
  const [name, q, reason] = [query.get('function'), query.get('q'), query.get('reason')];
  const mayInspect = permission.may('inspect');
  if ((q !== null || reason) && !mayInspect) {
    throw new Problem(403, 'forbidden', 'Searching errors needs the role inspect.');
  }
  return (await source.admin.deadJobs()).filter((letter) => {
    const text = fromByteString(toByteString(letter.function));
    if (reason !== null && mayInspect && reasonOf(letter.error) !== reason) return false;
    return permission.covers(text) && (name ?? text) === text && letter.error.includes(q ?? '');
  });
}

function shown({ permission }: RemoteCall, letter: DeadJob) {
  const { handle, function: name, attempts, losses, error, diedAt } = letter;
  const text = fromByteString(toByteString(name));
  const why = permission.may('inspect') ? error : '';
  return { handle, function: text, unique: null, attempts, losses, error: why, diedAt };
}

async function known(call: RemoteCall): Promise<DeadJob> {
  const found = await call.source.admin.deadJob(call.params['handle']!);
  if (found && call.permission.covers(fromByteString(toByteString(found.function)))) return found;
  throw notFound(`dead letter ${call.params['handle']}`);
}

async function show(call: RemoteCall): Promise<void> {
  answerJson(call.response, 200, shown(call, await known(call)));
}

async function replay(call: RemoteCall): Promise<void> {
  const { handle } = await known(call);
  if (!(await call.source.admin.replayJob(handle))) {
    throw new Problem(409, 'unique-taken', `Another job has the unique of ${handle}.`);
  }
  audit(call, 'replay', { handle });
  answerNothing(call.response);
}

async function purge(call: RemoteCall): Promise<void> {
  const { handle } = await known(call);
  if (!(await call.source.admin.purgeJob(handle))) throw notFound(`dead letter ${handle}`);
  audit(call, 'purge', { handle });
  answerNothing(call.response);
}
