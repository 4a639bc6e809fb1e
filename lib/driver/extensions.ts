import { attemptOf, METADATA_PREFIX, OPTION } from '../protocol/index.js';
import { parseMetadata, type GearmanMetadata } from './metadata.js';

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
  static readonly names = [OPTION.cleanExceptions, OPTION.attempts, OPTION.withdrawals, OPTION.metadata];

  private readonly agreed = new Set<string>();
  private announcedAttempt = 1;
  private announcedMetadata: GearmanMetadata | undefined;

  get hasCleanExceptions(): boolean {
    return this.agreed.has(OPTION.cleanExceptions);
  }

  /** The job server takes metadata off for workers that did not ask. */
  get hasMetadata(): boolean {
    return this.agreed.has(OPTION.metadata);
  }

  /** A new connection: nothing is agreed. */
  restart(): void {
    this.agreed.clear();
    this.announcedAttempt = 1;
    this.announcedMetadata = undefined;
  }

  /** The job server said an OPTION_RES. */
  hear(option: string): void {
    if (option.startsWith(METADATA_PREFIX)) {
      this.announcedMetadata = parseMetadata(option.slice(METADATA_PREFIX.length));
      return;
    }
    const attempt = attemptOf(option);
    if (attempt !== undefined) this.announcedAttempt = attempt;
    else this.agreed.add(option);
  }

  /** The attempt of the job that is assigned now; undefined where the job server does not tell. */
  nextAttempt(): number | undefined {
    const attempt = this.announcedAttempt;
    this.announcedAttempt = 1;
    return this.agreed.has(OPTION.attempts) ? attempt : undefined;
  }

  /** What travels beside the job that is assigned now. */
  nextMetadata(): GearmanMetadata | undefined {
    const metadata = this.announcedMetadata;
    this.announcedMetadata = undefined;
    return metadata;
  }
}
