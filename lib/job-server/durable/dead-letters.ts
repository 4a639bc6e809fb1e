import type { ByteString } from '../engine/index.js';
import type { DeadLetterLine } from './job-lines.js';
import { wireUnique } from './job-record.js';
import type { JobStorage } from '../storage/index.js';

/** Jobs that failed for good: kept with their last error until somebody replays or purges them. */
export class DeadLetters {
  constructor(
    private readonly storage: JobStorage,
    /** Told of the function that has a job more. */
    private readonly replayed: (function_: ByteString) => void,
  ) {}

  /** All of them, longest dead first, in pages. */
  async *lines(): AsyncIterable<readonly DeadLetterLine[]> {
    for await (const page of this.storage.deadLetters()) {
      yield page.map(({ job, error, diedAt }) => ({
        handle: job.handle,
        function: job.function,
        unique: wireUnique(job.unique),
        attempts: job.attempts,
        losses: job.losses,
        error,
        diedAt,
      }));
    }
  }

  /** Lets one wait again, as if it had just been submitted; false when it is not dead or its unique is taken. */
  async replay(handle: ByteString): Promise<boolean> {
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'dead' || !(await this.storage.replay(handle))) return false;
    this.replayed(found.letter.job.function);
    return true;
  }

  /** Deletes one; false when there is none. */
  purge(handle: ByteString): Promise<boolean> {
    return this.storage.purge(handle);
  }
}
