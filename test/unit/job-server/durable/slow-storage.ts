import {
  MemoryStorage,
  type Adder,
  type JobRecord,
  type StorageError,
} from '../../../../lib/job-server/storage/index.js';

/** A storage whose disk is as slow as the test wants: an `add` is durable when the test says so. */
export class SlowStorage extends MemoryStorage {
  private readonly waiting: (() => void)[] = [];
  isSlow = true;
  failure: StorageError | undefined;

  override add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    const { failure } = this;
    if (failure) {
      queueMicrotask(() => adder.refused(failure));
      return lease !== false;
    }
    if (!this.isSlow) return super.add(job, lease, adder);
    return super.add(job, lease, {
      stored: (existing, isLeased) => this.waiting.push(() => adder.stored(existing, isLeased)),
      refused: (error) => adder.refused(error),
    });
  }

  override async flush(): Promise<void> {
    while (this.waiting.length > 0) this.sync();
  }

  /** The oldest addition reaches the disk. */
  sync(): void {
    this.waiting.shift()!();
  }
}
