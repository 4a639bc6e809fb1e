import type { ByteString } from '../engine/index.js';
import { LISTED_AT_ONCE, type DeadLetterLine, type DeadLetterPage } from './job-lines.js';
import { replayedReducer, wireUnique } from './job-record.js';
import type { DeadLetter, JobStorage } from '../storage/index.js';

/** Jobs that failed for good: kept with their last error until somebody replays or purges them. */
export class DeadLetters {
  constructor(
    private readonly storage: JobStorage,
    private readonly time: { readonly date: number },
    /** Called with the name of a function that has one job more. */
    private readonly replayed: (function_: ByteString) => void,
  ) {}

  /** All of them, longest dead first, in pages. */
  async *lines(): AsyncIterable<readonly DeadLetterLine[]> {
    for await (const page of this.storage.deadLetters({ pageSize: LISTED_AT_ONCE })) {
      yield page.map(lineOf);
    }
  }

  /** One of them with its job, or undefined. */
  async find(handle: ByteString): Promise<DeadLetterPage | undefined> {
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'dead') return undefined;
    const { priority, workload } = found.letter.job;
    return { ...lineOf(found.letter), priority, workload };
  }

  /** Lets one wait again, as if it had just been submitted; false when it is not dead or its unique is taken. */
  async replay(handle: ByteString): Promise<boolean> {
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'dead') return false;
    const { job } = found.letter;
    const reducer = replayedReducer(job.reducer);
    if (!(await this.storage.replay(handle, { acceptedAt: this.time.date, reducer }))) return false;
    this.replayed(job.function);
    return true;
  }

  /** Deletes one; false when there is none. */
  purge(handle: ByteString): Promise<boolean> {
    return this.storage.purge(handle);
  }
}

function lineOf({ job, error, diedAt }: DeadLetter): DeadLetterLine {
  const { handle, attempts, losses } = job;
  return { handle, function: job.function, unique: wireUnique(job.unique), attempts, losses, error, diedAt };
}
