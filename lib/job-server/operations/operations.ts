import type { Log } from '../../ground/index.js';
import { fromByteString, toByteString } from '../../protocol/index.js';
import type { Turns } from '../../connection/index.js';
import type { DurableJobs } from '../durable/index.js';
import type { Engine, GearmanFunction, Job, Outcome, Workload } from '../engine/index.js';
import type { Session } from '../front/index.js';
import { jobSnapshot, storedJobSnapshot, type JobSnapshot } from './snapshots.js';
import type { StoredJob } from '../storage/index.js';
import { JobFilter, type JobQuery } from './job-query.js';
import { Watchers, type JobWatcher } from './watchers.js';

/** How many jobs are looked at between two looks at the clock. */
const STEP = 100;

/** How many jobs are purged before others have a turn. */
const PURGE_BATCH = 1_000;

/** How much of a workload a preview has, in bytes. */
const PREVIEW_BYTES = 4_096;

/** A page of {@link Operations.jobs}. */
export interface JobPage {
  jobs: JobSnapshot[];
  /** Where the next page begins, for `after`; undefined: this was the last. */
  next: string | undefined;
}

/** What a search has found since its last page, and how far it is. */
export interface FoundJobs {
  jobs: JobSnapshot[];
  /** How many jobs it has looked at, from its beginning on. */
  scanned: number;
}

/** The beginning of a workload. */
export interface WorkloadPreview {
  bytes: Buffer;
  /** How long all of it is, in bytes. */
  size: number;
}

/** What {@link Operations} needs of a job server. */
export interface OperatedJobServer {
  readonly engine: Engine;
  readonly log: Log;
  readonly sessions: Iterable<Session>;
  readonly storedJobs: DurableJobs | undefined;
}

/**
 * What an operator asks of a running job server and does to it, beyond the
 * words of `gearadmin`. Long lists come in pages, and the job server serves
 * everybody else in between.
 */
export class Operations {
  private readonly watchers: Watchers;

  /** @internal */
  constructor(
    private readonly jobServer: OperatedJobServer,
    private readonly turns: Turns,
  ) {
    this.watchers = new Watchers(
      (job) => jobServer.engine.handleOf(job),
      (error, handle) => {
        const shown = fromByteString(handle);
        jobServer.log('error', `a watcher of ${shown} threw: ${String(error)}`, { handle: shown });
      },
    );
  }

  // --- jobs ---

  /**
   * Jobs page by page: those in memory, then those that wait in storage only. A
   * job that comes, goes or moves meanwhile may be left out or told twice.
   *
   * @param options `limit`: the most jobs of the page, default 100; `after`: the `next` of the page before.
   */
  async jobs(
    options: { function?: string; state?: JobQuery['state']; after?: string; limit?: number } = {},
  ): Promise<JobPage> {
    const { after, limit = 100, ...query } = options;
    const skip = after === undefined ? 0 : Number(after);
    const jobs: JobSnapshot[] = [];
    let position = 0;
    for await (const page of this.findJobs(query)) {
      for (const job of page.jobs) {
        if (position++ < skip) continue;
        if (jobs.length === limit) return { jobs, next: String(position - 1) };
        jobs.push(job);
      }
    }
    return { jobs, next: undefined };
  }

  /**
   * Searches all jobs, in memory first and then in storage, and tells what it
   * finds as it goes on; no job twice. Ends when `signal` aborts.
   */
  async *findJobs(query: JobQuery = {}, signal?: AbortSignal): AsyncGenerator<FoundJobs, void> {
    const filter = new JobFilter(query);
    const search: FoundJobs = { jobs: [], scanned: 0 };
    let untilLook = STEP;
    for (const job of this.inMemory(query, filter)) {
      search.scanned++;
      if (query.state === undefined || query.state === job.state) this.look(filter, job, search.jobs);
      if (--untilLook > 0) continue;
      untilLook = STEP;
      if (!this.turns.isOver) continue;
      yield { ...search, jobs: search.jobs.splice(0) };
      await this.turns.next();
      if (signal?.aborted) return;
    }
    yield { ...search, jobs: search.jobs.splice(0) };
    yield* this.findStored(query, filter, search, signal);
  }

  /**
   * About how many jobs a search will have looked at when it is over.
   * @internal
   */
  countToSearch({ function: name, state, handle }: JobQuery): number {
    if (handle !== undefined) return 1;
    const { engine, storedJobs } = this.jobServer;
    const stored =
      state === 'running' ? 0 : storedJobs?.waitingCount(name === undefined ? undefined : toByteString(name));
    return engine.jobCount + (stored ?? 0);
  }

  /** The jobs in memory that may be meant: where few are, these few. */
  private inMemory({ state, handle }: JobQuery, { function: name }: JobFilter): Iterable<Job> {
    const { engine } = this.jobServer;
    if (handle !== undefined) {
      const job = engine.find(toByteString(handle));
      return job ? [job] : [];
    }
    if (name === undefined || state === undefined || state === 'delayed') return engine.jobs();
    const function_ = engine.functions.find(name);
    if (!function_) return [];
    return state === 'running' ? [...function_.runningJobs] : engine.jobs();
  }

  private look(filter: JobFilter, job: Job, found: JobSnapshot[]): void {
    if (filter.function !== undefined && job.function_.name !== filter.function) return;
    if (job.state === 'ended' || !filter.workloadFits(job.workload)) return;
    const snapshot = jobSnapshot(this.jobServer.engine, job);
    if (filter.fits(snapshot)) found.push(snapshot);
  }

