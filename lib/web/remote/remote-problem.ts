import { GearmanError, JobExceptionError, JobFailedError, ServerError } from '../../driver/index.js';
import { failedProblem } from '../api/foreground.js';
import { Problem } from '../problem.js';

/** The codes with which job servers answer a command that they do not know. */
const UNKNOWN_WORD = /^unknown_(command|show_arguments)$/i;

/** The codes for a connection that could not be made, or is lost. */
const AWAY = new Set<string>([
  'GEARMAN_NO_SERVER',
  'GEARMAN_CONNECT_FAILED',
  'GEARMAN_CONNECTION_LOST',
  'GEARMAN_CLOSED',
]);

/** The problem for an error from a job server elsewhere; undefined if it is no error of Gearman's. */
export function problemOfGearman(error: unknown): Problem | undefined {
  if (error instanceof JobExceptionError) return failedProblem(error.handle, error.functionName, error.bytes);
  if (error instanceof JobFailedError) return failedProblem(error.handle, error.functionName);
  if (error instanceof ServerError) return problemOfServer(error);
  if (!(error instanceof GearmanError)) return undefined;
  if (error.code === 'GEARMAN_INVALID_OPTION') return new Problem(400, 'invalid-request', error.message);
  if (error.code === 'GEARMAN_TIMEOUT') return new Problem(504, 'timeout', error.message);
  if (AWAY.has(error.code)) return new Problem(503, 'job-server-away', error.message, { 'Retry-After': '5' });
  return new Problem(502, 'job-server-unclear', error.message);
}

function problemOfServer({ serverCode, serverText, message }: ServerError): Problem {
  const code = serverCode.toUpperCase();
  if (UNKNOWN_WORD.test(serverCode)) return cannotTell(serverText);
  // gearmand says QUEUE_ERROR also if a queue is full.
  if (code === 'QUEUE_ERROR' || code === 'JOB_QUEUE_FULL' || code === 'SCHEDULE_REFUSED') {
    if (/full/i.test(serverText)) return new Problem(429, 'queue-full', message, { 'Retry-After': '1' });
    return new Problem(503, 'queue-error', message, { 'Retry-After': '5' });
  }
  if (code === 'SHUTTING_DOWN' || code === 'SHUTDOWN') {
    return new Problem(503, 'shutting-down', message, { 'Retry-After': '5' });
  }
  if (code === 'ACCESS_DENIED') return new Problem(403, 'access-denied', message);
  if (code === 'UNKNOWN_FUNCTION') return new Problem(404, 'not-found', message);
  return new Problem(400, code.toLowerCase().replaceAll('_', '-'), message);
}

/** The problem if this job server has no command for it, which is not the caller's fault. */
export function cannotTell(why: string): Problem {
  return new Problem(501, 'not-told', `This job server cannot do or tell this over Gearman: ${why}`);
}
