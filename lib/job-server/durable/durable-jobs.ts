import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { aboutError } from '../../ground/index.js';
import { fromByteString } from '../../protocol/index.js';
import {
  type ByteString,
  type Engine,
  type FunctionSettings,
  type GearmanFunction,
  type Job,
  type JobSpec,
  type Moment,
  type Outcome,
  type Peer,
  type Priority,
  type Workload,
} from '../engine/index.js';
import { Answer, queueError, type Submitted } from './answer.js';
import { ClockSkew } from './clock-skew.js';
import type { DurableHost, DurableOptions } from './durable-host.js';
import { JobFeed } from './job-feed.js';
import { LISTED_AT_ONCE, type StoredLine, type StoredState } from './job-lines.js';
import { KeptResults } from './kept-results.js';
import { KeptSettings } from './kept-settings.js';
import { wireUnique } from './job-record.js';
import { Retries } from './retries.js';
import {
  closedError,
  type FireOutcome,
  type JobStorage,
  type QueuedJob,
  type StorageError,
  type StorageHealth,
  type StoredJob,
} from '../storage/index.js';
import { Submissions } from './submissions.js';

/** How long accepted submissions may delay the end of the job server, in milliseconds. */
const FLUSH_TIMEOUT = 2_000;

/**
 * Keeps the promise of background jobs: what is answered with JOB_CREATED is on
 * disk, and stays there until its worker has reported the end.
 *
 *   submission --> storage --durable--> JOB_CREATED
 *                    |  ^
 *         leased: at |  | done, lost once more
 *         once, or   v  |
 *         as wanted  engine --> worker
 *
 * A job that the storage leases with its submission is given to the engine at
 * once and may run before it is on disk; its JOB_CREATED waits for the disk all
 * the same. Every other one comes by the {@link JobFeed}. Foreground jobs are
 * never stored: their client waits and will know.
 */