  private async *findStored(
    { state, handle }: JobQuery,
    filter: JobFilter,
    search: FoundJobs,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<FoundJobs, void> {
    const { storedJobs, engine } = this.jobServer;
    if (!storedJobs || state === 'running' || (handle !== undefined && engine.find(toByteString(handle)))) return;
    for await (const page of handle === undefined ? storedJobs.waiting(filter.function) : this.storedPage(handle)) {
      if (signal?.aborted) return;
      search.scanned += page.length;
      for (const job of page) {
        if (filter.function !== undefined && job.function !== filter.function) continue;
        if (!filter.workloadFits(job.workload)) continue;
        const snapshot = storedJobSnapshot(job);
        if (filter.fits(snapshot)) search.jobs.push(snapshot);
      }
      yield { ...search, jobs: search.jobs.splice(0) };
    }
  }

  /** The one stored job of a handle, as a page. */
  private async *storedPage(handle: string): AsyncGenerator<readonly StoredJob[], void> {
    const job = await this.jobServer.storedJobs?.jobOf(toByteString(handle));
    if (job) yield [job];
  }

  /** A job by its handle, in memory or in storage; undefined when there is none, it is dead, or it is over. */
  async job(handle: string): Promise<JobSnapshot | undefined> {
    const { engine, storedJobs } = this.jobServer;
    const name = toByteString(handle);
    const here = engine.find(name);
    if (here) return jobSnapshot(engine, here);
    const stored = await storedJobs?.jobOf(name);
    return stored && storedJobSnapshot(stored);
  }

  /** The first 4 KiB of a job's workload, also of a dead letter, or so many bytes; undefined when there is no such job. */
  async workload(handle: string, bytes = PREVIEW_BYTES): Promise<WorkloadPreview | undefined> {
    const { engine, storedJobs } = this.jobServer;
    const name = toByteString(handle);
    const workload = engine.find(name)?.workload ?? (await storedJobs?.recordOf(name))?.workload;
    return workload === undefined ? undefined : { bytes: beginningOf(workload, bytes), size: workload.length };
  }

  /**
   * Tells what happens to a job, without being its client: the job is not kept
   * alive by it, and its worker does not notice. It may begin before the job is
   * there.
   *
   * @returns a function that ends it, or undefined when 256 jobs are watched
   *   already.
   */
  watch(handle: string, watcher: JobWatcher): (() => void) | undefined {
    return this.watchers.add(toByteString(handle), watcher);
  }

  /** Lets a delayed job wait for a worker at once; false when there is none of that handle, or it is not delayed. */
  async runNow(handle: string): Promise<boolean> {
    const { engine, storedJobs } = this.jobServer;
    const name = toByteString(handle);
    if (!engine.find(name)) await storedJobs?.bring(name);
    const job = engine.find(name);
    return job !== undefined && engine.runNow(job);
  }

  /**
   * Cancels all jobs of a function that wait for a worker, in memory and in
   * storage: foreground clients hear that theirs failed. Delayed and running
   * ones stay.
   *
   * @returns how many there were.
   */
  async purgeFunction(name: string, signal?: AbortSignal): Promise<number> {
    const { engine, storedJobs } = this.jobServer;
    const function_ = engine.functions.find(toByteString(name));
    if (!function_) return 0;
    let purged = await this.purgeMemory(function_, signal);
    for await (const page of storedJobs?.waiting(function_.name) ?? []) {
      for (const { handle, at } of page) {
        if (signal?.aborted) return purged;
        if (at <= Date.now() && (await storedJobs!.cancel(handle))) purged++;
      }
    }
    // The queue in memory was filled up from storage meanwhile.
    return purged + (await this.purgeMemory(function_, signal));
  }

  private async purgeMemory(function_: GearmanFunction, signal: AbortSignal | undefined): Promise<number> {
    let purged = 0;
    while (function_.waiting > 0 && !signal?.aborted) {
      purged += this.jobServer.engine.purge(function_, PURGE_BATCH);
      await this.turns.next();
    }
    return purged;
  }

  // --- workers ---

  /** Gives a worker no more jobs, so that it finishes what it runs; with `false` it gets jobs again. False when there is no such connection. */
  quiet(id: number, isQuiet = true): boolean {
    const session = this.sessionOf(id);
    if (session) this.jobServer.engine.setQuiet(session.peer, isQuiet);
    return session !== undefined;
  }

  /** Closes a connection in good order; what it runs waits again. False when there is no such connection. */
  disconnect(id: number): boolean {
    const session = this.sessionOf(id);
    session?.disconnect();
    return session !== undefined;
  }

  private sessionOf(id: number): Session | undefined {
    for (const session of this.jobServer.sessions) if (session.number === id) return session;
    return undefined;
  }

  // --- what the engine tells ---

  /**
   * Told by the job server as things happen to a job.
   * @internal
   */
  heard(job: Job, what: 'started' | 'requeued' | 'data' | 'warning' | 'progress', bytes: Workload = ''): void {
    this.watchers.tell(job, (watcher) => {
      if (what === 'progress') watcher.progress?.(Number(job.numerator) || 0, Number(job.denominator) || 0);
      else if (what === 'data' || what === 'warning') watcher[what]?.(bufferOf(bytes));
      else watcher[what]?.();
    });
  }

  /**
   * Told by the job server when a job is over.
   * @internal
   */
  ended(job: Job, outcome: Outcome, result: Workload): void {
    this.watchers.end(job, (watcher) => watcher.ended?.(outcome, bufferOf(result)));
  }
}

function beginningOf(workload: Workload, bytes: number): Buffer {
  return typeof workload === 'string'
    ? Buffer.from(workload.slice(0, bytes), 'latin1')
    : Buffer.from(workload.subarray(0, bytes));
}

function bufferOf(bytes: Workload): Buffer {
  return beginningOf(bytes, bytes.length);
}
