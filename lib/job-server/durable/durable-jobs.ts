import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { aboutError } from '../../ground/index.js';
import { fromByteString } from '../../protocol/index.js';
import {
  lookAgainFor,
  Refusal,
  type ByteString,
  type Engine,
  type FunctionSettings,
  type GearmanFunction,
  type Job,
  type JobHistory,
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
import { newJob, recordOf, storedUnique, wireUnique } from './job-record.js';
import { Retries } from './retries.js';
import type { FireOutcome, JobStorage, QueuedJob, StorageError, StorageHealth, StoredJob } from '../storage/index.js';
import { Submission, type SubmissionHost } from './submission.js';
import { UnwrittenJobs } from './unwritten-jobs.js';

/** How long submissions taken may hold up the end of the job server, in milliseconds. */
const FLUSH_TIMEOUT = 2_000;

/** How often a foreground submission looks for its twin in storage, where others take that away meanwhile. */
const LOOKS = 3;

/** The answer to nobody: a foreground submission whose client left before it was taken. */
const CLIENT_LEFT = new Refusal('CLIENT_LEFT', 'The client is gone');

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
export class DurableJobs implements SubmissionHost {
  private opening: Promise<void> | undefined;
  private isOpen = false;
  private wasOpen = false;
  /** Why the storage cannot write now. */
  private trouble: StorageError | undefined;
  /** How many records it has set aside. */
  setAside = 0;
  private isEnding = false;
  private readonly feed: JobFeed;
  private readonly results: KeptResults;
  private readonly settings: KeptSettings;
  private readonly unwritten = new UnwrittenJobs();
  private readonly retries: Retries;
  private readonly skew: ClockSkew;

  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly host: DurableHost,
    options: DurableOptions,
  ) {
    this.feed = new JobFeed(engine, storage, host, options.window);
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
   * are not the jobs' fault. Resolves when the submissions taken are answered,
   * unless the disk takes too long.
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

  /** Takes a job; for a background job the answer comes when it is on disk. */
  submit(spec: JobSpec, client: Peer): Submitted | Answer {
    if (!this.isOpen) return Answer.from(this.open().then(() => this.submit(spec, client)));
    const existing = this.engine.findCoalescing(spec);
    if (existing) return this.join(existing, spec, client);
    const key = storedUnique(spec);
    const adding = key === '' ? undefined : this.unwritten.ofUnique(spec.function, key);
    if (adding) return spec.isBackground ? adding : this.submitAfter(adding, spec, client);
    const mayBeStored = key !== '' && this.storage.count(spec.function).total.some((count) => count > 0);
    if (!spec.isBackground) {
      return mayBeStored ? Answer.from(this.submitUnlessStored(spec, key, client)) : this.submitNow(spec, client);
    }
    const refusal = this.engine.refusalOf(spec);
    if (!refusal) return this.store(spec, key);
    return mayBeStored ? Answer.from(this.refuseUnlessStored(spec, key, refusal)) : refusal;
  }

  stored(submission: Submission, existing: StoredJob | undefined, isLeased: boolean): Submitted {
    const { handle, isHere } = submission;
    // Who is here already was counted as a job of its own, and is taken back as one.
    if (existing && !isHere) submission.function_.stats.coalesced++;
    // That very job was leased meanwhile, and is here for good.
    if (existing && isLeased && existing.handle === handle) return handle;
    if (existing) return isHere ? this.takeBack(submission, existing.handle) : existing.handle;
    if (isLeased) this.takeInLate(submission);
    else if (!isHere) this.waitInStorage(submission);
    return handle;
  }

  refused(submission: Submission, error: StorageError): Submitted {
    return this.takeBack(submission, queueError(error));
  }

  /**
   * Fires a tick of a schedule, without a job where it is only passed over: see
   * `JobStorage.fire`. Rejects where the job cannot be taken now.
   */
  async fire(id: ByteString, tick: number, spec?: JobSpec): Promise<FireOutcome> {
    await this.open();
    if (!spec) return this.storage.fire(id, tick);
    const refusal = this.engine.refusalOf(spec);
    if (refusal) throw new Error(refusal.text);
    const function_ = this.feed.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const outcome = await this.storage.fire(id, tick, newJob(spec, handle, storedUnique(spec), this.host.time.date));
    if (outcome === 'fired') {
      function_.stats.accepted(spec);
      this.host.accepted(spec, handle);
      this.feed.cameOneOfMany(function_);
      if (spec.at > 0) this.wakeFor(spec.at);
    }
    return outcome;
  }

  /** Whether a job waits, runs, or will be tried again. */
  async isQueued(handle: ByteString): Promise<boolean> {
    await this.open();
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

  /** Whether jobs can be taken: the storage is open. */
  get isReady(): boolean {
    return this.isOpen && !this.isEnding;
  }

  /** Whether other job servers have it open as well. */
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

  /** How the storage does. */
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
    // Asked while it is still stored.
    const isBuried = outcome === 'failed' && this.isBuried(job);
    job.isStored = false;
    const handle = this.engine.handleOf(job);
    const { date, now } = this.host.time;
    this.feed.ended(job, now);
    if (isBuried) {
      this.storage.change(handle, { losses: job.losses, attempts: job.attempts });
      this.storage.bury(handle, errorText(result), date);
    } else {
      this.storage.done(handle, this.results.outcomeOf(outcome, result, date));
    }
  }

  /** A job is to run again later, and waits in storage alone. */
  parked(job: Job, delay: number): void {
    const { attempts, losses, function_ } = job;
    const at = this.host.time.date + delay;
    job.isStored = false;
    this.storage.release(this.engine.handleOf(job), { attempts, losses, at });
    this.feed.recount(function_);
    this.wakeFor(at);
  }

  /** A job lost its worker: the loss is counted on disk as well. */
  requeued(job: Job): void {
    if (!job.isStored || this.isEnding) return;
    this.storage.change(this.engine.handleOf(job), { losses: job.losses, attempts: job.attempts });
    if (this.feed.isFenced) this.feed.giveBackOne(job);
  }

  /**
   * Before anything is given out: whether others may have the leases of this job
   * server by now. Then what waits here is given back, and nothing is leased until
   * it has shown that it is alive.
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

  /** The engine runs low: leases more jobs for it. */
  want(function_: GearmanFunction, priority: Priority): void {
    this.feed.want(function_, priority);
  }

  /** Fetches jobs whose time has come, and forgets results whose time is over. */
  tick(moment: Moment): void {
    if (!this.isOpen) return;
    const failed = (error: Error): void => {
      // One that ends forgets no more, and its storage says so: the next to open it does.
      if (this.isReady) this.logTrouble(error);
    };
    this.host.time.at(this.results.tick(moment, failed));
    this.feed.tick(moment);
  }

  async find(handle: ByteString): Promise<StoredState> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    if (found?.state === 'ended') return found.outcome;
    // A dead letter is kept anyway, and so is why it failed.
    if (found?.state === 'dead') return { state: 'failed', result: Buffer.from(found.letter.error) };
    return found ? this.stateOf(found) : { state: 'unknown' };
  }

  async findUnique(unique: ByteString): Promise<StoredState> {
    await this.opening;
    const found = await this.storage.findByUnique(unique);
    return found ? this.stateOf(found) : { state: 'unknown' };
  }

  /** How a job does that is not here: who has it is asked. */
  private async stateOf({ job, holder }: QueuedJob): Promise<StoredState> {
    const progress = holder && (await this.host.elsewhere?.status(holder, job.handle));
    if (!progress?.isRunning) return { state: 'waiting' };
    return { state: 'running', numerator: progress.numerator, denominator: progress.denominator };
  }

  /** Whether a job is here only as clients here wait for it: it runs elsewhere. */
  isElsewhere(handle: ByteString): boolean {
    const job = this.engine.find(handle);
    return job !== undefined && this.host.elsewhere?.has(job) === true;
  }

  /** Cancels a job that waits in storage, or that another job server holds, which is told. */
  async cancel(handle: ByteString): Promise<boolean> {
    await this.opening;
    const found = await this.storage.findByHandle(handle);
    if (found?.state !== 'waiting' && found?.state !== 'leased') return false;
    // One that is on its way to the engine is cancelled there.
    if (found.state === 'leased' && !found.holder) return this.cancelHere(handle);
    if ((await this.storage.remove(handle)) === 'unknown') return false;
    // It may have come here meanwhile.
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

  /** Has the engine hold a job that waits in storage, whatever its place. */
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

  /** Opened again in this process, a storage brings what was counted before. */
  private countRestored(): void {
    for (const { function: name, total } of this.storage.counts()) {
      const restored = total.reduce((sum, count) => sum + count, 0);
      if (restored > 0) this.feed.functionOf(name).stats.restored += restored;
    }
  }

  /** Takes what storage keeps out of the engine: when it is opened again, it is leased again. */
  private putAway(): void {
    for (const job of this.engine.jobs()) {
      if (!job.isStored) continue;
      job.isStored = false;
      this.engine.putAway(job);
    }
  }

  // --- submissions ---

  private submitNow(spec: JobSpec, client: Peer): Submitted {
    if (client.isGone && !spec.isBackground) return CLIENT_LEFT;
    const job = this.engine.submit(spec, client);
    return job instanceof Refusal ? job : this.engine.handleOf(job);
  }

  /** A submission for a job that the engine holds. */
  private join(existing: Job, spec: JobSpec, client: Peer): Submitted | Answer {
    const submitted = this.submitNow(spec, client);
    if (!spec.isBackground || submitted instanceof Refusal) return submitted;
    return existing.isStored
      ? (this.unwritten.ofJob(submitted) ?? submitted)
      : this.storeHeld(existing, spec, submitted);
  }

  /** Stores a foreground job that was submitted in the background as well. */
  private storeHeld(job: Job, spec: JobSpec, handle: ByteString): Submission {
    const submission = new Submission(this, job.function_, spec, handle, true);
    this.unwritten.addJob(handle, submission);
    this.storage.add(recordOf(job, handle, this.host.time), 'always', submission);
    job.isStored = true;
    return submission;
  }

  /** Stores a background job that the engine does not know; the storage may. */
  private store(spec: JobSpec, key: ByteString): Submission {
    const function_ = this.feed.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const submission = new Submission(this, function_, spec, handle, false);
    const mayRun = this.feed.hasRoom(function_, spec.priority);
    submission.isHere = this.storage.add(newJob(spec, handle, key, this.host.time.date), mayRun, submission);
    if (key !== '' && submission.isHere) this.unwritten.addJob(handle, submission);
    else if (key !== '') this.unwritten.addUnique(spec.function, key, handle, submission);
    if (submission.isHere) this.takeIn(submission);
    return submission;
  }

  /** The engine gets a job that is on its way to the disk. */
  private takeIn(submission: Submission): void {
    this.accepted(submission);
    this.feed.takeIn(submission.spec, historyOf(submission));
  }

  /** The engine gets a job whose lease came with the write. */
  private takeInLate(submission: Submission): void {
    this.accepted(submission);
    this.feed.takeInLate(submission.function_, submission.spec, historyOf(submission));
  }

  /** A submission is taken. */
  private accepted({ function_, spec, handle }: Submission): void {
    function_.stats.accepted(spec);
    this.host.accepted(spec, handle);
  }

  /** A job waits in storage, until the engine has room. */
  private waitInStorage(submission: Submission): void {
    this.accepted(submission);
    this.feed.cameOneOfMany(submission.function_);
    if (submission.spec.at > 0) this.wakeFor(submission.spec.at);
  }

  /** Has `tick` called when a date has come. */
  private wakeFor(date: number): void {
    const { time } = this.host;
    time.at(lookAgainFor(date, time));
  }

  /** Takes back a job that could not be written: gone, unless a foreground client waits for it anyway. */
  private takeBack({ function_, handle }: Submission, answer: Submitted): Submitted {
    const job = this.engine.find(handle);
    if (job?.isStored) {
      job.isStored = false;
      job.isBackground = false;
      if (job.isAbandoned) this.engine.withdraw(job);
    }
    this.feed.refuse(handle);
    this.feed.recount(function_);
    return answer;
  }

  /** A foreground submission of a unique that another one is about to store. */
  private submitAfter(adding: Answer, spec: JobSpec, client: Peer): Answer {
    return Answer.from(adding.heard.then(() => this.submit(spec, client)));
  }

  /** A foreground submission that may belong to a job in storage: then that job comes here, to be waited for. */
  private async submitUnlessStored(spec: JobSpec, key: ByteString, client: Peer): Promise<Submitted | Answer> {
    for (let look = 0; look < LOOKS; look++) {
      const found = await this.storage.findByUnique(key, spec.function);
      if (!found || this.engine.findCoalescing(spec)) break;
      if (this.isToBeFollowed(found)) return this.follow(found, client);
      await this.feed.fetchOne(found.job.handle);
      // Where it is not here now, another job server was faster: then that one has it.
      if (this.engine.find(found.job.handle)) break;
    }
    const adding = this.unwritten.ofUnique(spec.function, key);
    return adding ? this.submitAfter(adding, spec, client) : this.submitNow(spec, client);
  }

  /** Whether a stored job is not fetched for a client here: another job server has it, or nobody here could run it. */
  private isToBeFollowed({ state, holder, job }: QueuedJob): boolean {
    const { elsewhere } = this.host;
    if (!elsewhere || this.engine.find(job.handle)) return false;
    if (holder) return elsewhere.reaches(holder);
    return state === 'waiting' && !this.engine.isServed(this.feed.functionOf(job.function));
  }

  private follow({ job, holder }: QueuedJob, client: Peer): Submitted {
    if (client.isGone) return CLIENT_LEFT;
    this.host.elsewhere!.follow(job, holder, client);
    return job.handle;
  }

  /** A background submission to a full queue, which may belong to a job in storage. */
  private async refuseUnlessStored(spec: JobSpec, key: ByteString, refusal: Refusal): Promise<Submitted | Answer> {
    const stored = (await this.storage.findByUnique(key, spec.function))?.job;
    if (!stored) return refusal;
    // It may be on its way to the disk still.
    const adding = this.unwritten.ofJob(stored.handle);
    if (adding) return adding;
    return (await this.storage.want?.(stored.handle)) === false ? refusal : stored.handle;
  }
}

/** What the job server has added to a submission that was just accepted. */
function historyOf({ handle }: Submission): JobHistory {
  return { handle, attempts: 0, losses: 0 };
}

/** What is wrong where the others may take this job server for dead. */
const FENCED =
  'This job server cannot show the others that it is alive; it gives out no stored jobs until it can. See that it reaches the database.';

/** How much of an exception is kept with a dead letter, in characters. */
const ERROR_LENGTH = 4_096;

function errorText(reason: Workload): string {
  const bytes = typeof reason === 'string' ? Buffer.from(reason, 'latin1') : Buffer.from(reason);
  // The cut may go through a character that takes two: half of one is no text.
  return bytes
    .toString('utf8')
    .slice(0, ERROR_LENGTH)
    .replace(/[\ud800-\udbff]$/, '');
}
