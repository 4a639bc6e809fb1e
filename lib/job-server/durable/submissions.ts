import {
  Refusal,
  type ByteString,
  type Engine,
  type Job,
  type JobHistory,
  type JobSpec,
  type Peer,
} from '../engine/index.js';
import type { FireOutcome, JobStorage, QueuedJob, StorageError, StoredJob } from '../storage/index.js';
import { Answer, queueError, type Submitted } from './answer.js';
import type { DurableHost } from './durable-host.js';
import type { JobFeed } from './job-feed.js';
import { newJob, recordOf, storedUnique } from './job-record.js';
import { Submission, type SubmissionHost } from './submission.js';
import { UnwrittenJobs } from './unwritten-jobs.js';

/**
 * How often a foreground submission looks in storage for a job of its unique, where others lease
 * that job meanwhile.
 */
const LOOKS = 3;

/** The answer to a foreground submission whose client left before it was accepted; nobody hears it. */
const CLIENT_LEFT = new Refusal('CLIENT_LEFT', 'The client is gone');

/** What is counted and told of a submission. */
type Accepted = Pick<Submission, 'function_' | 'spec' | 'handle'>;

/**
 * Submissions from the packet to JOB_CREATED: a job goes to the engine, to
 * storage or to both, or joins one that is in either of them. A background job is
 * answered when it is on disk, or refused when it could not be written.
 *
 *   submission --+-- joins a job that the engine has
 *                +-- foreground: joins one in storage, else the engine
 *                +-- background: storage, and the engine too where it may run
 *                      +-- written: JOB_CREATED
 *                      +-- refused, or another job has the unique: taken back
 */
export class Submissions implements SubmissionHost {
  private readonly unwritten = new UnwrittenJobs();

  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly host: DurableHost,
    private readonly feed: JobFeed,
    /** Submits from the beginning: after a wait the storage may not be open any more. */
    private readonly submitAgain: (spec: JobSpec, client: Peer) => Submitted | Answer,
  ) {}

  /** Accepts a job while the storage is open; for a background job the answer comes when it is on disk. */
  submit(spec: JobSpec, client: Peer): Submitted | Answer {
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
    // A job that is here already was counted as one of its own, and is taken back as one.
    if (existing && !isHere) submission.function_.stats.coalesced++;
    // What exists is this very job: it was leased meanwhile, and is here for good.
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
   * `JobStorage.fire`. Rejects where the job cannot be accepted now.
   */
  async fire(id: ByteString, tick: number, spec?: JobSpec): Promise<FireOutcome> {
    if (!spec) return this.storage.fire(id, tick);
    const refusal = this.engine.refusalOf(spec);
    if (refusal) throw new Error(refusal.text);
    const function_ = this.feed.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const outcome = await this.storage.fire(id, tick, newJob(spec, handle, storedUnique(spec), this.host.time.date));
    if (outcome === 'fired') this.waitInStorage({ function_, spec, handle });
    return outcome;
  }

  private submitNow(spec: JobSpec, client: Peer): Submitted {
    if (client.isGone && !spec.isBackground) return CLIENT_LEFT;
    const job = this.engine.submit(spec, client);
    return job instanceof Refusal ? job : this.engine.handleOf(job);
  }

  /** A submission for a job that the engine has. */
  private join(existing: Job, spec: JobSpec, client: Peer): Submitted | Answer {
    const submitted = this.submitNow(spec, client);
    if (!spec.isBackground || submitted instanceof Refusal) return submitted;
    return existing.isStored
      ? (this.unwritten.ofJob(submitted) ?? submitted)
      : this.storeJoined(existing, spec, submitted);
  }

  /** Stores a foreground job that was submitted in the background as well. */
  private storeJoined(job: Job, spec: JobSpec, handle: ByteString): Answer {
    const submission = new Submission(this, job.function_, spec, handle, true);
    this.unwritten.addJob(handle, submission.answer);
    this.storage.add(recordOf(job, handle, this.host.time), 'always', submission);
    job.isStored = true;
    return submission.answer;
  }

  /** Stores a background job that the engine does not know; the storage may. */
  private store(spec: JobSpec, key: ByteString): Answer {
    const function_ = this.feed.functionOf(spec.function);
    const handle = this.engine.nextHandle();
    const submission = new Submission(this, function_, spec, handle, false);
    const mayRun = this.feed.hasRoom(function_, spec.priority);
    submission.isHere = this.storage.add(newJob(spec, handle, key, this.host.time.date), mayRun, submission);
    if (key !== '' && submission.isHere) this.unwritten.addJob(handle, submission.answer);
    else if (key !== '') this.unwritten.addUnique(spec.function, key, handle, submission.answer);
    if (submission.isHere) this.takeIn(submission);
    return submission.answer;
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

  /** A submission is accepted: counts it, and says so. */
  private accepted({ function_, spec, handle }: Accepted): void {
    function_.stats.accepted(spec);
    this.host.accepted(spec, handle);
  }

  /** A job waits in storage, until the engine has room. */
  private waitInStorage(submission: Accepted): void {
    this.accepted(submission);
    this.feed.cameOneOfMany(submission.function_);
    if (submission.spec.at > 0) this.feed.wakeFor(submission.spec.at);
  }

  /** Takes back a job that could not be written: it is gone, unless a foreground client waits for it anyway. */
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
    return Answer.from(adding.heard.then(() => this.submitAgain(spec, client)));
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