export class DurableJobs {
  private opening: Promise<void> | undefined;
  private isOpen = false;
  private wasOpen = false;
  /** Why the storage cannot write now. */
  private trouble: StorageError | undefined;
  /** How many records the storage has set aside. */
  setAside = 0;
  private isEnding = false;
  private readonly feed: JobFeed;
  private readonly results: KeptResults;
  private readonly settings: KeptSettings;
  private readonly submissions: Submissions;
  private readonly retries: Retries;
  private readonly skew: ClockSkew;

  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly host: DurableHost,
    options: DurableOptions,
  ) {
    this.feed = new JobFeed(engine, storage, host, options.window);
    this.submissions = new Submissions(engine, storage, host, this.feed, (spec, client) => this.submit(spec, client));
    this.results = new KeptResults(storage, options.keepResults);
    this.retries = new Retries(options.policies);
    this.skew = new ClockSkew(host.time, host.log);
    this.settings = new KeptSettings(engine, storage, host.log);
  }

  /** Opens the storage; the first call does, the others wait for it. After a failure the next call tries again. */
  open(): Promise<void> {
    this.opening ??= this.openStorage().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  /**
   * The job server is about to close its connections: workers lost from now on
   * are not the jobs' fault. Resolves when the accepted submissions are
   * answered, or the disk takes too long.
   */
  async prepareClose(): Promise<void> {
    this.isEnding = true;
    if (!this.isOpen) return;
    const flushed = this.storage.flush().catch((error: Error) => this.logTrouble(error));
    const deadline = new AbortController();
    await Promise.race([flushed, delay(FLUSH_TIMEOUT, undefined, { signal: deadline.signal }).catch(() => undefined)]);
    deadline.abort();
    // Some answers are on their way through promises.
    await nextTurn();
  }

  /** Makes everything durable, closes the storage and puts its jobs away. */
  async close(): Promise<void> {
    await this.opening?.catch(() => undefined);
    this.opening = undefined;
    const { backlog } = this.storage.health();
    try {
      if (this.isOpen) await this.storage.close();
    } catch (error) {
      const { code, message } = error as StorageError;
      if (code !== 'GEARMAN_STORAGE_UNREACHABLE') throw error;
      const left = `up to ${backlog} ends of jobs could not be written and what is leased could not be given back`;
      const line = `storage: ${left}: the other job servers run those jobs in time; ${message}`;
      this.host.log('error', line, { count: backlog, code });
    } finally {
      this.isOpen = this.isEnding = false;
      await this.feed.settled();
      this.putAway();
    }
  }

  /** Accepts a job; for a background job the answer comes when it is on disk. */
  submit(spec: JobSpec, client: Peer): Submitted | Answer {
    if (this.isOpen) return this.submissions.submit(spec, client);
    // Once it was closed, only `open` opens it again: nobody would close it after this.
    if (!this.opening && this.wasOpen) return queueError(closedError());
    return Answer.from(this.open().then(() => this.submit(spec, client)));
  }

  /**
   * Fires a tick of a schedule, without a job where it is only passed over: see
   * `JobStorage.fire`. Rejects where the job cannot be accepted now.
   */
  async fire(id: ByteString, tick: number, spec?: JobSpec): Promise<FireOutcome> {
    await this.opening;
    return this.submissions.fire(id, tick, spec);
  }

  /** Whether a job waits, runs, or will be tried again. */
  async isQueued(handle: ByteString): Promise<boolean> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    return found?.state === 'waiting' || found?.state === 'leased';
  }

  /** What is kept by name beside the jobs. */
  kept(): ReadonlyMap<string, string> {
    return this.storage.settings();
  }

  /** Keeps something by name beside the jobs; throws a StorageError where it cannot. */
  keep(name: string, value: string | undefined): void {
    this.storage.set(name, value);
  }

  /** Whether jobs can be accepted: the storage is open. */
  get isReady(): boolean {
    return this.isOpen && !this.isEnding;
  }

  /** Whether other job servers have the storage open as well. */
  get isShared(): boolean {
    return this.storage.isShared;
  }

  /** What is wrong with the storage now, or undefined. */
  get problem(): string | undefined {
    if (!this.isOpen) return 'The storage is not open.';
    const { message } = this.trouble ?? {};
    if (this.storage.isFenced) return message === undefined ? FENCED : `${FENCED} ${message}`;
    return message && `The storage cannot write: ${message}`;
  }

  /** How the storage is doing. */
  get health(): StorageHealth {
    return this.storage.health();
  }

  /** Whether a job that failed for good becomes a dead letter. */
  isBuried(job: Job): boolean {
    return job.isStored && this.retries.isBuried(job);
  }

  /** A job ended: it leaves the storage, or goes to the dead letters. */
  ended(job: Job, outcome: Outcome, result: Workload): void {
    this.host.elsewhere?.ended(job);
    if (!job.isStored) return;
    // Asked while the job is still stored.
    const isBuried = outcome === 'failed' && this.isBuried(job);
    job.isStored = false;
    const handle = this.engine.handleOf(job);
    this.feed.ended(job);
    if (isBuried) {
      this.storage.change(handle, { losses: job.losses, attempts: job.attempts });
      this.storage.bury(handle, errorText(result), this.host.time.date);
    } else {
      this.storage.done(handle, this.results.outcomeOf(outcome, result, this.host.time));
    }
  }

  /** A job is to run again later, and waits in storage alone. */
  parked(job: Job, delay: number): void {
    const { attempts, losses, function_ } = job;
    const at = this.host.time.date + delay;
    job.isStored = false;
    this.storage.release(this.engine.handleOf(job), { attempts, losses, at });
    this.feed.recount(function_);
    this.feed.wakeFor(at);
  }

  /** A job lost its worker: the loss is counted on disk as well. */
  requeued(job: Job): void {
    if (!job.isStored || this.isEnding) return;
    this.storage.change(this.engine.handleOf(job), { losses: job.losses, attempts: job.attempts });
    if (this.feed.isFenced) this.feed.giveBackOne(job);
  }

  /**
   * To be called before a job is given out: looks whether others may have the
   * leases of this job server by now. Then what waits here is given back, and
   * nothing is leased until this job server has shown that it is alive.
   */
  lookAtFence(): void {
    const { isFenced = false } = this.storage;
    if (isFenced === this.feed.isFenced || !this.isOpen) return;
    if (isFenced) this.host.log('error', `storage: ${FENCED}`);
    else this.host.log('info', 'storage: the others see that this job server is alive; it gives out stored jobs again');
    this.feed.fence(isFenced);
  }

  /** When a job that failed, or whose worker was lost, runs again: see `EngineListener.retryAfter`. */
  retryAfter(job: Job, cause: 'failed' | 'lost'): number | 'exhausted' | 'again' | undefined {
    return this.isEnding && cause === 'lost' ? 'again' : this.retries.retryAfter(job);
  }

  /** An operator set something for a function. */
  functionSet(name: ByteString, settings: FunctionSettings): void {
    this.settings.set(name, settings);
  }

  /** A dead letter of a function waits again. */
  replayed(name: ByteString): void {
    const function_ = this.feed.functionOf(name);
    function_.stats.replayed++;
    this.feed.came(function_);
  }

  /** Nobody here is given jobs of a function any more: see `EngineListener.idle`. */
  idle(function_: GearmanFunction): void {
    if (this.isOpen) this.feed.becameIdle(function_);
  }

  /** See `EngineListener.oldestStored`. */
  oldestStored(function_: GearmanFunction, priority: Priority): number | undefined {
    return this.feed.oldest(function_, priority);
  }

  /** A queue of the engine runs low: leases more jobs for it. */
  want(function_: GearmanFunction, priority: Priority): void {
    this.feed.want(function_, priority);
  }

  /** Fetches jobs whose time has come, and forgets results whose time is over. */
  tick(moment: Moment): void {
    if (!this.isOpen) return;
    const failed = (error: Error): void => {
      // While the job server ends its storage may refuse: the next owner forgets them.
      if (this.isReady) this.logTrouble(error);
    };
    this.host.time.at(this.results.tick(moment, failed));
    this.feed.tick(moment);
  }

  async find(handle: ByteString): Promise<StoredState> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    if (found?.state === 'ended') return found.outcome;
    // A dead letter is kept whatever `keepResults` says, and so is why it failed.
    if (found?.state === 'dead') return { state: 'failed', result: Buffer.from(found.letter.error) };
    return found ? this.stateOf(found) : { state: 'unknown' };
  }

  async findUnique(unique: ByteString): Promise<StoredState> {
    await this.opening;
    const found = await this.storage.findByUnique(unique);
    return found ? this.stateOf(found) : { state: 'unknown' };
  }

  /** How a job that is not here is doing, asked of the job server that has it. */
  private async stateOf({ job, holder }: QueuedJob): Promise<StoredState> {
    const progress = holder && (await this.host.elsewhere?.status(holder, job.handle));
    if (!progress?.isRunning) return { state: 'waiting' };
    return { state: 'running', numerator: progress.numerator, denominator: progress.denominator };
  }

  /** Whether a job is here only because clients here wait for it: another job server has it. */
  isElsewhere(handle: ByteString): boolean {
    const job = this.engine.find(handle);
    return job !== undefined && this.host.elsewhere?.has(job) === true;
  }

  /** Cancels a job that waits in storage, or that another job server has, which is told. */
  async cancel(handle: ByteString): Promise<boolean> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'waiting' && found?.state !== 'leased') return false;
    // A job that is on its way to the engine is cancelled there.
    if (found.state === 'leased' && !found.holder) return this.cancelHere(handle);
    if ((await this.storage.remove(handle)) === 'unknown') return false;
    // The job may have come here meanwhile.
    const function_ = this.feed.functionOf(found.job.function);
    if (!this.engine.cancel(handle)) function_.stats.cancelled++;
    this.feed.recount(function_);
    return true;
  }

  /** The jobs that wait in storage only, of a function or of all, in pages. */
  async *waiting(name?: ByteString): AsyncIterable<readonly StoredJob[]> {
    await this.opening;
    const options = name === undefined ? {} : { function: name };
    for await (const page of this.storage.iterate(options)) {
      yield page.filter(({ handle }) => !this.engine.find(handle));
    }
  }

  /** How many jobs wait in storage only, of a function or of all, as far as is known: O(functions). */
  waitingCount(name?: ByteString): number {
    if (!this.isOpen) return 0;
    const counts = name === undefined ? this.storage.counts() : [this.storage.count(name)];
    return counts.reduce((sum, { waiting: [high, normal, low] }) => sum + high + normal + low, 0);
  }

  /** A job that is in storage and neither dead nor over, or undefined. */
  async jobOf(handle: ByteString): Promise<StoredJob | undefined> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    return found?.state === 'waiting' || found?.state === 'leased' ? found.job : undefined;
  }

  /** A job that is in storage and not over, also a dead letter; or undefined. */
  async recordOf(handle: ByteString): Promise<StoredJob | undefined> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    if (found?.state === 'dead') return found.letter.job;
    return found?.state === 'waiting' || found?.state === 'leased' ? found.job : undefined;
  }

  /** Brings a job that waits in storage to the engine, whatever its place. */
  bring(handle: ByteString): Promise<void> {
    return this.feed.fetchOne(handle);
  }

  /** The jobs that wait in storage only, in pages. */
  async *lines(): AsyncIterable<readonly StoredLine[]> {
    await this.opening;
    for await (const page of this.storage.iterate({ pageSize: LISTED_AT_ONCE })) {
      const lines = page.filter(({ handle }) => !this.engine.find(handle));
      yield lines.map(({ handle, unique, losses }) => ({ handle, unique: wireUnique(unique), losses }));
    }
  }

  /** Cancels a job that this job server has leased, once it is here. */
  private async cancelHere(handle: ByteString): Promise<boolean> {
    if (this.engine.cancel(handle)) return true;
    await this.feed.settled();
    return this.engine.cancel(handle);
  }

  // --- opening and closing ---

  private logTrouble(error: Error): void {
    this.host.log('error', `storage: ${error.message}`, aboutError(error));
  }

  private async openStorage(): Promise<void> {
    await this.storage.open({
      ready: (name, priority) => this.feed.ready(name, priority),
      trouble: (error) => {
        this.trouble = error;
        if (error) this.logTrouble(error);
        else this.host.log('info', 'storage: writes again');
        if (!error) this.feed.retry();
      },
      compaction: (error) => {
        if (error)
          this.host.log('error', `storage: grows, as it cannot be made shorter: ${error.message}`, aboutError(error));
        else this.host.log('info', 'storage: is made shorter again');
      },
      lost: (handles) => {
        const count = handles.length;
        this.host.log('warn', `storage: taken for dead; ${count} jobs are left to other job servers`, { count });
        this.feed.lost(handles);
      },
      cancel: (handle) => void this.cancelHere(handle),
      fenced: () => this.lookAtFence(),
      clock: (date, within) => this.skew.compare(date, within),
      set: (name, value) => {
        this.settings.heard(name, value);
        this.host.heard(name);
      },
      setAside: ({ function: name, key, reason }) => {
        this.setAside++;
        const job = `a job of ${fromByteString(name)}`;
        this.host.log('error', `storage: ${job} cannot be read and was set aside as ${key}: ${reason}`, {
          function: fromByteString(name),
        });
        if (name !== '') this.feed.recount(this.feed.functionOf(name));
      },
    });
    this.settings.restart();
    this.feed.restart();
    if (!this.wasOpen) this.countRestored();
    this.isOpen = this.wasOpen = true;
    this.tick(this.host.time);
  }

  /** Counts what was found in storage. Not when it is opened again in this process: those jobs were counted before. */
  private countRestored(): void {
    for (const { function: name, total } of this.storage.counts()) {
      const restored = total.reduce((sum, count) => sum + count, 0);
      if (restored > 0) this.feed.functionOf(name).stats.restored += restored;
    }
  }

  /** Removes from the engine what storage keeps: it is leased again when the storage is opened again. */
  private putAway(): void {
    for (const job of this.engine.jobs()) {
      if (!job.isStored) continue;
      job.isStored = false;
      this.engine.putAway(job);
    }
  }
}

/** What is wrong where the others may take this job server for dead. */
const FENCED =
  'This job server cannot show the others that it is alive; it gives out no stored jobs until it can. See that it reaches the database.';

/** How much of an exception is kept with a dead letter, in UTF-16 code units. */
const ERROR_LENGTH = 4_096;

/** So many bytes are looked at, since an exception may be large: three make one code unit at least, and the last may be cut. */
const ERROR_BYTES = 3 * ERROR_LENGTH + 4;

function errorText(reason: Workload): string {
  const bytes =
    typeof reason === 'string'
      ? Buffer.from(reason.slice(0, ERROR_BYTES), 'latin1')
      : Buffer.from(reason.subarray(0, ERROR_BYTES));
  // The cut may leave half of a character that takes two code units.
  return bytes
    .toString('utf8')
    .slice(0, ERROR_LENGTH)
    .replace(/[\ud800-\udbff]$/, '');
}
