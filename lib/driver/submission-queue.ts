import type { GearmanError } from '../ground/index.js';
import type { ClientSession } from './client-session.js';
import { noServer } from './ready-wait.js';
import { ConnectionLostError } from './errors.js';
import { Fifo } from './fifo.js';
import type { PendingSubmission } from './pending-submission.js';
import type { Choose } from './server-choice.js';

/** How a {@link SubmissionQueue} behaves. */
export interface SubmissionQueueSettings {
  /** How many submissions may await their JOB_CREATED, over all job servers. */
  maxPendingSubmissions: number;
  /** How long a submission waits while no job server is connected, in milliseconds. */
  connectTimeout: number;
}

/**
 * After this many lost job servers a submission fails: if the submission itself
 * makes them close the connection, it would otherwise go round for ever, and
 * end the connections of all other submissions with it.
 */
export const MAX_LOSSES = 10;

/**
 * Submissions wait here for a job server that is connected and has room, and
 * return here when theirs is lost or cannot accept them. First in, first out.
 * There is no time limit while some job server is connected.
 */
export class SubmissionQueue {
  /** How many submissions were sent again because their job server was lost. */
  resubmitted = 0;
  private readonly waiting = new Fifo<PendingSubmission>();
  /** Runs while submissions wait and no job server is connected. */
  private timer: NodeJS.Timeout | undefined;
  /** Since when no job server is connected. */
  private aloneSince = performance.now();

  constructor(
    private readonly sessions: readonly ClientSession[],
    private readonly choose: Choose<ClientSession>,
    private readonly settings: SubmissionQueueSettings,
    private readonly fail: (submission: PendingSubmission, error: GearmanError) => void,
  ) {}

  /** Sends a submission, at once or when its turn comes. */
  add(submission: PendingSubmission): void {
    submission.queuedAt = submission.submittedAt = performance.now();
    this.waiting.push(submission);
    this.pump();
  }

  /** Queues again, before everything else, what a lost job server had not finished. */
  addAgain(submissions: readonly PendingSubmission[], server: string, reason: GearmanError): void {
    if (!this.hasServer()) this.aloneSince = performance.now();
    const again = submissions.filter((submission) => {
      if (submission.isWorthResubmitting && submission.lost() < MAX_LOSSES) return true;
      this.fail(submission, givenUp(submission, server, reason));
      return false;
    });
    this.resubmitted += again.length;
    for (const submission of again) submission.queuedAt = performance.now();
    if (again.length > 0) this.waiting.prepend(again);
    this.pump();
  }

  /** Sends a submission that a job server could not accept to the next connected one; if there is none, it fails. */
  addRefused(submission: PendingSubmission, by: ClientSession, refusal: GearmanError): void {
    submission.refused(by, refusal);
    this.waiting.prepend([submission]);
    this.pump();
  }

  /** Sends as many submissions as possible. */
  pump(): void {
    for (let next = this.waiting.peek(); next !== undefined; next = this.waiting.peek()) {
      if (next.observer === undefined) {
        // Forgotten before it was sent.
        this.waiting.shift();
        continue;
      }
      if (this.unanswered() >= this.settings.maxPendingSubmissions) return;
      const session = this.choose(next);
      if (session === undefined && next.refusal && this.hasServer()) {
        this.waiting.shift();
        this.fail(next, next.refusal);
        continue;
      }
      if (session === undefined) return this.waitForServer();
      if (session.isCongested) return;
      this.waiting.shift();
      session.submit(next);
    }
  }

  /** Fails every submission that waits. */
  close(reason: GearmanError): void {
    clearTimeout(this.timer);
    for (const submission of this.waiting.takeAll()) this.fail(submission, reason);
  }

  private hasServer(): boolean {
    return this.sessions.some(({ link }) => link.isReady);
  }

  private unanswered(): number {
    let sum = 0;
    for (const session of this.sessions) sum += session.unansweredSubmissions;
    return sum;
  }

  private waitForServer(): void {
    const first = this.waiting.peek();
    if (this.timer !== undefined || first === undefined) return;
    this.timer = setTimeout(() => this.expire(), Math.ceil(this.deadline(first) - performance.now()));
  }

  private expire(): void {
    this.timer = undefined;
    if (this.hasServer()) return;
    const now = performance.now();
    const links = this.sessions.map(({ link }) => link);
    for (let next = this.waiting.peek(); next && this.deadline(next) <= now; next = this.waiting.peek()) {
      this.waiting.shift();
      this.fail(next, noServer(links, this.settings.connectTimeout));
    }
    this.waitForServer();
  }

  private deadline({ queuedAt }: PendingSubmission): number {
    return Math.max(queuedAt, this.aloneSince) + this.settings.connectTimeout;
  }
}

function givenUp(submission: PendingSubmission, server: string, reason: GearmanError): GearmanError {
  if (submission.losses === 0) return reason;
  const times = `its job server was lost ${submission.losses} times; is its workload too large for the job servers?`;
  return new ConnectionLostError(server, times, { cause: reason });
}
