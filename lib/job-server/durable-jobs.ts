import {
  PRIORITIES,
  Refusal,
  type ByteString,
  type Engine,
  type GearmanFunction,
  type Job,
  type JobSpec,
  type Outcome,
  type Peer,
  type Priority,
  type Workload,
} from './engine/index.js';
import type { Log, StoredJobs, StoredLine, StoredState, Submitted } from './front/index.js';
import { newJob, recordOf, specOf, storedUnique, wireUnique } from './job-record.js';
import type { Retries } from './retries.js';
import type { JobOutcome, JobStorage, StoredJob } from './storage/index.js';

/** How often results whose time is over are looked for, in milliseconds. */
const FORGET_INTERVAL = 10_000;

/**
 * Brings engine and storage together: what is promised is on disk, and what is
 * on disk comes to the engine as its queues run low.
 *
 *   submission --> storage --durable--> JOB_CREATED
 *                    |  ^
 *         leased: at |  | done, lost once more
 *         once, or   v  |
 *         as wanted  engine --> worker
 *
 * A background job without a unique is given to the engine at once and may run
 * before it is on disk; its JOB_CREATED waits for the disk all the same. With a
 * unique the storage is asked first, since it may know a job the engine does
 * not hold. Foreground jobs are never stored: their client waits and will know.
 */
export class DurableJobs implements StoredJobs {
  private opening: Promise<void> | undefined;
  private isOpen = false;
  private nextForget = 0;
  /** Jobs in the engine whose record is still on its way to the disk. */
  private readonly unwritten = new Map<Job, Promise<Submitted>>();

