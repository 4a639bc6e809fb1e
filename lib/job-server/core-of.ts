import type { JobServerCore } from './core.js';
import type { JobServer } from './job-server.js';

/** The inside of a job server. It is private to users; the rooms of this package reach it only by this function. */
export function coreOf(jobServer: JobServer): JobServerCore {
  return jobServer['core'];
}
