import { Live } from './live/live.js';
import type { JobServer } from '../job-server/job-server.js';

/** A job server, or what holds one, as `GearmanJobServer`. */
export type WebJobServer = JobServer | { unwrap(): JobServer };

/** A job server that is told of and worked on. */
export interface WebSource {
  /** What `?server=` calls it. */
  name: string;
  jobServer: WebJobServer;
}

/** A {@link WebSource} with its job server at hand. */
export interface ReadySource {
  readonly name: string;
  readonly jobServer: JobServer;
  readonly accepted: AcceptedJobs;
  readonly live: Live;
}

export function readySource({ name, jobServer }: WebSource): ReadySource {
  const unwrapped = 'unwrap' in jobServer ? jobServer.unwrap() : jobServer;
  return { name, jobServer: unwrapped, accepted: new AcceptedJobs(unwrapped), live: new Live(unwrapped) };
}

/**
 * Tells whether a submission made a job or joined one that was there. Listens
 * only while somebody asks.
 */
export class AcceptedJobs {
  private readonly handles = new Set<string>();
  private asking = 0;
  private readonly heard = ({ handle }: { handle: string }): void => void this.handles.add(handle);

  constructor(private readonly jobServer: JobServer) {}

  /** Submits, and answers with the handle and whether the job is new. */
  async during(submit: () => Promise<string>): Promise<{ handle: string; isNew: boolean }> {
    if (this.asking++ === 0) this.jobServer.on('submitted', this.heard);
    try {
      const handle = await submit();
      return { handle, isNew: this.handles.has(handle) };
    } finally {
      if (--this.asking === 0) {
        this.jobServer.off('submitted', this.heard);
        this.handles.clear();
      }
    }
  }
}
