import { TransientMap, type ByteString } from '../engine/index.js';
import type { Answer } from './answer.js';

/**
 * Submissions with a unique whose job is still on its way to the disk: whoever
 * submits the same meanwhile must wait for the same write.
 */
export class UnwrittenJobs {
  private readonly byHandle = new TransientMap<Answer>();
  /** Those of which the engine does not know: they wait in storage only. */
  private readonly byUnique = new TransientMap<Answer>();

  /** The answer to the submission that made this job, or undefined when it is on disk. */
  ofJob(handle: ByteString): Answer | undefined {
    return this.byHandle.get(handle);
  }

  /** The answer to a submission of this unique whose job is not in the engine, or undefined. */
  ofUnique(function_: ByteString, unique: ByteString): Answer | undefined {
    return this.byUnique.size === 0 ? undefined : this.byUnique.get(keyOf(function_, unique));
  }

  /** Keeps the answer of a job that the engine has, until it is known; to be called before anybody waits for it. */
  addJob(handle: ByteString, answer: Answer): void {
    this.byHandle.set(handle, answer);
    // Deleted before anybody else hears the answer: whoever waited for it and looks again finds the
    // job written.
    answer.hear(() => this.byHandle.delete(handle));
  }

  /**
   * Keeps the answer of a job that waits in storage only, until it is known; to be called before
   * anybody waits for it.
   */
  addUnique(function_: ByteString, unique: ByteString, handle: ByteString, answer: Answer): void {
    const key = keyOf(function_, unique);
    this.byUnique.set(key, answer);
    answer.hear(() => this.byUnique.delete(key));
    this.addJob(handle, answer);
  }
}

/** A function's name has no NUL, as the protocol separates arguments by it. */
function keyOf(function_: ByteString, unique: ByteString): ByteString {
  return `${function_}\0${unique}`;
}