  /**
   * @param window how many jobs of a function and priority the engine holds.
   * @param keepResults how long the results of ended jobs can be asked for, in milliseconds.
   * @param arm is told when `tick` should be called.
   * @param accepted is told of every background job taken.
   */
  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly window: number,
    private readonly retries: Retries,
    private readonly keepResults: number,
    private readonly log: Log,
    private readonly arm: (at: number) => void,
    private readonly accepted: (spec: JobSpec, handle: ByteString) => void,
  ) {}

  /** Opens the storage; the first call does, the others wait for it. */
  open(): Promise<void> {
    this.opening ??= this.openStorage();
    return this.opening;
  }

  /** Makes everything durable and closes the storage. */
  async close(): Promise<void> {
    if (!this.opening) return;
    await this.opening.catch(() => undefined);
    if (this.isOpen) await this.storage.close();
    this.isOpen = false;
    this.opening = undefined;
  }

  /** Takes a job; for a background job the answer comes when it is on disk. */
  submit(spec: JobSpec, client: Peer): Submitted | Promise<Submitted> {
    if (!this.isOpen) return this.open().then(() => this.submit(spec, client));
    const existing = this.engine.findCoalescing(spec);
    if (existing) return this.join(existing, spec, client);
    const refusal = this.engine.refusalOf(spec);
    if (refusal) return refusal;
    const key = storedUnique(spec);
    if (spec.isBackground) return key === '' ? this.store(spec) : this.storeUnique(spec, key);
    if (key === '' || this.storage.count(spec.function).total.every((count) => count === 0)) {
      return this.submitNow(spec, client);
    }
    return this.submitUnlessStored(spec, key, client);
  }

  /** A job ended: it leaves the storage, or goes to the dead letters. */
  ended(job: Job, outcome: Outcome, result: Workload): void {
    if (!job.isStored || !this.isOpen) return;
    const handle = this.engine.handleOf(job);
    const now = Date.now();
    if (outcome === 'failed' && this.retries.isBuried(job)) {
      this.storage.change(handle, { losses: job.losses, attempts: job.attempts });
      this.storage.bury(handle, errorText(result), now);
    } else {
      this.storage.done(handle, this.outcomeOf(outcome, result, now));
    }
  }

  /** A job is to run again later, and waits in storage alone. */
  parked(job: Job, until: number): void {
    const { attempts, losses, function_, priority } = job;
    this.storage.release(this.engine.handleOf(job), { attempts, losses, at: until });
    function_.stored[priority]++;
    this.arm(until);
  }

  /** A job lost its worker: the loss is counted on disk as well. */
  requeued(job: Job): void {
    if (job.isStored && this.isOpen) {
      this.storage.change(this.engine.handleOf(job), { losses: job.losses, attempts: job.attempts });
    }
  }

  /** The engine runs low: leases more jobs for it. */
  want(function_: GearmanFunction, priority: Priority): void {
    this.fetch(function_, priority).catch((error: Error) => {
      this.log('error', `storage: cannot fetch jobs of ${function_.name}: ${error.message}`);
      // Asked again with the next job of it, or when the storage says that some are ready.
      function_.isFetching[priority] = false;
    });
  }

  /** Fetches jobs whose time has come. */
  tick(now: number): void {
    if (!this.isOpen) return;
    if (this.keepResults > 0) this.forgetResults(now);
    const { ready, next } = this.storage.due(now);
    for (const queue of ready) this.becameReady(queue.function, queue.priority);
    this.arm(next);
  }

  async find(handle: ByteString): Promise<StoredState> {
    const found = await this.storage.findByHandle(handle);
    if (found?.state === 'ended') return found.outcome;
    return found?.state === 'waiting' || found?.state === 'leased' ? { state: 'waiting' } : { state: 'unknown' };
  }

  /** Cancels a job that waits in storage only. */
  async cancel(handle: ByteString): Promise<boolean> {
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'waiting' || !(await this.storage.remove(handle))) return false;
    const function_ = this.engine.functions.find(found.job.function);
    if (function_) function_.stored[found.job.priority]--;
    return true;
  }

  /** The jobs that wait in storage only, in pages. */
  async *lines(): AsyncIterable<readonly StoredLine[]> {
    for await (const page of this.storage.iterate()) {
      const lines = page.filter(({ handle }) => !this.engine.find(handle));
      yield lines.map(({ handle, unique, losses }) => ({ handle, unique: wireUnique(unique), losses }));
    }
  }

  // --- opening ---

  private async openStorage(): Promise<void> {
    await this.storage.open({
      ready: (name, priority) => this.becameReady(name, priority),
      trouble: (error) => {
        if (error) this.log('error', `storage: ${error.message}`);
        else this.log('info', 'storage: writes again');
      },
      setAside: ({ function: name, key, reason }) =>
        this.log('error', `storage: a job of ${name} cannot be read and was set aside as ${key}: ${reason}`),
    });
    for (const { function: name, total } of this.storage.counts()) {
      const function_ = this.functionOf(name);
      for (const priority of PRIORITIES) function_.stored[priority] = total[priority];
    }
    this.isOpen = true;
    this.tick(Date.now());
  }

  // --- submissions ---

  private submitNow(spec: JobSpec, client: Peer): Submitted {
    const job = this.engine.submit(spec, client);
    return job instanceof Refusal ? job : this.engine.handleOf(job);
  }

  /** A submission for a job that the engine holds. */
  private join(existing: Job, spec: JobSpec, client: Peer): Submitted | Promise<Submitted> {
    const wasForeground = spec.isBackground && !existing.isStored;
    const handle = this.submitNow(spec, client);
    if (wasForeground)
      return this.promise(existing, this.storage.add(recordOf(existing, handle as ByteString), true).stored);
    return spec.isBackground ? (this.unwritten.get(existing) ?? handle) : handle;
  }

  /** Stores a background job that coalesces with no other. */
  private store(spec: JobSpec): Promise<Submitted> {
    const function_ = this.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const { isLeased, stored } = this.storage.add(newJob(spec, handle, ''), this.hasRoom(function_, spec));
    if (!isLeased) return stored.then(() => this.leftInStorage(function_, spec, handle), refusalOf);
    this.engine.restore({ ...spec, handle, losses: 0, attempts: 0 });
    this.accepted(spec, handle);
    return this.promise(this.engine.find(handle)!, stored);
  }

  private async storeUnique(spec: JobSpec, key: ByteString): Promise<Submitted> {
    const function_ = this.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const { isLeased, stored } = this.storage.add(newJob(spec, handle, key), this.hasRoom(function_, spec));
    try {
      const existing = await stored;
      if (existing) return existing.handle;
    } catch (error) {
      return refusalOf(error as Error);
    }
    if (!isLeased) return this.leftInStorage(function_, spec, handle);
    this.engine.restore({ ...spec, handle, losses: 0, attempts: 0 });
    this.accepted(spec, handle);
    return handle;
  }

  /** A foreground submission that may belong to a job in storage: then that job comes here, to be waited for. */
  private async submitUnlessStored(spec: JobSpec, key: ByteString, client: Peer): Promise<Submitted> {
    const stored = await this.storage.findByUnique(spec.function, key);
    if (stored && !this.engine.find(stored.handle)) {
      const leased = await this.storage.leaseOne(stored.handle);
      if (!leased) return this.submit(spec, client);
      this.takeIn(this.functionOf(spec.function), leased);
    }
    return this.submitNow(spec, client);
  }

  /** Answers a submission once its job is on disk; a job that could not be written is taken back. */
  private promise(job: Job, stored: Promise<unknown>): Promise<Submitted> {
    const handle = this.engine.handleOf(job);
    job.isStored = true;
    const answer = stored.then(
      () => handle,
      (error: Error) => {
        job.isStored = false;
        this.takeBack(job);
        return refusalOf(error);
      },
    );
    this.unwritten.set(job, answer);
    return answer.finally(() => this.unwritten.delete(job));
  }

  /** A job that could not be written: gone, unless a foreground client waits for it anyway. */
  private takeBack(job: Job): void {
    job.isBackground = false;
    if (job.isAbandoned) this.engine.withdraw(job);
  }

  private leftInStorage(function_: GearmanFunction, spec: JobSpec, handle: ByteString): ByteString {
    function_.stored[spec.priority]++;
    this.accepted(spec, handle);
    if (spec.runAt > 0) this.arm(spec.runAt);
    else this.engine.refill(function_);
    return handle;
  }

  private outcomeOf(outcome: Outcome, result: Workload, now: number): JobOutcome | undefined {
    if (this.keepResults === 0 || (outcome !== 'completed' && outcome !== 'failed')) return undefined;
    const state = outcome === 'completed' ? 'complete' : 'failed';
    return { state, result, keepUntil: now + this.keepResults };
  }

  private hasRoom(function_: GearmanFunction, { priority }: JobSpec): boolean {
    return function_.queues[priority].length < this.window;
  }

  /** Forgets results whose time is over, now and then. */
  private forgetResults(now: number): void {
    this.arm(now + FORGET_INTERVAL);
    if (now < this.nextForget) return;
    this.nextForget = now + FORGET_INTERVAL;
    this.storage.forget(now).catch((error: Error) => this.log('error', `storage: ${error.message}`));
  }

  // --- fetching ---

  private async fetch(function_: GearmanFunction, priority: Priority): Promise<void> {
    const count = this.window - function_.queues[priority].length;
    const jobs = await this.storage.lease(function_.name, priority, count, Date.now());
    // Fewer than asked for: no more are ready, until the storage or the time says otherwise.
    function_.isFetching[priority] = jobs.length < count;
    for (const job of jobs) this.takeIn(function_, job);
  }

  private takeIn(function_: GearmanFunction, job: StoredJob): void {
    function_.stored[job.priority]--;
    this.engine.restore(specOf(job));
  }

  private becameReady(name: ByteString, priority: Priority): void {
    const function_ = this.engine.functions.find(name);
    if (!function_) return;
    function_.isFetching[priority] = false;
    this.engine.refill(function_);
  }

  private functionOf(name: ByteString): GearmanFunction {
    this.engine.createFunction(name);
    return this.engine.functions.find(name) ?? this.engine.functions.create(name);
  }
}

/** How much of an exception is kept with a dead letter, in characters. */
const ERROR_LENGTH = 4_096;

function errorText(reason: Workload): string {
  const bytes = typeof reason === 'string' ? Buffer.from(reason, 'latin1') : Buffer.from(reason);
  return bytes.toString('utf8').slice(0, ERROR_LENGTH);
}

function refusalOf(error: Error): Refusal {
  return new Refusal('QUEUE_ERROR', error.message);
}
