import { Observable, Subject } from 'rxjs';
import type { JobIdentity, JobStatus } from '../driver/index.js';
import type { JobEars } from './job-listener.js';

/** What a job's worker reports before the result. */
export type GearmanJobUpdate<Data = unknown> =
  | { readonly kind: 'data'; readonly value: Data }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'progress'; readonly numerator: number; readonly denominator: number };

/** What a {@link GearmanJob} needs from its client. */
export interface JobControls {
  status(job: JobIdentity): Promise<JobStatus>;
  forget(): void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * A job that was submitted and accepted: what `client.submit()` resolves to.
 *
 * It is a `JobIdentity` itself: keep `handle` and `server` to ask
 * `client.statusOf()` for it another day.
 */
export class GearmanJob<Out = unknown> implements JobIdentity {
  private readonly updates = new HeldUpdates();
  private readonly waiting: (() => void)[] = [];
  private outcome: Outcome | undefined;

  private constructor(
    private identity: JobIdentity,
    private readonly controls: JobControls,
  ) {}

  /**
   * Makes a job, and returns the listener that tells it what happens. `accepted` is
   * called when a job server has accepted the job, `refused` if it ended before.
   *
   * @internal
   */
  static listen<Out>(
    controls: JobControls,
    accepted: (job: GearmanJob<Out>) => void,
    refused: (error: unknown) => void,
  ): JobEars {
    let job: GearmanJob<Out> | undefined;
    return {
      created: (identity) => {
        if (job) {
          job.identity = identity; // its job server was lost, and another one has it now
        } else {
          job = new GearmanJob<Out>(identity, controls);
          accepted(job);
        }
      },
      data: (value) => job?.updates.add({ kind: 'data', value }),
      warning: (message) => job?.updates.add({ kind: 'warning', message }),
      progress: (numerator, denominator) => job?.updates.add({ kind: 'progress', numerator, denominator }),
      complete: (value) => job?.end({ value }),
      fail: (error) => (job ? job.end({ error }) : refused(error)),
    };
  }

  /** The job's handle on {@link server}. Both change if that job server is lost and another one accepts the job. */
  get handle(): string {
    return this.identity.handle;
  }

  /** The name of the job server that has the job: of its address. */
  get server(): string {
    return this.identity.server;
  }

  /**
   * What the worker reports while it runs, in order. Of the reports before the first
   * subscription the last 1,000 are kept for it; later subscribers get only what
   * comes from then on. Completes when the job ends, well or not: {@link result} says which.
   */
  get updates$(): Observable<GearmanJobUpdate> {
    return this.updates.stream;
  }

  /**
   * The job's result; undefined if there is none. Rejects with the same errors as
   * `send`: the body of the handler's exception, or a `GearmanError`. May be
   * called at any time and more than once.
   */
  async result(): Promise<Out> {
    if (!this.outcome) await new Promise<void>((resolve) => this.waiting.push(resolve));
    const outcome = this.outcome!;
    if ('error' in outcome) throw outcome.error;
    return outcome.value as Out;
  }

  /** Asks the job server whether it knows the job, whether the job runs, and how far it is. */
  status(): Promise<JobStatus> {
    return this.controls.status(this.identity);
  }

  /** Gives the job up: `result()` never settles and `updates$` emits nothing more. See the client's option `withdraw`. */
  forget(): void {
    this.controls.forget();
  }

  private end(outcome: Outcome): void {
    this.outcome = outcome;
    this.updates.end();
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** How many updates are kept for a first subscriber, who may never come. */
const MAX_HELD_UPDATES = 1_000;

/** Updates: kept until somebody subscribes, and passed on at once from then on. */
class HeldUpdates {
  private held: GearmanJobUpdate[] | undefined = [];
  private readonly live = new Subject<GearmanJobUpdate>();

  readonly stream = new Observable<GearmanJobUpdate>((subscriber) => {
    const held = this.held?.slice(-MAX_HELD_UPDATES) ?? [];
    this.held = undefined;
    for (const update of held) subscriber.next(update);
    return this.live.subscribe(subscriber);
  });

  add(update: GearmanJobUpdate): void {
    if (!this.held) return this.live.next(update);
    // Cut only now and then, because each cut moves all that stays.
    if (this.held.push(update) >= 2 * MAX_HELD_UPDATES) this.held = this.held.slice(-MAX_HELD_UPDATES);
  }

  end(): void {
    this.live.complete();
  }
}
