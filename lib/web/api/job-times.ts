import { fromByteString, toByteString } from '../../protocol/index.js';
import type { RecentRun } from '../../job-server/history/index.js';
import { answerJson } from '../http/answers.js';
import { bytesAsJson } from '../http/event-stream.js';
import { requireConsent, type Call } from './call.js';
import type { Route } from './route.js';
import { ANSWERS, json } from './schemas.js';

export const JOB_TIMES_ROUTE: Route = {
  method: 'GET',
  template: '/v1/jobs/{handle}/times',
  role: 'read',
  summary:
    'When a job was accepted, if that is known, and those of its finished runs that are remembered, ' +
    'oldest first; errors only for the role inspect',
  answers: { 200: json('They', ANSWERS.times) },
  run: times,
};

/** The times of a job, also of a dead letter, and of a job that is over: then only its runs. */
async function times(call: Call): Promise<void> {
  const handle = call.params['handle']!;
  const { permission, response } = call;
  const { engine, storedJobs, history } = call.source.jobServer;
  const bytes = toByteString(handle);
  const record = await storedJobs?.recordOf(bytes);
  const name = engine.find(bytes)?.function_.name ?? record?.function;
  // A job that the caller may not see is treated like one that never existed.
  const isKnown = name !== undefined && permission.covers(fromByteString(name));
  requireConsent(call, 'status', isKnown ? name : undefined);
  const runs = history.recent.runsOf(handle, (of) => permission.covers(of));
  const mayInspect = permission.may('inspect');
  answerJson(response, 200, {
    ...(isKnown && record?.acceptedAt !== undefined && { acceptedAt: new Date(record.acceptedAt) }),
    runs: runs.map((run) => described(run, mayInspect)),
  });
}

function described({ error, ...run }: RecentRun, mayInspect: boolean): object {
  return mayInspect && error.length > 0 ? { ...run, error: bytesAsJson(error) } : run;
}
