import type { JobServerCore } from './core.js';
import type { JobServer } from './job-server.js';

/** What a job server is made of. It is private to users, and this package's own rooms have it by this alone. */
export function coreOf(jobServer: JobServer): JobServerCore {
  return jobServer['core'];
}
