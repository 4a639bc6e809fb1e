import { METADATA_OPTION, METADATA_PREFIX } from '../protocol/index.js';
import { parseMetadata, type GearmanMetadata } from './metadata.js';
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
 * the assignment of a job whose third run it is, and nothing ahead of a first;
 * and `OPTION_RES metadata={...}` ahead of a job that came with metadata.
 */
export class Extensions {
  /** What to ask for. */
  static readonly names = [CLEAN_EXCEPTIONS, ATTEMPTS, WITHDRAWALS, METADATA_OPTION];

  private readonly agreed = new Set<string>();
  private announcedAttempt = 1;
  private announcedMetadata: GearmanMetadata | undefined;

  get hasCleanExceptions(): boolean {
    return this.agreed.has(CLEAN_EXCEPTIONS);
  }

  /** The job server takes metadata off for workers that did not ask. */
  get hasMetadata(): boolean {
    return this.agreed.has(METADATA_OPTION);
  }

  /** A new connection: nothing is agreed. */
  restart(): void {
    this.agreed.clear();
    this.announcedAttempt = 1;
    this.announcedMetadata = undefined;
  }

  /** Takes what an OPTION_RES names. */
  take(option: string): void {
    if (option.startsWith(METADATA_PREFIX)) {
      this.announcedMetadata = parseMetadata(option.slice(METADATA_PREFIX.length));
      return;
    }
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

  /** What travels beside the job that is assigned now. */
  nextMetadata(): GearmanMetadata | undefined {
    const metadata = this.announcedMetadata;
    this.announcedMetadata = undefined;
    return metadata;
  }
}
