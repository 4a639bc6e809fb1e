import { add } from '../../../storage/recorded-storage.js';
import {
  MemoryJobs,
  MemoryStorage,
  StorageError,
  type Adder,
  type JobOutcome,
  type JobRecord,
  type QueuedJob,
  type Removal,
  type StoredJob,
  type StoredPriority,
} from '../../../../lib/job-server/storage/index.js';

/** What a storage says that cannot write, or read. */
export const FAILURE = new StorageError('GEARMAN_STORAGE_IO', 'the disk failed');

/** A question, or a write, that has not been answered. */
interface Open {
  answer(): void;
  refuse(): void;
}

/** A job on its way to the disk. */
interface Write {
  readonly outcome: Promise<undefined>;
  resolve(value: undefined): void;
}

/**
 * A storage in a test's hands: it answers when, and in the order, it is told
 * to, refuses what it is told to, and knows what a crash would leave.
 */
export class WaywardStorage extends MemoryStorage {
  /** What would be there after a crash now. */
  private readonly durable = new Map<string, JobRecord>();
  private readonly living = new Set<string>();
  private readonly writing = new Map<string, Write>();
  private readonly open_: Open[] = [];

  /**
   * @param isEager whether questions are answered with what was true when they were asked; or when they are answered.
   * @param isShared whether it says that others may have it open; none has.
   */
  constructor(
    private readonly isEager: boolean,
    isShared: boolean,
  ) {
    super(new MemoryJobs(), isShared ? { name: 'wayward', address: '' } : undefined);
  }

  /** What a crash leaves behind, as a storage to start with. */
  async crashed(): Promise<WaywardStorage> {
    const rest = new WaywardStorage(this.isEager, this.isShared);
    await rest.open({ ready: () => {}, trouble: () => {}, setAside: () => {} });
    const stored = [...this.durable.values()].map((job) => add(rest, job, false).stored);
    await Promise.resolve();
    rest.answerAll();
    await Promise.all(stored);
    await rest.close();
    return rest;
  }

  isDurable(handle: string): boolean {
    return this.durable.has(handle);
  }

  /** How much has not been answered. */
  get openCount(): number {
    return this.open_.length;
  }

  answer(which: number): void {
    this.open_.splice(which % this.open_.length, 1)[0]?.answer();
  }

  refuse(which: number): void {
    this.open_.splice(which % this.open_.length, 1)[0]?.refuse();
  }

  answerAll(): void {
    while (this.open_.length > 0) this.answer(0);
  }

  override async flush(): Promise<void> {
    this.answerAll();
    return super.flush();
  }

  override async close(): Promise<void> {
    this.answerAll();
    return super.close();
  }

  override add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    this.living.add(job.handle);
    return super.add(job, lease, {
      stored: (existing, isLeased = false) =>
        void (existing ? this.written(existing) : this.write(job)).then(
          (stored) => adder.stored(stored, isLeased && this.living.has(job.handle)),
          (error: StorageError) => adder.refused(error),
        ),
      refused: (error) => adder.refused(error),
    });
  }

  override lease(name: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    return this.later(() => super.lease(name, priority, count, now));
  }

  override leaseOne(handle: string): Promise<StoredJob | undefined> {
    return this.later(() => super.leaseOne(handle));
  }

  override findByUnique(unique: string, name?: string): Promise<QueuedJob | undefined> {
    return this.later(() => super.findByUnique(unique, name));
  }

  override done(handle: string, outcome?: JobOutcome): void {
    super.done(handle, outcome);
    this.over(handle);
  }

  override bury(handle: string, error: string, now: number): void {
    super.bury(handle, error, now);
    this.over(handle);
  }

  override remove(handle: string): Promise<Removal> {
    this.over(handle);
    return super.remove(handle);
  }

  /** A job's record goes to the disk, unless it ended first. */
  private write(job: JobRecord): Promise<undefined> {
    const { handle } = job;
    if (!this.living.has(handle)) return Promise.resolve(undefined);
    const write = {} as { -readonly [Key in keyof Write]: Write[Key] };
    write.outcome = new Promise((resolve, reject) => {
      write.resolve = resolve;
      this.open_.push({
        answer: () => {
          if (!this.writing.delete(handle)) return;
          this.durable.set(handle, job);
          resolve(undefined);
        },
        refuse: () => {
          if (!this.writing.delete(handle)) return;
          void this.remove(handle);
          reject(FAILURE);
        },
      });
    });
    this.writing.set(handle, write);
    return write.outcome;
  }

  private async written(existing: StoredJob): Promise<StoredJob> {
    await this.writing.get(existing.handle)?.outcome;
    return existing;
  }

  private over(handle: string): void {
    this.living.delete(handle);
    this.durable.delete(handle);
    const write = this.writing.get(handle);
    this.writing.delete(handle);
    write?.resolve(undefined);
  }

  private later<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const early = this.isEager ? ask() : undefined;
    return new Promise((resolve, reject) => {
      this.open_.push({
        answer: () => void (early ?? ask()).then(resolve, reject),
        // A lease that was given is not lost: only what has not been asked can fail.
        refuse: () => void (early ? early.then(resolve, reject) : reject(FAILURE)),
      });
    });
  }
}
