import { WITHDRAWALS } from './withdrawals.js';

/** To clients without the option `exceptions` an exception is a proper WORK_FAIL. */
const CLEAN_EXCEPTIONS = 'clean-exceptions';
/** The job server says which attempt at a job is not the first. */
const ATTEMPTS = 'attempts';

const ATTEMPT = /^attempts=(\d+)$/;

/**
 * What only our job server can, and agrees to when a worker asks by
 * OPTION_REQ; gearmand and Perl's know no such options.
 *
 * PROTOCOL has no word for attempts. So `OPTION_RES attempts=3` goes ahead of
 * the assignment of a job whose third run it is, and nothing ahead of a first.
 */
export class Extensions {
  /** What to ask for. */
  static readonly names = [CLEAN_EXCEPTIONS, ATTEMPTS, WITHDRAWALS];

  private readonly agreed = new Set<string>();
  private announcedAttempt = 1;

  get hasCleanExceptions(): boolean {
    return this.agreed.has(CLEAN_EXCEPTIONS);
  }

  /** A new connection: nothing is agreed. */
  restart(): void {
    this.agreed.clear();
    this.announcedAttempt = 1;
  }

  /** Takes what an OPTION_RES names. */
  take(option: string): void {
    const attempt = ATTEMPT.exec(option);
    if (attempt) this.announcedAttempt = Number(attempt[1]);
    else this.agreed.add(option);
  }

  /** The attempt of the job that is assigned now; undefined where the job server does not tell. */
  nextAttempt(): number | undefined {
    const attempt = this.announcedAttempt;
    this.announcedAttempt = 1;
    return this.agreed.has(ATTEMPTS) ? attempt : undefined;
  }
}
