import { Refusal, type ByteString } from '../engine/index.js';

/** The answer to a submission: the job's handle, or why there is none. */
export type Submitted = ByteString | Refusal;

/** Who waits for an {@link Answer}. Must not throw. */
export type AnswerListener = (submitted: Submitted) => void;

/**
 * An answer to a submission that comes later.
 *
 * Not a promise: there is one for every background job, and promises would cost
 * more than all else about it. Listeners are called within {@link tell}.
 */
export class Answer {
  private submitted: Submitted | undefined;
  private listener: AnswerListener | undefined;
  /** The listeners after the first. */
  private others: AnswerListener[] | undefined;

  /** The answer that a promise brings; `QUEUE_ERROR` with its message where that rejects. */
  static from(promise: Promise<Submitted | Answer>): Answer {
    const answer = new Answer();
    promise.then(
      (submitted) => {
        if (submitted instanceof Answer) submitted.hear((known) => answer.tell(known));
        else answer.tell(submitted);
      },
      (error: Error) => answer.tell(queueError(error)),
    );
    return answer;
  }

  /**
   * Calls a listener with the answer: at once where it is known, or else when it is, in the order
   * in which they came.
   */
  hear(listener: AnswerListener): void {
    if (this.submitted !== undefined) listener(this.submitted);
    else if (!this.listener) this.listener = listener;
    else (this.others ??= []).push(listener);
  }

  /** Resolves with what is heard. */
  get heard(): Promise<Submitted> {
    return new Promise((resolve) => this.hear(resolve));
  }

  /** Tells everybody the answer, which does not change any more. */
  tell(submitted: Submitted): void {
    if (this.submitted !== undefined) return;
    this.submitted = submitted;
    const { listener, others } = this;
    this.listener = this.others = undefined;
    listener?.(submitted);
    if (others) for (const other of others) other(submitted);
  }
}

/** Why a job could not be queued, as a client is told it. */
export function queueError(error: Error): Refusal {
  return new Refusal('QUEUE_ERROR', error.message);
}
