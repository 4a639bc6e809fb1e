import type { OnceOutcome } from '../stored-job.js';
import { FixedChange, type FileChange, type FileWrite } from './file-change.js';
import type { GroupCommit } from '../group-commit.js';
import type { JobFile } from './job-file.js';

/** What stands in the file for an origin. */
export const TAKEN: readonly number[] = [1];

/** How many origins one write forgets. */
const PAGE = 8_192;

/** Where jobs came from that are taken once; written together with the job, so that a crash leaves both or neither. */
export class OriginBook {
  /** Those whose jobs are being written. */
  private readonly taking = new Map<string, Promise<OnceOutcome>>();

  constructor(
    private readonly file: JobFile,
    private readonly commit: GroupCommit<FileChange>,
  ) {}

  /** Has a job taken unless its origin is known. */
  async once(origin: string, take: () => Promise<OnceOutcome>): Promise<OnceOutcome> {
    const before = this.taking.get(origin);
    if (before) return before.then(() => 'known');
    if (this.file.tables.origins.get(origin)) return 'known';
    const taking = take();
    this.taking.set(origin, taking);
    try {
      return await taking;
    } finally {
      this.taking.delete(origin);
    }
  }

  /** Writes an origin whose job is in the file already. */
  async remember(origin: string): Promise<void> {
    this.commit.mark(new FixedChange(({ tables }) => void tables.origins.put(origin, TAKEN)), false);
    await this.commit.flush();
  }

  /** Forgets all of them. */
  async forget(): Promise<number> {
    let count = 0;
    for (;;) {
      const page = [...this.file.tables.origins.getKeys({ start: undefined, limit: PAGE })];
      if (page.length === 0) return count;
      const forget = ({ tables }: FileWrite): void => page.forEach((origin) => void tables.origins.remove(origin));
      this.commit.mark(new FixedChange(forget), false);
      await this.commit.flush();
      count += page.length;
    }
  }
}
