import type { ByteString } from './engine/index.js';
import type { Submitted } from './front/index.js';
import type { NewJob } from './storage/index.js';

/**
 * Submissions with a unique whose job is still on its way to the disk: who
 * submits the same meanwhile must wait for the same write.
 */
export class UnwrittenJobs {
  private readonly byHandle = new Map<ByteString, Promise<Submitted>>();
  /** Those of which the engine does not know: they wait in storage only. */
  private readonly byUnique = new Map<ByteString, Promise<Submitted>>();

  /** The answer to the submission that made this job, or undefined when it is on disk. */
  ofJob(handle: ByteString): Promise<Submitted> | undefined {
    return this.byHandle.get(handle);
  }

  /** The answer to a submission of this unique whose job is not in the engine, or undefined. */
  ofUnique(function_: ByteString, unique: ByteString): Promise<Submitted> | undefined {
    return this.byUnique.size === 0 ? undefined : this.byUnique.get(keyOf(function_, unique));
  }

  /** Keeps the answer of a job that the engine holds until it is there. It must not reject. */
  addJob(handle: ByteString, answer: Promise<Submitted>): Promise<Submitted> {
    const kept = answer.then((submitted) => {
      // Gone before anybody hears it: who waited for it and looks again finds it written.
      this.byHandle.delete(handle);
      return submitted;
    });
    this.byHandle.set(handle, kept);
    return kept;
  }

  /** Keeps the answer of a job that waits in storage only until it is there. It must not reject. */
  addUnique(
    { function: name, unique, handle }: Pick<NewJob, 'function' | 'unique' | 'handle'>,
    answer: Promise<Submitted>,
  ): Promise<Submitted> {
    const key = keyOf(name, unique);
    const kept = this.addJob(
      handle,
      answer.then((submitted) => {
        this.byUnique.delete(key);
        return submitted;
      }),
    );
    this.byUnique.set(key, kept);
    return kept;
  }
}

/** A function's name holds no NUL, as the protocol separates arguments by it. */
function keyOf(function_: ByteString, unique: ByteString): ByteString {
  return `${function_}\0${unique}`;
}
