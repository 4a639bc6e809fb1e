import { attemptOf, METADATA_PREFIX, OPTION } from '../protocol/index.js';
import { parseMetadata, type GearmanMetadata } from './metadata.js';

/**
 * What only our job server can do, and agrees to when a worker asks with
 * OPTION_REQ; gearmand and Perl's job server know no such options.
 *
 * PROTOCOL has no packet for attempts. So `OPTION_RES attempts=3` is sent before
 * the assignment of a job that runs for the third time, and nothing before a
 * first run; `OPTION_RES metadata={...}` is sent before a job that has metadata.
 */
export class Extensions {
  /** The options to ask for. */
  static readonly names = [OPTION.cleanExceptions, OPTION.attempts, OPTION.withdrawals, OPTION.metadata];

  private readonly agreed = new Set<string>();
  private announcedAttempt = 1;
  private announcedMetadata: GearmanMetadata | undefined;

  get hasCleanExceptions(): boolean {
    return this.agreed.has(OPTION.cleanExceptions);
  }

  /** Whether metadata comes in its own packet; otherwise the workload may contain it. */
  get hasMetadata(): boolean {
    return this.agreed.has(OPTION.metadata);
  }

  /** Begins with a new connection: nothing is agreed. */
  restart(): void {
    this.agreed.clear();
    this.announcedAttempt = 1;
    this.announcedMetadata = undefined;
  }

  /** Reads an OPTION_RES of the job server. */
  hear(option: string): void {
    if (option.startsWith(METADATA_PREFIX)) {
      this.announcedMetadata = parseMetadata(option.slice(METADATA_PREFIX.length));
      return;
    }
    const attempt = attemptOf(option);
    if (attempt !== undefined) this.announcedAttempt = attempt;
    else this.agreed.add(option);
  }

  /** The attempt of the job that is being assigned; undefined if the job server does not tell. */
  nextAttempt(): number | undefined {
    const attempt = this.announcedAttempt;
    this.announcedAttempt = 1;
    return this.agreed.has(OPTION.attempts) ? attempt : undefined;
  }

  /** The metadata of the job that is being assigned. */
  nextMetadata(): GearmanMetadata | undefined {
    const metadata = this.announcedMetadata;
    this.announcedMetadata = undefined;
    return metadata;
  }
}
