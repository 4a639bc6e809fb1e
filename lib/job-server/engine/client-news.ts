import type { Chore, Chores } from './chores.js';
import type { Workload } from './job-spec.js';
import type { Job, Peer } from './model.js';

/** Up to this many clients of a job are told something at once; more are told in turns. */
const TOLD_AT_ONCE = 64;

/** What clients are told of a job. A word, since a closure for it would be made with every job. */
type News = 'data' | 'warning' | 'progress' | 'complete' | 'exception' | 'fail';

/**
 * Those who are told something: the first so many of a job's clients. Who joins
 * later stands behind them; none of them is taken out of the list before all is
 * told, as one that leaves has the job make a new list. So nothing is copied for
 * each telling: with 100,000 clients that would be 800 kB.
 */
interface Told {
  readonly clients: readonly Peer[];
  readonly length: number;
}

/** Tells clients what happens to their jobs: few clients at once, many in turns. */
export class ClientNews {
  /** Jobs whose clients are being told something, and how many such tellings are under way. */
  private readonly beingTold = new Map<Job, number>();

  constructor(private readonly chores: Chores) {}

  /**
   * Tells every client of a job something. Many are told in turns; each still
   * hears everything of the job in its order, since later news of it wait until
   * this is told.
   */
  tellAll(job: Job, clients: readonly Peer[], news: News, bytes: Workload = ''): void {
    if (clients.length <= TOLD_AT_ONCE && !this.beingTold.has(job)) {
      for (const client of clients) tell(client, job, news, bytes);
    } else if (clients.length > 0) {
      this.beingTold.set(job, (this.beingTold.get(job) ?? 0) + 1);
      this.chores.begin(this.telling(job, { clients, length: clients.length }, news, bytes));
    }
  }

  /** Finishes at once what clients are still being told of a job. */
  tellRest(job: Job): void {
    while (this.beingTold.has(job) && this.chores.work());
  }

  private *telling(job: Job, { clients, length }: Told, news: News, bytes: Workload): Chore {
    for (let at = 0; at < length; at++) {
      const client = clients[at]!;
      if (!client.isGone) tell(client, job, news, bytes);
      yield;
    }
    const left = this.beingTold.get(job)! - 1;
    if (left > 0) this.beingTold.set(job, left);
    else this.beingTold.delete(job);
  }
}

/** A client that did not ask for exceptions hears that the job failed. */
function tell({ listener, wantsExceptions }: Peer, job: Job, news: News, bytes: Workload): void {
  switch (news) {
    case 'data':
      return listener.data(job, bytes);
    case 'warning':
      return listener.warning(job, bytes);
    case 'progress':
      return listener.progress(job);
    case 'complete':
      return listener.complete(job, bytes);
    case 'exception':
      return wantsExceptions ? listener.exception(job, bytes) : listener.fail(job);
    case 'fail':
      return listener.fail(job);
  }
}

/** The clients of a job that nobody waits for. */
export const NOBODY: readonly Peer[] = [];

/** Who waits for a job: one entry a foreground submission. */
export function clientsOf(job: Job): readonly Peer[] {
  return job.clients ?? NOBODY;
}
