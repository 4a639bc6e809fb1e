import type { ByteString } from '../protocol/index.js';
import type { PendingSubmission } from './pending-submission.js';

/**
 * The foreground jobs of one connection, by handle, and who listens to each.
 *
 * Submissions that coalesced share a handle. A job server sends every packet of
 * the job once for each foreground submission, one after the other, also when
 * all of them came over the same connection (gearmand and Perl's do the same). So
 * the submissions of a handle form a ring, and each packet goes to the one whose
 * turn it is: everybody gets each packet once. A submission that joins late gets
 * its turn last. One that stops listening keeps its place as long as the job
 * server goes on sending to it.
 */
export class JobRings {
  /** Whose turn is next. */
  private readonly turns = new Map<ByteString, PendingSubmission>();

  /** How many jobs are open. */
  get size(): number {
    return this.turns.size;
  }

  add(handle: ByteString, submission: PendingSubmission): void {
    const turn = this.turns.get(handle);
    if (turn) {
      submission.next = turn;
      submission.previous = turn.previous;
      turn.previous.next = submission;
      turn.previous = submission;
    } else {
      submission.next = submission.previous = submission;
      this.turns.set(handle, submission);
    }
  }

  /** The submission that gets a packet that does not end the job; undefined if nobody here waits for the job. */
  turn(handle: ByteString): PendingSubmission | undefined {
    const submission = this.turns.get(handle);
    if (submission !== undefined && submission.next !== submission) this.turns.set(handle, submission.next);
    return submission;
  }

  /** The submission that gets a packet that ends the job; it leaves the ring. */
  end(handle: ByteString): PendingSubmission | undefined {
    const submission = this.turns.get(handle);
    if (submission === undefined) return undefined;
    if (submission.next === submission) {
      this.turns.delete(handle);
    } else {
      submission.previous.next = submission.next;
      submission.next.previous = submission.previous;
      this.turns.set(handle, submission.next);
      submission.next = submission.previous = submission;
    }
    return submission;
  }

  /** Removes a submission's place, because the job server sends nothing to it any more. Does nothing after the job's end. */
  giveBack(handle: ByteString, submission: PendingSubmission): void {
    const turn = this.turns.get(handle);
    if (submission.next !== submission) {
      submission.previous.next = submission.next;
      submission.next.previous = submission.previous;
      if (turn === submission) this.turns.set(handle, submission.next);
      submission.next = submission.previous = submission;
    } else if (turn === submission) {
      this.turns.delete(handle);
    }
  }

  /** Takes all submissions, job by job. */
  takeAll(): PendingSubmission[] {
    const all: PendingSubmission[] = [];
    for (const first of this.turns.values()) {
      let submission = first;
      do {
        all.push(submission);
        submission = submission.next;
      } while (submission !== first);
    }
    this.turns.clear();
    return all;
  }
}
