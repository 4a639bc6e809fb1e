import { toByteString } from '../../protocol/index.js';
import type { ScheduleStatus } from '../../driver/index.js';
import type { ScheduleOptions, ScheduleSnapshot } from '../../job-server/schedules/index.js';
import { audit, jobLocation, permittedFunction, type Call } from '../api/call.js';
import { requirePut, shownSchedule } from '../api/schedule-routes.js';
import { answerJson, answerList, answerNothing } from '../http/answers.js';
import { readJson } from '../http/body.js';
import { notFound } from '../problem.js';
import type { RemoteSource } from '../source.js';

type RemoteCall = Call<RemoteSource>;

/** The routes about schedules that a job server elsewhere can answer, by method and template. */
export const REMOTE_SCHEDULE_RUNS: Readonly<Record<string, (call: RemoteCall) => Promise<void>>> = {
  'GET /v1/schedules': list,
  'GET /v1/schedules/{id}': async (call) => answerJson(call.response, 200, shownSchedule(call, await known(call))),
  'PUT /v1/schedules/{id}': put,
  'DELETE /v1/schedules/{id}': (call) => change(call, 'drop', (id) => call.source.admin.dropSchedule(id)),
  'POST /v1/schedules/{id}/pause': (call) => change(call, 'pause', (id) => call.source.admin.pauseSchedule(id)),
  'POST /v1/schedules/{id}/resume': (call) => change(call, 'resume', (id) => call.source.admin.resumeSchedule(id)),
  'POST /v1/schedules/{id}/run': run,
};

async function list(call: RemoteCall): Promise<void> {
  const schedules = (await permitted(call)).map((snapshot) => shownSchedule(call, snapshot));
  await answerList(call, 'schedules', schedules);
}

async function permitted({ source, permission }: RemoteCall): Promise<ScheduleSnapshot[]> {
  const schedules = (await source.admin.schedules()).map(snapshotOf);
  return schedules.filter(({ options }) => permission.covers(options.function));
}

/** A schedule in the form of a job server of this process. */
function snapshotOf({ lastTick, nextTick, options, ...rest }: ScheduleStatus): ScheduleSnapshot {
  // A schedule without a last tick comes with the year 1970.
  const times = { lastTick: lastTick.getTime() || NaN, nextTick: nextTick?.getTime() };
  return { ...rest, ...times, options: options as ScheduleOptions } as ScheduleSnapshot;
}

async function find(call: RemoteCall): Promise<ScheduleSnapshot | undefined> {
  return (await call.source.admin.schedules()).map(snapshotOf).find(({ id }) => id === call.params['id']);
}

/** The schedule that a call is about; one of a function that the caller may not see is treated like one that never existed. @throws Problem */
async function known(call: RemoteCall): Promise<ScheduleSnapshot> {
  const found = await find(call);
  if (!found || !call.permission.covers(found.options.function)) throw notFound(`schedule ${call.params['id']}`);
  return found;
}

async function put(call: RemoteCall): Promise<void> {
  const id = call.params['id']!;
  const options = (await readJson(call.request, call.shared.bodies)) as ScheduleOptions;
  const before = await find(call);
  if (before) requirePut(await known(call));
  const name: unknown = options?.function;
  if (typeof name === 'string') permittedFunction(call, toByteString(name));
  await call.source.admin.putSchedule(id, options);
  audit(call, 'put', `schedule ${id}`);
  answerJson(call.response, before ? 200 : 201, shownSchedule(call, await known(call)));
}

async function change(call: RemoteCall, action: string, act: (id: string) => Promise<boolean>): Promise<void> {
  const found = await known(call);
  if (action === 'drop') requirePut(found);
  if (!(await act(found.id))) throw notFound(`schedule ${found.id}`);
  audit(call, action, `schedule ${found.id}`);
  answerNothing(call.response);
}

async function run(call: RemoteCall): Promise<void> {
  const { id } = await known(call);
  const handle = await call.source.admin.runSchedule(id);
  if (handle === undefined) throw notFound(`schedule ${id}`);
  audit(call, 'run', `schedule ${id}`);
  answerJson(call.response, 202, { handle }, jobLocation(call, handle));
}
