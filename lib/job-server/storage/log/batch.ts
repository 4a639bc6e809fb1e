import type { Death, JobOutcome, StoredJob } from '../stored-job.js';
import type { JobQueue } from './job-queue.js';
import type { Names } from './names.js';
import {
  DEAD,
  ENDED,
  HANDLE_APART,
  IS_APART,
  JOB,
  RecordWriter,
  type Ended,
  type Kind,
  type ORIGIN,
  type SETTING,
} from './record.js';

const NOTHING = { unique: '', reducer: '', at: 0, attempts: 0, losses: 0, workload: '' } as const;

/** What is written to the log at once. */
export class Batch extends RecordWriter {
  constructor(private readonly names: Names) {
    super();
  }

  /** A job, or what became of it, in the place of what the log had before. */
  put(
    kind: Kind,
    queue: Pick<JobQueue, 'key' | 'name' | 'lastSequence'>,
    job: StoredJob,
    source: Ended | undefined,
    death: Death | undefined,
    outcome: JobOutcome | undefined,
  ): Ended {
    const { names } = this;
    const handle = names.split(job.handle, true);
    let flags = 0;
    if ('name' in handle) flags |= HANDLE_APART;
    else {
      const prefix = names.prefix(handle.prefix)!;
      if (handle.number > prefix.last) prefix.last = handle.number;
      else flags |= HANDLE_APART;
      this.name(prefix.name);
    }
    this.name(queue.name);
    if (kind !== JOB || job.at > 0 || job.sequence <= queue.lastSequence) flags |= IS_APART;
    else queue.lastSequence = job.sequence;
    const number = this.next;
    const fields = kind === ENDED ? { ...NOTHING, unique: job.unique, workload: outcome?.result ?? '' } : job;
    const length = this.item({
      kind,
      flags,
      queue: queue.key,
      sequence: job.sequence,
      handle,
      job: fields,
      source,
      time: kind === DEAD ? death!.diedAt : kind === ENDED ? outcome!.keepUntil : 0,
      text: kind === DEAD ? death!.error : kind === ENDED ? outcome!.state : '',
    });
    return {
      number,
      length,
      kind,
      hasTime: kind === JOB && job.at > 0,
      isApart: (flags & IS_APART) !== 0,
      isHandleApart: (flags & HANDLE_APART) !== 0,
    };
  }

  /** Remembers where a job came from, or a setting: a name and perhaps a text. */
  note(kind: typeof ORIGIN | typeof SETTING, name: string, text: string, source?: Ended): void {
    this.together(name.length + text.length + 64);
    this.item({
      kind,
      flags: HANDLE_APART | IS_APART,
      queue: 0,
      sequence: 0,
      handle: { name },
      job: NOTHING,
      source,
      time: 0,
      text,
    });
  }
}
