import { fromByteString } from '../protocol/index.js';
import type { JobSpec, Workload } from '../job-server/engine/index.js';
import { coreOf } from '../job-server/core-of.js';
import type { JobServerCore } from '../job-server/core.js';
import type { JobServer } from '../job-server/job-server.js';
import { runInForeground } from './api/foreground.js';
import { SILENT, submit } from './api/submission.js';
import { EngineSight } from './live/engine-sight.js';
import { Live } from './live/live.js';
import type { ReadySource, RunListener, Submitter } from './source.js';

/** A source in this process. */
export function localSource(name: string, jobServer: JobServer): ReadySource {
  const core = coreOf(jobServer);
  return {
    name,
    jobServer: core,
    live: new Live(() => new EngineSight(core)),
    submitter: new LocalSubmitter(core),
  };
}

class LocalSubmitter implements Submitter {
  private readonly accepted: AcceptedJobs;

  constructor(private readonly jobServer: JobServerCore) {
    this.accepted = new AcceptedJobs(jobServer);
  }

  async accept(spec: JobSpec): Promise<{ handle: string; coalesced: boolean }> {
    const peer = this.jobServer.engine.join(SILENT);
    const submitNow = (): Promise<string> => submit(this.jobServer, spec, peer);
    if (spec.unique === '') return { handle: fromByteString(await submitNow()), coalesced: false };
    const { handle, isNew } = await this.accepted.during(submitNow);
    return { handle: fromByteString(handle), coalesced: !isNew };
  }

  run(
    spec: JobSpec,
    timeout: number,
    listener: RunListener,
    gone: AbortSignal,
  ): Promise<{ handle: string; bytes: Workload }> {
    return runInForeground(this.jobServer, gone, spec, timeout, listener);
  }
}

/**
 * Finds out whether a submission made a job or joined an existing one. It listens
 * only while somebody asks.
 */
class AcceptedJobs {
  private readonly handles = new Set<string>();
  private asking = 0;
  private readonly heard = ({ handle }: { handle: string }): void => void this.handles.add(handle);

  constructor(private readonly jobServer: JobServerCore) {}

  /** Submits, and returns the handle and whether the job is new. */
  async during(submit: () => Promise<string>): Promise<{ handle: string; isNew: boolean }> {
    if (this.asking++ === 0) this.jobServer.events.on('submitted', this.heard);
    try {
      const handle = await submit();
      return { handle, isNew: this.handles.has(handle) };
    } finally {
      if (--this.asking === 0) {
        this.jobServer.events.off('submitted', this.heard);
        this.handles.clear();
      }
    }
  }
}
