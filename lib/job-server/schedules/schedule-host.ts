import type { Alarm, Log } from '../../ground/index.js';
import type { JobSpec } from '../engine/index.js';
import type { FireOutcome } from '../storage/index.js';

/** What schedules need of the job server around them. */
export interface ScheduleHost {
  readonly log: Log;
  /** Its clocks, and the alarm by which `tick` is called when it is time. */
  readonly time: Alarm;
  /** Jobs are accepted now: the storage is open, and the job server is not ending. */
  readonly isReady: boolean;
  /** Whether what is put and fired survives the process. */
  readonly isKept: boolean;
  /** Whether other job servers put and fire the same schedules. */
  readonly isShared: boolean;
  /** What is kept by name. */
  settings(): ReadonlyMap<string, string>;
  /** Keeps something by name; throws where it cannot. */
  set(name: string, value: string | undefined): void;
  /** Fires a tick, see `JobStorage.fire`; rejects where the job cannot be accepted now. */
  fire(id: string, tick: number, spec?: JobSpec): Promise<FireOutcome>;
  /**
   * Submits a job beside all ticks, and answers with its handle; rejects where it is refused, with
   * the `Refusal` as cause.
   */
  submit(spec: JobSpec): Promise<string>;
  /** Whether a job has not ended: it waits, runs, or will be tried again. */
  isQueued(handle: string): Promise<boolean>;
}
