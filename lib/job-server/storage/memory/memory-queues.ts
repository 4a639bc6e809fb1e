import type { DueJobs } from '../job-storage.js';
import { QueueTable } from '../queue-table.js';
import { earlier, readySince, type QueueName, type StoredJob } from '../stored-job.js';
import { WaitingList } from './waiting-list.js';

/** The jobs of one function and priority in a {@link MemoryStorage}. */
export class MemoryQueue {
  /** Waiting jobs without a time. */
  private readonly ready = new WaitingList<StoredJob>();
  /** Waiting jobs with a time, due or not. */
  private readonly scheduled = new WaitingList<StoredJob>();
  /** All jobs, leased ones included. */
  total = 0;

  constructor(readonly name: QueueName) {}

  /** All, those that nobody has leased, those of them with a time. */
  get counts(): readonly [total: number, waiting: number, scheduled: number] {
    return [this.total, this.ready.size + this.scheduled.size, this.scheduled.size];
  }

  /** Whether jobs without a time wait. */
  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  wait(job: StoredJob): void {
    this.listOf(job).insert(job);
  }

  take(now: number): StoredJob | undefined {
    return this.isDue(now) ? this.scheduled.take() : this.ready.take();
  }

  takeOut(job: StoredJob): void {
    this.listOf(job).remove(job);
  }

  /** Since when the first ones wait, where that is known. */
  oldest(now: number): number | undefined {
    const [ready, due] = [this.ready.first, this.isDue(now) ? this.scheduled.first : undefined];
    return earlier(ready && readySince(ready), due && readySince(due));
  }

  isDue(now: number): boolean {
    return this.nextTime <= now;
  }

  /** The time of the first job that has one. */
  get nextTime(): number {
    return this.scheduled.first?.at ?? Infinity;
  }

  private listOf(job: StoredJob): WaitingList<StoredJob> {
    return job.at > 0 ? this.scheduled : this.ready;
  }
}

/** Every function's three queues. */
export class MemoryQueues extends QueueTable<MemoryQueue> {
  constructor() {
    super((name) => new MemoryQueue(name));
  }

  queueOf(job: StoredJob): MemoryQueue {
    return this.queue(job.function, job.priority);
  }

  due(now: number): DueJobs {
    const ready: QueueName[] = [];
    let next = Infinity;
    for (const queue of this.queues) {
      if (queue.isDue(now)) ready.push(queue.name);
      else next = Math.min(next, queue.nextTime);
    }
    return { ready, next };
  }
}
