import { fromByteString, toByteString } from '../../protocol/index.js';
import { Refusal } from '../../job-server/engine/index.js';
import { InvalidOptionError } from '../../ground/index.js';
import type { ScheduleOptions, ScheduleSnapshot } from '../../job-server/schedules/index.js';
import { answerJson, answerList, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { notFound, Problem, problemOfRefusal } from '../problem.js';
import { audit, jobLocation, permittedFunction, requireConsent, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, json, NOTHING, problem, ref } from './schemas.js';

const UNKNOWN = { 404: problem('There is no such schedule') };
const DECLARED = { 409: problem('It is declared elsewhere, and changed there') };

export const SCHEDULE_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/schedules',
    role: 'read',
    summary: 'All schedules; their workloads only for the role inspect',
    answers: { 200: json('All of them, by their ids', ANSWERS.schedules) },
    run: list,
  },
  {
    method: 'GET',
    template: '/v1/schedules/{id}',
    role: 'read',
    summary: 'A recurring job',
    answers: { 200: json('The schedule', ref('Schedule')), ...UNKNOWN },
    run: (call) => answerJson(call.response, 200, shownSchedule(call, known(call, 'status'))),
  },
  {
    method: 'PUT',
    template: '/v1/schedules/{id}',
    role: 'operate',
    summary: 'Creates or replaces a schedule; it stays until it is deleted',
    body: ref('ScheduleOptions'),
    answers: {
      200: json('It was there', ref('Schedule')),
      201: json('It is new', ref('Schedule')),
      404: problem('A schedule with this id exists, for a function that the caller may not see'),
      ...DECLARED,
    },
    run: put,
  },
  {
    method: 'DELETE',
    template: '/v1/schedules/{id}',
    role: 'operate',
    summary: 'Deletes a schedule that was created here',
    answers: { 204: NOTHING, ...UNKNOWN, ...DECLARED },
    run: drop,
  },
  {
    method: 'POST',
    template: '/v1/schedules/{id}/pause',
    role: 'operate',
    summary: 'Pauses a schedule: none of its ticks fires',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: pause,
  },
  {
    method: 'POST',
    template: '/v1/schedules/{id}/resume',
    role: 'operate',
    summary: 'Resumes a schedule; ticks that passed during the pause do not count as missed',
    answers: { 204: NOTHING, ...UNKNOWN },
    run: resume,
  },
  {
    method: 'POST',
    template: '/v1/schedules/{id}/run',
    role: 'operate',
    summary: 'Submits the job of a schedule now, in addition to its ticks',
    answers: { 202: json('The job', ANSWERS.scheduled), 429: problem('The queue is full'), ...UNKNOWN },
    run,
  },
];

async function list(call: Call): Promise<void> {
  requireConsent(call, 'status');
  await answerList(call, 'schedules', [...permitted(call)]);
}

function* permitted(call: Call): Iterable<object> {
  for (const snapshot of call.source.jobServer.schedules.list()) {
    if (call.permission.covers(snapshot.options.function)) yield shownSchedule(call, snapshot);
  }
}

/** A schedule for the caller: its jobs' workload is only for callers who may see workloads. */
export function shownSchedule(
  { permission }: Pick<Call, 'permission'>,
  { lastTick, nextTick, options, ...rest }: ScheduleSnapshot,
): object {
  const { workload, ...others } = options;
  return {
    ...rest,
    ...(Number.isFinite(lastTick) && { lastTick: new Date(lastTick) }),
    ...(nextTick !== undefined && { nextTick: new Date(nextTick) }),
    options: { ...others, ...(workload !== undefined && permission.may('inspect') && { workload }) },
  };
}

async function put(call: Call): Promise<void> {
  const { schedules } = call.source.jobServer;
  const id = idOf(call);
  const options = (await readJson(call.request, call.shared.bodies)) as ScheduleOptions | null;
  const before = schedules.find(id);
  if (before) {
    known(call, 'admin');
    requirePut(before);
  }
  const name: unknown = options?.function;
  if (typeof name === 'string') requireMaySubmit(call, name);
  requireConsent(call, 'admin');
  change(() => schedules.put(id, options!));
  audit(call, 'put', `schedule ${id}`);
  answerJson(call.response, before ? 200 : 201, shownSchedule(call, schedules.find(id)!));
}

function drop(call: Call): void {
  const { id } = requirePut(known(call, 'admin'));
  change(() => call.source.jobServer.schedules.drop(id));
  audit(call, 'drop', `schedule ${id}`);
  answerNothing(call.response);
}

function pause(call: Call): void {
  const { id } = known(call, 'admin');
  change(() => call.source.jobServer.schedules.pause(id));
  audit(call, 'pause', `schedule ${id}`);
  answerNothing(call.response);
}

function resume(call: Call): void {
  const { id, options } = known(call, 'admin');
  requireMaySubmit(call, options.function);
  change(() => call.source.jobServer.schedules.resume(id));
  audit(call, 'resume', `schedule ${id}`);
  answerNothing(call.response);
}

async function run(call: Call): Promise<void> {
  const { id, options } = known(call, 'admin');
  requireMaySubmit(call, options.function);
  const bytes = await call.source.jobServer.schedules.run(id).catch(refuse);
  if (bytes === undefined) throw notFound(`schedule ${id}`);
  const handle = fromByteString(bytes);
  audit(call, 'run', `schedule ${id}`);
  answerJson(call.response, 202, { handle }, jobLocation(call, handle));
}

function idOf({ params }: Call): string {
  return params['id']!;
}

/** The schedule that a call is about; one of a function that the caller may not see is treated like one that never existed. @throws Problem */
function known(call: Call, action: 'status' | 'admin'): ScheduleSnapshot {
  const id = idOf(call);
  const found = call.source.jobServer.schedules.find(id);
  if (!found || !call.permission.covers(found.options.function)) throw notFound(`schedule ${id}`);
  requireConsent(call, action);
  return found;
}

/** A call that makes jobs needs the same permission as submitting them. @throws Problem */
function requireMaySubmit(call: Call, name: string): void {
  requireConsent(call, 'submit', permittedFunction(call, toByteString(name)));
}

/** @throws Problem for a schedule that is declared elsewhere. */
export function requirePut(snapshot: ScheduleSnapshot): ScheduleSnapshot {
  if (snapshot.source === 'put') return snapshot;
  const { id, source } = snapshot;
  throw new Problem(409, 'declared-elsewhere', `The schedule ${id} is declared by ${source}: change it there.`);
}

function change(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    refuse(error as Error);
  }
}

/** @throws Problem with what is wrong, and a status that says whose fault it is. */
function refuse(error: Error): never {
  if (error instanceof InvalidOptionError) throw new Problem(400, 'invalid-schedule', error.message);
  if (error.cause instanceof Refusal) throw problemOfRefusal(error.cause);
  if (String((error as NodeJS.ErrnoException).code).startsWith('GEARMAN_STORAGE_')) {
    throw new Problem(503, 'storage-error', error.message, { 'Retry-After': '5' });
  }
  throw error;
}
