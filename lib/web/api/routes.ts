import { answerJson, answerLarge } from '../http/answers.js';
import { serverDetails } from '../live/server-details.js';
import { serverState } from '../live/server-state.js';
import { requireConsent, type Call } from './call.js';
import { DEAD_LETTER_ROUTES } from './dead-letter-routes.js';
import { EVENT_ROUTES } from './event-routes.js';
import { FUNCTION_ROUTES } from './function-routes.js';
import { HISTORY_ROUTES } from './history-routes.js';
import { JOB_ROUTES } from './job-routes.js';
import { JOB_TIMES_ROUTE } from './job-times.js';
import { me } from './me.js';
import { metrics } from './metrics.js';
import type { Route } from './route.js';
import { SCHEDULE_ROUTES } from './schedule-routes.js';
import { ANSWERS, json } from './schemas.js';
import { SEARCH_ROUTES } from './search-routes.js';
import { SUBMIT_ROUTES } from './submit-routes.js';
import { WORKER_ROUTES } from './worker-routes.js';

const OTHER_ROUTES: readonly Route[] = [
  {
    method: 'GET',
    template: '/v1/server',
    role: 'read',
    summary: 'The state of the job server',
    answers: { 200: json('The job server', ANSWERS.server) },
    run: server,
  },
  {
    method: 'GET',
    template: '/v1/me',
    role: 'read',
    summary: 'What the caller may do, and which job servers there are',
    answers: { 200: json('The caller', ANSWERS.me) },
    run: me,
  },
  {
    method: 'GET',
    template: '/v1/openapi.json',
    role: 'read',
    summary: 'This description',
    answers: { 200: json('OpenAPI 3.1', { type: 'object' }) },
    run: (call) => answerLarge(call, call.shared.description()),
  },
  {
    method: 'GET',
    template: '/metrics',
    role: 'read',
    summary: 'Metrics for Prometheus',
    answers: { 200: { description: 'Text', media: 'text/plain' } },
    run: metrics,
  },
];

/** All routes; the handler and openapi.json are made from this table. */
export const ROUTES: readonly Route[] = [
  ...SUBMIT_ROUTES,
  ...SEARCH_ROUTES,
  ...JOB_ROUTES,
  JOB_TIMES_ROUTE,
  ...FUNCTION_ROUTES,
  ...WORKER_ROUTES,
  ...HISTORY_ROUTES,
  ...EVENT_ROUTES,
  // Before the routes that have a parameter where these have a word.
  ...DEAD_LETTER_ROUTES,
  ...SCHEDULE_ROUTES,
  ...OTHER_ROUTES,
];

function server(call: Call): void {
  requireConsent(call, 'status');
  const { source, response, permission } = call;
  const { name, jobServer, live } = source;
  const { version, isEnding, storageTrouble, ...numbers } = serverState(jobServer, live.viewerCount);
  const trouble = storageTrouble === undefined ? {} : { storageTrouble };
  // The numbers of all functions together are not for a caller who may see only some.
  const more = permission.isForAll && { ...numbers, ...serverDetails(jobServer) };
  answerJson(response, 200, { name, version, isEnding, ...trouble, ...more });
}
