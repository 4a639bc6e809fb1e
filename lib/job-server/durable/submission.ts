import type { ByteString, GearmanFunction, JobSpec } from '../engine/index.js';
import { Answer, queueError, type Submitted } from './answer.js';
import type { Adder, StorageError, StoredJob } from '../storage/index.js';

/** What becomes of a submission whose job went to storage. */
export interface SubmissionHost {
  /**
   * Its job is on disk, and leased with the write where `isLeased`; or `existing`, a job of the
   * same unique, is there and stands for both.
   */
  stored(submission: Submission, existing: StoredJob | undefined, isLeased: boolean): Submitted;
  /** Its job could not be written. */
  refused(submission: Submission, error: StorageError): Submitted;
}

/** A background job on its way to the disk, and the answer to who submitted it. */
export class Submission implements Adder {
  readonly answer = new Answer();

  constructor(
    private readonly host: SubmissionHost,
    readonly function_: GearmanFunction,
    readonly spec: JobSpec,
    readonly handle: ByteString,
    /** The engine has the job, which may run already. */
    public isHere: boolean,
  ) {}

  stored(existing?: StoredJob, isLeased = false): void {
    this.settle(() => this.host.stored(this, existing, isLeased));
  }

  refused(error: StorageError): void {
    this.settle(() => this.host.refused(this, error));
  }

  /** The storage that calls must not get an error thrown at it. */
  private settle(outcome: () => Submitted): void {
    let submitted: Submitted;
    try {
      submitted = outcome();
    } catch (error) {
      submitted = queueError(error as Error);
    }
    this.answer.tell(submitted);
  }
}
