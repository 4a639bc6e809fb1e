import type { ByteString, Job, Outcome } from '../engine/index.js';

/** How many watchers there may be at once, over all jobs. */
export const MAX_WATCHERS = 256;

/** Is told what happens to a job, and does not count as its client. */
export interface JobWatcher {
  /** A worker was given the job. */
  started?(): void;
  /** It lost its worker, or failed and is to run again. */
  requeued?(): void;
  /** Part of its result. */
  data?(bytes: Buffer): void;
  warning?(bytes: Buffer): void;
  progress?(numerator: number, denominator: number): void;
  /** It is over; `result`: its result, or why it failed. Told once, and nothing after it. */
  ended?(outcome: Outcome, result: Buffer): void;
}

/**
 * Watchers by the job's handle, which stays the same while a job goes to
 * storage and comes back. While there are none, nothing is looked up.
 */
export class Watchers {
  private readonly byHandle = new Map<ByteString, Set<JobWatcher>>();
  private count = 0;

  /** @param failed is told what a watcher threw: the engine is in the middle of something, and goes on. */
  constructor(
    private readonly handleOf: (job: Job) => ByteString,
    private readonly failed: (error: unknown, handle: ByteString) => void,
  ) {}

  /** Adds a watcher, and returns a function that removes it; undefined when there are {@link MAX_WATCHERS}. */
  add(handle: ByteString, watcher: JobWatcher): (() => void) | undefined {
    if (this.count >= MAX_WATCHERS) return undefined;
    let watchers = this.byHandle.get(handle);
    if (!watchers) this.byHandle.set(handle, (watchers = new Set()));
    if (!watchers.has(watcher)) this.count++;
    watchers.add(watcher);
    return () => this.remove(handle, watcher);
  }

  /** Tells those who watch a job. */
  tell(job: Job, tell: (watcher: JobWatcher) => void): void {
    if (this.count === 0) return;
    const handle = this.handleOf(job);
    for (const watcher of [...(this.byHandle.get(handle) ?? [])]) this.guard(handle, () => tell(watcher));
  }

  /** Tells them that it is over, and forgets them. */
  end(job: Job, tell: (watcher: JobWatcher) => void): void {
    if (this.count === 0) return;
    const handle = this.handleOf(job);
    for (const watcher of [...(this.byHandle.get(handle) ?? [])]) {
      this.remove(handle, watcher);
      this.guard(handle, () => tell(watcher));
    }
  }

  private guard(handle: ByteString, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.failed(error, handle);
    }
  }

  private remove(handle: ByteString, watcher: JobWatcher): void {
    const watchers = this.byHandle.get(handle);
    if (!watchers?.delete(watcher)) return;
    this.count--;
    if (watchers.size === 0) this.byHandle.delete(handle);
  }
}
